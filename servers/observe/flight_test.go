package observe

import (
	"net/http"
	"testing"
	"time"

	"vitrine/core/engine"
	"vitrine/core/flight"
)

func recorded(t *testing.T) {
	t.Helper()
	if !flight.Enabled {
		t.Skip("nothing is recorded")
	}
}

func TestFlightOfALiveSession(t *testing.T) {
	recorded(t)
	r := launch(t, engine.Config{Workers: 2})
	before := time.Now()
	c := r.dial()
	c.echoed(7, "hello")
	c.echoed(8, "hello again")
	id := <-r.handler.ids
	var got Flight
	if code := r.getJSON("/flight?session="+id.String()+"&last=1", &got); code != http.StatusOK {
		t.Fatalf("got %d %+v", code, got)
	}
	h := got.Histories[0]
	if got.Session != id.String() || h.Server != "echo" || !h.Live || h.From != FromRing || len(h.Records) != 1 {
		t.Fatalf("got %+v", got)
	}
	rec := h.Records[0]
	if rec.Kind != "packet" || rec.Type != 8 || rec.Size != 13 || rec.Out != 15 || rec.Ref == "0" || len(rec.Flags) != 0 {
		t.Errorf("got %+v, want the packet of type 8", rec)
	}
	if rec.At.Before(before.Add(-time.Second)) || rec.At.After(time.Now().Add(time.Second)) {
		t.Errorf("received at %v, want about now, %v", rec.At, time.Now())
	}
}

// What a session did before it was cut off is known after the rings have gone on.
func TestFlightAfterTheSessionHasLeft(t *testing.T) {
	recorded(t)
	r := launch(t, engine.Config{Workers: 1, FlightRecords: 64})
	c := r.dial()
	c.echoed(7, "hello")
	c.send(666, "panic")
	c.gone()
	id := <-r.handler.ids
	other := r.dial()
	for range 200 {
		other.echoed(9, "go on")
	}
	var got Flight
	r.getJSON("/flight?session="+id.String(), &got)
	h := got.Histories[0]
	if h.Live || h.From != FromKept || len(h.Records) != 2 || h.Records[1].Type != 666 {
		t.Fatalf("got %+v, want both packets, kept", got)
	}
	if flags := h.Records[1].Flags; len(flags) == 0 || flags[0] != "panic" && flags[len(flags)-1] != "panic" {
		t.Errorf("flags: got %v, want panic among them", flags)
	}
}

// Ids are unique in a server only: every server that knows the id answers.
func TestFlightAsksEveryServer(t *testing.T) {
	recorded(t)
	r := launch(t, engine.Config{Workers: 1})
	first := r.srv
	r.dial().echoed(7, "to the first")
	id := <-r.handler.ids
	r.srv = r.serve(engine.Config{Name: "second", Workers: 1})
	r.dial().echoed(8, "to the second")
	if same := <-r.handler.ids; same != id {
		t.Fatalf("ids %v and %v differ: the test is about two that are the same", id, same)
	}
	got := r.stack.Flight(id, 16)
	if len(got.Histories) != 2 || got.Histories[0].Server != first.Name() || got.Histories[1].Server != "second" {
		t.Errorf("got %+v, want both servers", got)
	}
}

func TestFlightRefuses(t *testing.T) {
	r := launch(t, engine.Config{Workers: 1})
	for _, c := range []struct {
		query string
		want  int
	}{
		{"", http.StatusBadRequest},
		{"?session=", http.StatusBadRequest},
		{"?session=0", http.StatusBadRequest},
		{"?session=-1", http.StatusBadRequest},
		{"?session=abc", http.StatusBadRequest},
		{"?session=99999999999999999999999", http.StatusBadRequest},
		{"?session=1&last=0", http.StatusBadRequest},
		{"?session=1&last=4097", http.StatusBadRequest},
		{"?session=1&last=many", http.StatusBadRequest},
		{"?session=1", http.StatusNotFound},
		{"?session=18446744073709551615&last=4096", http.StatusNotFound},
	} {
		var problem struct{ Error string }
		if code := r.getJSON("/flight"+c.query, &problem); code != c.want || problem.Error == "" {
			t.Errorf("/flight%s: got %d %q, want %d and why", c.query, code, problem.Error, c.want)
		}
	}
}
