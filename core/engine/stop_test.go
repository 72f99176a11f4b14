package engine

import (
	"testing"
	"time"

	"vitrine/core/packet"
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

// An empty packet has no frame. Sending it must leave nothing that the drain waits for, and from elsewhere it counts as
// unsent.
func TestSimEmptyPacketLeavesNothing(t *testing.T) {
	s := newSim(t, simnet.Config{}, Config{})
	var got error
	s.handler.onRecv = func(held *Session, in *packet.Reader) { got = held.Send(held.NewPacket()) }
	c := s.dial()
	s.settle()
	c.Write(lan([]byte("go")))
	s.settle()
	if got == nil {
		t.Error("Send of an empty packet succeeded")
	}
	if n := s.srv.Status().Output.InUse; n != 0 {
		t.Errorf("output slots in use: %d, want 0", n)
	}
	before := s.srv.Status().Total.UnsentPackets
	for id := range s.handler.joined {
		if err := s.srv.SendPacket(id, s.srv.NewPacket()); err != nil {
			t.Fatal(err)
		}
	}
	s.settle()
	if n := s.srv.Status().Total.UnsentPackets - before; n != 1 {
		t.Errorf("unsent packets: %d, want the one from elsewhere", n)
	}
	s.srv.workers[0].stop(time.Minute)
	s.settle()
	c.Close()
	s.wait(2*time.Second, 10*time.Millisecond)
	if len(s.ended) != 1 {
		t.Error("the worker waits for its deadline")
	}
	s.checkEmpty()
}
