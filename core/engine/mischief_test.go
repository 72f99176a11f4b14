package engine

import (
	"flag"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"vitrine/core/frame"
	"vitrine/core/packet"
	"vitrine/core/simnet"
)

var mischiefSeeds = flag.Uint64("mischief-seeds", 15, "runs of TestSimMischiefBalances")

// mischief is a pair of servers, one of which connects to the other, whose handlers do at random in every callback what a
// handler may do and what it should not.
type mischief struct {
	random   *rand.Rand
	server   *sim
	dialer   *sim
	accepted []ID // in the order of their joins, so that a seed decides which is picked
	dialed   []ID
	raw      []*simnet.Conn
}

// TestSimMischiefBalances runs sessions of every codec over a bad network while handlers close, kick, flood and panic, the
// output runs out, and every other seed stops the server in the middle. Whatever happens, every join has one leave, every
// byte is accounted for and nothing is left.
func TestSimMischiefBalances(t *testing.T) {
	simnet.Seeds(t, *mischiefSeeds, func(t *testing.T, seed uint64) {
		m := newMischief(t, seed)
		if seed/3%2 == 1 {
			fillOutput(t, m.server, 25)
		}
		for step := range 4000 {
			if step == 2500 && seed%2 == 1 {
				m.server.emptyOutput()
				m.stop()
			}
			m.step()
		}
		m.server.emptyOutput()
		for _, c := range m.raw {
			c.SetReading(true)
			c.Close()
		}
		m.stop()
		for range 6000 {
			m.server.net.Advance(5 * time.Millisecond)
			m.server.turn()
			m.dialer.turn()
		}
		if len(m.server.ended) != len(m.server.srv.workers) {
			t.Errorf("workers ended: %d, want %d", len(m.server.ended), len(m.server.srv.workers))
		}
		m.dialer.srv.workers[0].stop(time.Second)
		m.dialer.wait(3*time.Second, 5*time.Millisecond)
		m.server.checkEmpty()
		m.dialer.checkEmpty()
		if len(m.accepted) < 20 {
			t.Errorf("joined %d sessions, want a busy run", len(m.accepted))
		}
	})
}

func newMischief(t *testing.T, seed uint64) *mischief {
	m := &mischief{random: rand.New(rand.NewPCG(seed, 11))}
	var at, from frame.Codec
	switch seed % 3 {
	case 1:
		at, from = peerCodec(t, "at"), peerCodec(t, "from")
	case 2:
		at, from = sealedCodecs(t, 30_000)
	}
	bad := simnet.Config{
		Seed: seed, MaxDelay: 3 * time.Millisecond, Segment: 400, Window: 4000, ShortRead: 0.1, ShortWrite: 0.1,
		Interrupt: 0.03, Again: 0.03, NoDescriptor: 0.02, Abort: 0.02, Reset: 0.001,
	}
	cfg := Config{
		Codec: at, Workers: 1 + int(seed%4), MaxSessions: 30, SendLimitBytes: 70_000, SendLimitPackets: 64,
		OutputLimitBytes: 140_000, RecvBudgetBytes: 700, QueueLimit: 64, SendPolicy: SendPolicy(seed / 2 % 2),
		IdleTimeout: 2 * time.Second, FrameTimeout: time.Second, PacketLimit: 128,
		Observer: Observer{
			SessionOpened: func(*Session) { m.perhapsPanic() },
			SessionClosed: func(*Session, Reason) { m.perhapsPanic() },
			BadFrame:      func(*Session, Reason, error) { m.perhapsPanic() },
			QueueFull:     func(*Session, bool) { m.perhapsPanic() },
			AcceptPaused:  func(error) { m.perhapsPanic() },
		},
	}
	m.server = newSim(t, bad, cfg)
	cfg.Codec = from
	m.dialer, _ = newSimDialer(m.server, cfg)
	m.corrupt(m.server, &m.accepted)
	m.corrupt(m.dialer, &m.dialed)
	return m
}

