package engine

import (
	"net/netip"
	"syscall"
	"testing"

	"vitrine/core/packet"
	"vitrine/core/simnet"
)

func TestSimAcceptGoesOnUnderLoad(t *testing.T) {
	const busy, arriving = 600, 640
	s := newSim(t, simnet.Config{}, Config{})
	var clients []*simnet.Conn
	dial := func(n int) {
		for range n {
			c, err := s.net.Dial(netip.AddrPort{}, s.addr)
			if err != nil {
				t.Fatal(err)
			}
			clients = append(clients, c)
		}
	}
	dial(busy)
	s.settle()
	dial(arriving)
	turns := 0
	for ; len(s.handler.joined) < busy+arriving; turns++ {
		for _, c := range clients[:busy] {
			c.Write(lan([]byte("busy")))
		}
		s.turn()
		if turns > 100 {
			t.Fatalf("%d of %d have joined after %d turns", len(s.handler.joined)-busy, arriving, turns)
		}
	}
	// The listener is reported among the busy once in (busy+1)/eventsPerTurn turns; then every turn has its share.
	if most := arriving/defaultAcceptMax + busy/eventsPerTurn + 3; turns > most {
		t.Errorf("turns until all had joined: %d, want at most %d", turns, most)
	}
	for _, c := range clients {
		c.Close()
	}
	s.settle()
	s.checkEmpty()
}

func TestSimPeerThatDoesNotReadIsReset(t *testing.T) {
	s := newSim(t, simnet.Config{Window: 100}, Config{SendLimitPackets: 4})
	s.handler.onRecv = func(held *Session, in *packet.Reader) {
		for range 8 {
			held.Send(held.NewPacket().Bytes(make([]byte, 200)))
		}
	}
	c := s.dial()
	c.SetReading(false)
	s.settle()
	c.Write(lan([]byte("go")))
	s.settle()
	if got := s.reasons(); got[SendQueueFull] != 1 {
		t.Fatalf("reasons %v, want one send_queue_full", got)
	}
	c.SetReading(true)
	s.settle()
	c.Read()
	if err := c.Err(); err != syscall.ECONNRESET {
		t.Errorf("the peer sees %v, want %v", err, syscall.ECONNRESET)
	}
	c.Close()
	s.settle()
	s.checkEmpty()
}
