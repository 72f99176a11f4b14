package sentry

import (
	"context"
	"net/http"
	"testing"
	"time"
)

// failing is a world in which one event could not be sent.
func failing(t *testing.T) *world {
	w := newWorld(t, nil)
	w.put(newBundle(t), 0, 1)
	w.sink.Answer(http.StatusInternalServerError)
	w.attempt(1)
	return w
}

// attempt sends, and fails unless the sink has seen so many requests then.
func (w *world) attempt(requests int) {
	w.t.Helper()
	w.Send(context.Background())
	if got := w.sink.Requests(); got != requests {
		w.t.Errorf("%d requests, want %d", got, requests)
	}
}

func TestDueSaysWhatWaitsAndUntilWhen(t *testing.T) {
	w := newWorld(t, nil)
	if _, waits, err := w.Due(); waits || err != nil {
		t.Errorf("of an empty spool: %v, %v", waits, err)
	}
	w.put(newBundle(t), 0, 1)
	if at, waits, err := w.Due(); !waits || !at.IsZero() || err != nil {
		t.Errorf("of an event that nobody tried to send: %v, %v, %v", at, waits, err)
	}
	w.sink.Down(true)
	w.Send(context.Background())
	if at, waits, err := w.Due(); !waits || !at.Equal(w.clock.Now().Add(FirstBackOff)) || err != nil {
		t.Errorf("of one that failed: %v, %v, %v", at, waits, err)
	}
	s := w.sender(func(c *Config) { c.DSN = "" })
	if _, waits, err := s.Due(); waits || err != nil {
		t.Errorf("without a DSN: %v, %v", waits, err)
	}
}

// A flush is one attempt: when that fails too, the back-off goes on where it was.
func TestFlushIsOneAttempt(t *testing.T) {
	w := failing(t)
	w.attempt(1) // a back-off is on
	must(t, w.Flush(5, time.Minute))
	w.attempt(2)
	w.attempt(2)
	if at, _, _ := w.Due(); !at.Equal(w.clock.Now().Add(2 * FirstBackOff)) {
		t.Errorf("next in %v, want %v", at.Sub(w.clock.Now()), 2*FirstBackOff)
	}
	w.sink.Answer(0)
	must(t, w.Flush(5, time.Minute))
	w.send()
	w.arrived(1)
}

// Programs in a crash loop do not hammer: the flushes of all of them together are bounded, and the next one comes when it may.
func TestFlushesAreBounded(t *testing.T) {
	const most, within = 3, 5 * time.Minute
	w := failing(t)
	for range 10 {
		w.clock.Add(time.Second)
		must(t, w.sender(nil).Flush(most, within))
		w.Send(context.Background())
	}
	w.attempt(1 + most)
	at, _, _ := w.Due()
	if want := w.clock.Now().Add(-9 * time.Second).Add(within); at.After(want) {
		t.Errorf("next in %v, want it when a flush may be again, in %v", at.Sub(w.clock.Now()), want.Sub(w.clock.Now()))
	}
	w.clock.Add(within)
	must(t, w.Flush(most, within))
	w.attempt(2 + most)
}

func TestFlushObeysTheServer(t *testing.T) {
	w := newWorld(t, nil)
	w.put(newBundle(t), 0, 1)
	w.sink.AnswerAfter(http.StatusTooManyRequests, "3600")
	w.attempt(1)
	must(t, w.Flush(5, time.Minute))
	w.attempt(1)
}

// A clock that was set back makes no flush for ever of those that are ahead of it.
func TestFlushesAheadOfTheClockCountForNothing(t *testing.T) {
	now := time.Now()
	st := &state{Until: now.Add(time.Hour), Flushes: []time.Time{now.Add(time.Hour), now.Add(2 * time.Hour)}}
	if st.flush(now, 2, time.Minute); !st.Until.IsZero() || len(st.Flushes) != 1 {
		t.Errorf("%+v", st)
	}
}

func TestSendWhileBeginsNoFurtherEvent(t *testing.T) {
	w := newWorld(t, nil)
	w.put(newBundle(t), 0, 3)
	r, err := w.SendWhile(context.Background(), func() bool { return w.sink.Requests() < 2 })
	if r.Sent != 2 || r.Kept != 1 || err != nil {
		t.Errorf("%+v, %v, want two sent", r, err)
	}
	w.send()
	w.arrived(3)
}

func TestEventIsNotTriedForEver(t *testing.T) {
	w := newWorld(t, nil)
	w.put(newBundle(t), 0, 2)
	tired := w.meta(1).Event
	must(t, w.update(func(st *state) error { st.Tried[tired] = MaxTries; return nil }))
	if r := w.send(); r.Sent != 1 || r.Dropped != 1 || r.Kept != 0 || w.counts().Evicted != 1 {
		t.Errorf("%+v, %+v", r, w.counts())
	}
	w.arrived(1)
}