func (m *mischief) corrupt(s *sim, ids *[]ID) {
	h := s.handler
	h.onJoin = func(held *Session) {
		*ids = append(*ids, held.ID())
		m.act(held, *ids, 30)
	}
	h.onRecv = func(held *Session, in *packet.Reader) {
		if m.random.IntN(2) == 0 {
			held.Send(held.NewPacket().Bytes(in.Rest()))
		}
		m.act(held, *ids, 60)
	}
	h.onSend = func(held *Session) { m.act(held, *ids, 300) }
	h.onLeave = func(held *Session) { m.act(held, *ids, 15) }
}

func (m *mischief) perhapsPanic() {
	if m.random.IntN(20) == 0 {
		panic("observer")
	}
}

func (m *mischief) pick(ids []ID) ID {
	if len(ids) == 0 {
		return 0
	}
	return ids[len(ids)-1-m.random.IntN(min(len(ids), 25))]
}

// act does one of ten things, once in so many calls.
func (m *mischief) act(held *Session, ids []ID, rarely int) {
	srv := held.Server()
	switch m.random.IntN(rarely) {
	case 0:
		held.Close(HandlerError)
	case 1:
		srv.Disconnect(m.pick(ids))
	case 2:
		held.Broadcast([]ID{m.pick(ids), held.ID(), m.pick(ids)}, held.NewPacket().Bytes(make([]byte, m.random.IntN(3000))))
	case 3:
		panic("handler")
	case 4:
		held.Send(held.NewPacket())
	case 5:
		held.Send(held.NewPacket().Bytes(make([]byte, 29_000)).SetDroppable())
	case 6:
		srv.Post(m.pick(ids), func(other *Session) { m.act(other, ids, 12) })
	case 7:
		srv.SendPacket(m.pick(ids), srv.NewPacket().Bytes(make([]byte, m.random.IntN(500))))
	case 8:
		srv.Disconnect(held.ID())
		held.Close(Kicked)
	case 9:
		held.Send(held.NewPacket().Bytes(make([]byte, 70_000))) // longer than any packet
	}
}

// step does one thing from outside the workers, or gives them a turn.
func (m *mischief) step() {
	s, d := m.server, m.dialer
	switch action := m.random.IntN(24); {
	case action < 3:
		d.connect()
	case action < 4 && len(m.raw) < 10:
		m.raw = append(m.raw, m.dialRaw()...)
	case action < 6 && len(m.raw) > 0:
		m.pester(m.raw[m.random.IntN(len(m.raw))])
	case action < 7:
		s.srv.Disconnect(m.pick(m.accepted))
	case action < 8:
		d.srv.Disconnect(m.pick(m.dialed))
	case action < 12:
		d.srv.SendPacket(m.pick(m.dialed), d.srv.NewPacket().Bytes(make([]byte, m.random.IntN(1+m.random.IntN(4000)))))
	case action < 14:
		ids := []ID{m.pick(m.accepted), m.pick(m.accepted), m.pick(m.accepted)}
		s.srv.Broadcast(ids, s.srv.NewPacket().Bytes(make([]byte, 1+m.random.IntN(2000))))
	case action < 17:
		s.net.Advance(time.Duration(m.random.IntN(20)) * time.Millisecond)
	case action < 20:
		d.turn()
	default:
		m.oneTurn()
	}
}

// oneTurn gives one worker a turn: the order of workers is chance.
func (m *mischief) oneTurn() {
	workers := m.server.srv.workers
	w := workers[m.random.IntN(len(workers))]
	if !m.server.ended[w] && !w.turn() {
		m.server.ended[w] = true
		w.finish()
	}
}

// dialRaw connects without a codec: what it writes is frames to a LAN server and nonsense to the others.
func (m *mischief) dialRaw() []*simnet.Conn {
	if c, err := m.server.net.Dial(netip.AddrPort{}, m.server.addr); err == nil {
		return []*simnet.Conn{c}
	}
	return nil
}

func (m *mischief) pester(c *simnet.Conn) {
	switch m.random.IntN(6) {
	case 0:
		c.SetReading(m.random.IntN(2) == 0)
	case 1:
		c.Reset()
	case 2:
		c.CloseWrite()
	default:
		c.Write(lan(make([]byte, 1+m.random.IntN(2000))))
	}
}

func (m *mischief) stop() {
	for _, w := range m.server.srv.workers {
		w.stop(3 * time.Second)
	}
}
