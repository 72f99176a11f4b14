package engine

import (
	"testing"

	"vitrine/core/simnet"
)

// What OnClientLeave sends to others is written in that turn: the worker may sleep long after it.
func TestSimLeaveSendsInItsTurn(t *testing.T) {
	s := newSim(t, simnet.Config{}, Config{})
	first, second := s.dial(), s.dial()
	s.settle()
	s.handler.onLeave = func(left *Session) {
		var others []ID
		for id := range s.handler.joined {
			if id != left.ID() {
				others = append(others, id)
			}
		}
		left.Broadcast(others, left.NewPacket().U16(7))
	}
	first.Close()
	s.turn()
	if len(s.handler.left) != 1 {
		t.Fatalf("left %d, want 1 after a turn", len(s.handler.left))
	}
	if got := len(second.Read()); got != 4 {
		t.Errorf("the other got %d bytes in that turn, want 4", got)
	}
	s.handler.onLeave = nil
	second.Close()
	s.settle()
	s.checkEmpty()
}
