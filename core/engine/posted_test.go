package engine

import (
	"testing"

	"vitrine/core/packet"
	"vitrine/core/simnet"
)

// A session that ends in the turn in which it was asked to is still on its worker's stack of posted slots. Its slot must
// not be another worker's before it is off that stack.
func TestSimPostedSlotIsNotReused(t *testing.T) {
	s := newSim(t, simnet.Config{}, Config{Workers: 2})
	first, second := s.dial(), s.dial()
	s.settle()
	s.handler.onRecv = func(held *Session, in *packet.Reader) {
		s.srv.Disconnect(held.ID())
		held.Close(Kicked)
	}
	zero, one := s.srv.workers[0], s.srv.workers[1]
	first.Write(lan([]byte("end")))
	second.Write(lan([]byte("end")))
	zero.turn()
	one.turn() // ends the second, whose slot is free now or will be
	s.handler.onRecv = nil
	late := s.dial()
	zero.turn() // accepts, takes a free slot and keeps the session
	for id := range s.handler.joined {
		if s.srv.table.Live(id) {
			s.srv.Disconnect(id)
		}
	}
	one.turn() // must not find the new session where the second was posted
	s.settle()
	if got := s.reasons()[Kicked]; got != 3 {
		t.Errorf("kicked %d sessions, want the first two and the one that joined later", got)
	}
	for _, c := range []*simnet.Conn{late, first, second} {
		c.Close()
	}
	s.settle()
	s.checkEmpty()
}

// The holder that lets the last count go posts the slot after that. An earlier post may have shown it to the owner in
// between, and the slot may be another worker's next session: that must not be posted in the name of the last one.
func TestSimLateHolderPostsNobodyElse(t *testing.T) {
	s := newSim(t, simnet.Config{}, Config{Workers: 2})
	first, second := s.dial(), s.dial()
	s.settle()
	zero, one := s.srv.workers[0], s.srv.workers[1]
	id, held := one.sessions[0].id, one.sessions[0]
	first.Close()
	s.settle()
	if _, ok := s.srv.table.Acquire(id); !ok {
		t.Fatal("session is not live")
	}
	s.srv.Disconnect(id)
	s.turn()           // closes it and drops the owner's count
	one.post(held, id) // a second Disconnect, as it was before its release
	if !s.srv.table.Release(id) {
		t.Fatal("not the last count")
	}
	s.turn()
	late := s.dial()
	zero.turn()
	next := zero.sessions[0].id
	one.post(held, id) // where the last holder goes on
	s.srv.Disconnect(next)
	one.turn()
	if !s.srv.table.Live(next) {
		t.Error("another worker released the next session of the slot")
	}
	s.settle()
	if got := s.reasons()[Kicked]; got != 2 {
		t.Errorf("kicked %d sessions, want 2", got)
	}
	for _, c := range []*simnet.Conn{first, second, late} {
		c.Close()
	}
	s.settle()
	s.checkEmpty()
}
