//go:build !invariants

package engine

import (
	"bytes"
	"testing"

	"vitrine/core/frame"
)

// The invariants build notes the caller of every slot and so allocates.

func TestPathAllocatesNothing(t *testing.T) {
	stream := bytes.Repeat(lan(make([]byte, 32)), 16)
	w, _ := newLoop(t, frame.Codec{}, 200, func(int) []byte { return stream })
	for range 10 {
		w.turn()
	}
	if got := testing.AllocsPerRun(100, func() { w.turn() }); got != 0 {
		t.Errorf("allocations in a turn of %d packets: %v, want 0", eventsPerTurn*16, got)
	}
}

// TestSealedPathAllocatesNothing lets one session read frames that are sealed anew for each turn.
func TestSealedPathAllocatesNothing(t *testing.T) {
	client, server := sealedPair(t)
	peer, err := client.NewState(true)
	if err != nil {
		t.Fatal(err)
	}
	next, err := client.Greet(peer, nil)
	if err != nil {
		t.Fatal(err)
	}
	w, net := newLoop(t, server, 1, func(int) []byte { return next })
	net.tap = func(_ int, b []byte) {
		if _, _, err := client.Handshake(peer, bytes.Clone(b), nil); err != nil {
			t.Fatal(err)
		}
	}
	w.turn()
	net.tap = nil
	buffer := make([]byte, 0, 4096)
	payload := make([]byte, 64)
	turn := func() {
		next = buffer[:0]
		for range 16 {
			next, _ = client.Seal(peer, next, payload, nil)
		}
		w.turn()
	}
	for range 10 {
		turn()
	}
	before := w.stats.Local.RecvPackets
	if got := testing.AllocsPerRun(100, turn); got != 0 {
		t.Errorf("allocations in a turn of 16 sealed packets: %v, want 0", got)
	}
	if got := w.stats.Local.RecvPackets - before; got != 101*16 {
		t.Errorf("packets received: %d, want %d", got, 101*16)
	}
}
