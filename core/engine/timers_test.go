package engine

import (
	"testing"
	"time"

	"vitrine/core/simnet"
)

// A worker that was held up for longer than the idle timeout finds more events than one turn takes: who has sent in time is
// not idle because its turn has not come. Who has not sent is.
func TestSimHeldUpWorkerReadsBeforeItExpires(t *testing.T) {
	s := newSim(t, simnet.Config{}, Config{IdleTimeout: 10 * time.Second, MaxSessions: 1000})
	var talkers []*simnet.Conn
	for range 3 * eventsPerTurn {
		talkers = append(talkers, s.dial())
	}
	silent := s.dial()
	s.settle()
	for _, c := range talkers {
		c.Write(lan([]byte("in time")))
	}
	s.net.Advance(20 * time.Second) // without a turn
	s.settle()
	s.wait(100*time.Millisecond, 10*time.Millisecond)
	if got := s.reasons(); got[IdleTimeout] != 1 || len(s.handler.left) != 1 {
		t.Errorf("reasons %v, want idle_timeout for the silent one alone", got)
	}
	for _, c := range append(talkers, silent) {
		c.Close()
	}
	s.settle()
	s.checkEmpty()
}
