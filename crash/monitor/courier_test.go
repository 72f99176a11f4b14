package monitor

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"vitrine/crash/sentry/sentrytest"
)

// outage is the setup of a server whose report Sentry did not take, which is well again.
func outage(t *testing.T) (*Setup, *sentrytest.Sink) {
	t.Helper()
	sink := sentrytest.New()
	t.Cleanup(sink.Close)
	sink.Answer(http.StatusServiceUnavailable)
	s := fallen(t)
	s.Sentry.DSN = sink.DSN()
	if err := heardOf(s).finish(); err != nil {
		t.Fatal(err)
	}
	sink.Answer(0)
	checkSent(t, sink, 0, 1)
	return s, sink
}

func checkSent(t *testing.T, sink *sentrytest.Sink, events, requests int) {
	t.Helper()
	if e, r := len(sink.Events()), sink.Requests(); e != events || r != requests {
		t.Errorf("%d events in %d requests, want %d in %d", e, r, events, requests)
	}
}

// endBackOff lets the time of a back-off pass.
func endBackOff(t *testing.T, s *Setup) {
	t.Helper()
	path := filepath.Join(s.Dir, SpoolDir, "state.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var state map[string]any
	if err := json.Unmarshal(text, &state); err != nil {
		t.Fatal(err)
	}
	state["until"] = time.Now()
	if text, err = json.Marshal(state); err == nil {
		err = os.WriteFile(path, text, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// What could not be sent is sent while the server lives, as soon as the back-off is over and not before.
func TestCourierSendsWhenTheBackOffIsOver(t *testing.T) {
	s, sink := outage(t)
	c := &courier{setup: s}
	quiet := make(chan struct{})
	if pause := c.look(quiet); pause <= 0 || pause > RetryEvery {
		t.Errorf("looks again in %v", pause)
	}
	checkSent(t, sink, 0, 1)
	endBackOff(t, s)
	if pause := c.look(quiet); pause != RetryEvery {
		t.Errorf("looks again in %v, want %v", pause, RetryEvery)
	}
	checkSent(t, sink, 1, 2)
	c.look(quiet)
	checkSent(t, sink, 1, 2)
}

// A server that is dying, or ends, has nothing more sent by its courier.
func TestCourierBeginsNothingWhenItIsToBeQuiet(t *testing.T) {
	s, sink := outage(t)
	endBackOff(t, s)
	quiet := make(chan struct{})
	close(quiet)
	c := &courier{setup: s}
	c.look(quiet)
	c.run(quiet) // returns
	checkSent(t, sink, 0, 1)
}

// Where the disk takes no back-off the courier keeps one of its own.
func TestCourierBacksOffByItself(t *testing.T) {
	s, sink := outage(t)
	sink.Answer(http.StatusServiceUnavailable)
	c := &courier{setup: s}
	last := RetryEvery
	for range 3 {
		endBackOff(t, s)
		pause := c.look(make(chan struct{}))
		if pause != 2*last {
			t.Errorf("looks again in %v, want %v", pause, 2*last)
		}
		last = pause
	}
}

// The first attempt of a run is made at once, whatever back-off the runs before it left; a monitor that is started again makes none.
func TestRunFlushesOnce(t *testing.T) {
	s, sink := outage(t)
	sink.Answer(http.StatusServiceUnavailable)
	next := *s
	next.RunDir = t.TempDir()
	for range 3 {
		if err := next.flush(); err != nil {
			t.Error(err)
		}
		next.send(nil, "")
	}
	checkSent(t, sink, 0, 2)
	sink.Answer(0)
	next.RunDir = t.TempDir()
	if err := next.flush(); err != nil {
		t.Error(err)
	}
	next.send(nil, "")
	checkSent(t, sink, 1, 3)
}

// Runs that follow each other as fast as in a crash loop flush as often as it takes to be one.
func TestCrashLoopDoesNotHammer(t *testing.T) {
	s, sink := outage(t)
	sink.Answer(http.StatusServiceUnavailable)
	loop, _ := s.Limits.Loop()
	for range 3 * loop {
		next := *s
		next.RunDir = t.TempDir()
		if err := next.flush(); err != nil {
			t.Error(err)
		}
		next.send(nil, "")
		next.farewell()
	}
	checkSent(t, sink, 0, 1+loop)
}

func TestFarewellSendsWhatWaits(t *testing.T) {
	s, sink := outage(t)
	s.farewell()
	checkSent(t, sink, 1, 2)
	s.farewell()
	checkSent(t, sink, 1, 2)
}

func TestFarewellIsShort(t *testing.T) {
	s, sink := outage(t)
	release := make(chan struct{})
	defer close(release)
	sink.Judge(func(sentrytest.Event) int { <-release; return 0 })
	began := time.Now()
	s.farewell()
	if took := time.Since(began); took < FarewellLimit/2 || took > 10*FarewellLimit {
		t.Errorf("took %v, want about %v", took, FarewellLimit)
	}
}
