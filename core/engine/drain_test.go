package engine

import (
	"testing"
	"time"

	"vitrine/core/simnet"
)

// TestSimStopEndsThoughCommandsKeepComing has a function that posts itself again whenever it runs: the stop sends what was
// queued before it and does not wait for a queue that never empties.
func TestSimStopEndsThoughCommandsKeepComing(t *testing.T) {
	s := newSim(t, simnet.Config{}, Config{})
	c := s.dial()
	s.settle()
	ran := 0
	var again func(*Session)
	again = func(held *Session) {
		if ran++; ran > 100*commandsPerTurn {
			t.Fatalf("the posted function ran %d times: the stop takes commands without end", ran)
		}
		s.srv.Post(held.ID(), again)
	}
	for id := range s.handler.joined {
		if err := s.srv.Post(id, again); err != nil {
			t.Fatal(err)
		}
	}
	w := s.srv.workers[0]
	w.stop(time.Minute)
	for range 20 {
		s.turn()
		s.net.Advance(time.Millisecond)
		if c.Closed() {
			c.Close()
		}
	}
	if !s.ended[w] {
		t.Error("the worker has not ended")
	}
	s.checkEmpty()
}
