package engine

import (
	"bytes"
	"testing"

	"vitrine/core/packet"
	"vitrine/core/simnet"
)

// TestSimForeignPacketsAreCopied sends packets of another pool, as a gateway does that hands on what it received: their
// handles name other packets here.
func TestSimForeignPacketsAreCopied(t *testing.T) {
	other, err := packet.NewPool(packet.Config{})
	if err != nil {
		t.Fatal(err)
	}
	s := newSim(t, simnet.Config{}, Config{})
	c := s.dial()
	s.settle()
	var id ID
	for id = range s.handler.joined {
	}
	own := s.srv.NewPacket().UTF8("own") // has the handle that the foreign one has in its pool
	if err := s.srv.SendPacket(id, other.New().UTF8("foreign").SetDroppable()); err != nil {
		t.Fatal(err)
	}
	if n, err := s.srv.Broadcast([]ID{id}, other.New().UTF8("to all")); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	s.srv.SendPacket(id, own)
	s.settle()
	want := append(append(lan([]byte("foreign")), lan([]byte("to all"))...), lan([]byte("own"))...)
	if got := c.Read(); !bytes.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := other.Stats().InUse; got != 0 {
		t.Errorf("%d packets of the other pool in use, want 0", got)
	}
	c.Close()
	s.settle()
	s.checkEmpty()
}
