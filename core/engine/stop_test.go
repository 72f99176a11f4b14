package engine

import (
	"testing"
	"time"

	"vitrine/core/simnet"
)

// A worker without sessions must not end while another can still hand it a connection.
func TestSimStopWaitsForHandedOverConnections(t *testing.T) {
	s := newSim(t, simnet.Config{}, Config{Workers: 2})
	first := s.dial() // the first worker's
	s.settle()
	second := s.dial() // accepted below, for the second worker
	for _, w := range s.srv.workers {
		w.stop(5 * time.Second)
	}
	zero, one := s.srv.workers[0], s.srv.workers[1]
	if !one.turn() {
		s.ended[one] = true
		one.finish()
	}
	if !zero.turn() {
		t.Error("the first worker ended with a session")
	}
	for range 300 {
		s.net.Advance(10 * time.Millisecond)
		s.turn()
	}
	if !second.Closed() {
		t.Error("the connection accepted last is open after the stop")
	}
	if len(s.ended) != 2 {
		t.Errorf("workers ended: %d, want 2", len(s.ended))
	}
	first.Close()
	second.Close()
	s.checkEmpty()
}
