package engine

import (
	"math/rand/v2"
	"testing"
	"time"

	"vitrine/core/packet"
	"vitrine/core/simnet"
)

// TestSimAccountsAreExact cuts sessions off in the middle of what they send, from the handler and from elsewhere, and checks
// what each is said to have written against the bytes that the network took.
func TestSimAccountsAreExact(t *testing.T) {
	simnet.Seeds(t, 60, func(t *testing.T, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 3))
		s := newSim(t, simnet.Config{Seed: seed, Window: 1 + random.IntN(6_000), ShortWrite: 0.3}, Config{SendLimitBytes: 1 << 20})
		c := s.dial()
		c.SetReading(false)
		s.settle()
		var ends []int // offset of each frame's end, in the order of sending
		total, accepted := 0, 0
		count := func(size int) {
			total += 2 + size
			ends = append(ends, total)
			accepted++
		}
		most := [][]int{{30}, {300}, {3000}, {10, 2500}}[seed%4] // small: several to a slot; large: one over several
		size := func() int { return 1 + random.IntN(most[random.IntN(len(most))]) }
		s.handler.onRecv = func(held *Session, _ *packet.Reader) {
			n := size()
			if held.Send(held.NewPacket().Bytes(make([]byte, n))) == nil {
				count(n)
			}
		}
		var id ID
		for id = range s.handler.joined {
		}
		written, unsent := uint64(0), uint64(0)
		s.handler.onLeave = func(held *Session) { written, unsent = held.Written(), held.Unsent() }
		for range random.IntN(50) {
			c.SetReading(random.IntN(5) == 0) // takes what waits and lets the next part be written
			for range random.IntN(10) {
				n := size()
				if s.srv.SendPacket(id, s.srv.NewPacket().Bytes(make([]byte, n))) == nil {
					count(n)
				}
			}
			c.Write(lan([]byte{1})[:random.IntN(2)*3])
			s.turn()
		}
		held, _ := s.srv.table.Acquire(id) // keeps the session from being released
		c.Reset()
		for range 3 { // accepted while the session has not noticed, and while it leaves
			if s.srv.SendPacket(id, s.srv.NewPacket().U8(1)) == nil {
				accepted++
			}
			s.turn()
		}
		s.srv.releaseHold(id, held)
		s.settle()
		taken := uint64(0)
		for taken < uint64(len(ends)) && ends[taken] <= s.handler.sent {
			taken++
		}
		if written != taken || written+unsent != uint64(accepted) {
			t.Errorf("written %d, want %d; with unsent %d makes %d, want %d accepted", written, taken, unsent, written+unsent, accepted)
		}
		s.checkEmpty()
	})
}

// TestSimFarewellWithoutRoom closes a sealed session when the server's output is used up, so that its close message finds no
// room and asks for the close that is going on.
func TestSimFarewellWithoutRoom(t *testing.T) {
	const maxPayload = 16 << 10
	server, client := sealedCodecs(t, maxPayload)
	s := newSim(t, simnet.Config{Window: 256}, Config{
		Codec: server, SendLimitBytes: 1 << 17, OutputLimitBytes: 1 << 17, // 64 slots
	})
	d, _ := newSimDialer(s, Config{Codec: client})
	id, result := d.connect()
	settleBoth(s, d)
	if err, done := result(); err != nil || !done {
		t.Fatal(err, done)
	}
	d.srv.workers[0].poll.Remove(int(d.srv.table.At(id.Slot()).fd)) // the client reads no more
	var full ID
	for full = range s.handler.joined {
	}
	for range 70 { // two packets fill a slot, four bytes short of it
		n := (outputSlotBytes-outputHeader)/2 - server.Overhead() - 2
		s.srv.SendPacket(full, s.srv.NewPacket().Bytes(make([]byte, n)))
		s.srv.SendPacket(full, s.srv.NewPacket().Bytes(make([]byte, n)))
		s.turn()
	}
	if s.handler.left[full] != SendQueueFull {
		t.Errorf("left: %v, want the session with send_queue_full", s.handler.left)
	}
	d.srv.Disconnect(id)
	settleBoth(s, d)
	s.checkEmpty()
}

// TestSimSlotMovesToAnotherWorker ends a session that is still on its worker's lists, and lets the slot go to a session of
// the other worker before the first has its next turn.
func TestSimSlotMovesToAnotherWorker(t *testing.T) {
	for name, end := range map[string]func(*sim, *Session){
		"on the ready list": func(s *sim, held *Session) { s.srv.workers[1].later(held) },
		"posted":            func(s *sim, held *Session) { s.srv.Disconnect(held.ID()) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newSim(t, simnet.Config{Window: 8}, Config{Workers: 2, MaxSessions: 2})
			first, second := s.dial(), s.dial() // worker 0's and worker 1's
			s.settle()
			var ended ID
			s.handler.onRecv = func(held *Session, _ *packet.Reader) {
				if held.worker.index == 1 {
					ended = held.ID()
					end(s, held)
					held.Close(Kicked)
				}
			}
			one := s.srv.workers[1]
			second.Write(lan([]byte{1}))
			one.turn()
			for _, listed := range append(append(one.ready, one.dirty...), one.spare...) {
				if listed.phase == phaseFree {
					t.Error("the worker lists a slot that is free")
				}
			}
			for range 3 { // whoever comes now may get the slot
				s.dial()
				s.srv.workers[0].turn()
			}
			next := s.srv.table.At(ended.Slot()).id
			s.srv.Disconnect(next) // posts the slot: it must not be on a list already
			first.Close()
			settled := make(chan bool)
			go func() { s.settle(); close(settled) }()
			select {
			case <-settled:
			case <-time.After(5 * time.Second):
				t.Fatal("a worker turns for ever")
			}
			s.wait(time.Second, 100*time.Millisecond)
		})
	}
}
