package engine

import (
	"maps"
	"testing"

	"vitrine/core/frame"
	"vitrine/core/simnet"
)

// The memory of the server's key and of each session's keys is told from the join to the leave.
func TestSimKeysAreToldWhileTheyAreInUse(t *testing.T) {
	client, server := sealedPair(t)
	told, limit := map[int]frame.Memory{}, 0
	observer := Observer{Secrets: func(n int) Secrets {
		limit = n
		return func(number int, addr, size uintptr) {
			if number < 0 || number >= n {
				t.Errorf("number %d, want 0..%d", number, n-1)
			}
			told[number] = frame.Memory{Addr: addr, Size: size}
		}
	}}
	s := newSim(t, simnet.Config{}, Config{Codec: server, Observer: observer, MaxSessions: 64})
	if limit != 1+2*64 || told[0] != server.KeyMemory() || told[0].Size != frame.KeyLen {
		t.Fatalf("limit %d and %v, want 129 and the private key", limit, told)
	}
	c := s.dial()
	s.settle()
	if len(told) != 1 {
		t.Errorf("told before the handshake: %v", told)
	}
	state, err := client.NewState(true)
	if err != nil {
		t.Fatal(err)
	}
	hello, err := client.Greet(state, nil)
	if err != nil {
		t.Fatal(err)
	}
	c.Write(hello)
	s.settle()
	held := s.srv.workers[0].sessions[0]
	keys := held.state.KeyMemory()
	piece := 1 + 2*int(held.id.Slot())
	want := map[int]frame.Memory{0: server.KeyMemory(), piece: keys[0], piece + 1: keys[1]}
	if !maps.Equal(told, want) || keys[0].Size != frame.KeyLen || keys[0] == keys[1] {
		t.Errorf("told %v, want %v", told, want)
	}
	c.Close()
	s.settle()
	if told[piece].Size != 0 || told[piece+1].Size != 0 || told[0].Size == 0 {
		t.Errorf("after the leave: %v, want the server's key alone", told)
	}
	s.checkEmpty()
}
