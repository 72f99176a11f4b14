package observe

import (
	"net/http"
	"slices"
	"testing"

	"vitrine/core/engine"
)

func TestSessionsListsWhoIsThere(t *testing.T) {
	r := launch(t, engine.Config{Workers: 2})
	var want []string
	for range 3 {
		r.dial().echoed(7, "hello")
		want = append(want, (<-r.handler.ids).String())
	}
	var got map[string][]string
	if code := r.getJSON("/sessions", &got); code != http.StatusOK {
		t.Fatalf("got %d %v", code, got)
	}
	slices.Sort(want)
	slices.Sort(got["echo"])
	if !slices.Equal(got["echo"], want) {
		t.Errorf("sessions %v, want %v", got["echo"], want)
	}
	if r.getJSON("/sessions?limit=2", &got); len(got["echo"]) != 2 {
		t.Errorf("sessions with limit 2: %v", got["echo"])
	}
	for _, limit := range []string{"0", "-1", "x", "100001"} {
		var problem struct{ Error string }
		if code := r.getJSON("/sessions?limit="+limit, &problem); code != http.StatusBadRequest || problem.Error == "" {
			t.Errorf("limit %q: got %d %q, want %d and why", limit, code, problem.Error, http.StatusBadRequest)
		}
	}
}
