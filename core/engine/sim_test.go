package engine

import (
	"bytes"
	"encoding/binary"
	"maps"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"vitrine/core/packet"
	"vitrine/core/pool"
	"vitrine/core/simnet"
)

// sim is a server on a simulated network: one thread, virtual time. Nothing happens but what a test makes happen.
type sim struct {
	t       testing.TB
	net     *simnet.Net
	srv     *Server
	handler *simHandler
	addr    netip.AddrPort
	ended   map[*worker]bool
	taken   []pool.Slot // output slots that the test holds
}

// simHandler echoes and keeps the books that every run is checked against.
type simHandler struct {
	t       testing.TB
	joined  map[ID]bool
	left    map[ID]Reason
	recv    map[ID]int
	onRecv  func(*Session, *packet.Reader)
	onJoin  func(*Session)
	onLeave func(*Session)
	onSend  func(*Session)
	sent    int
}

func (h *simHandler) OnClientJoin(s *Session) {
	if h.joined[s.ID()] {
		h.t.Errorf("session %v joined twice", s.ID())
	}
	h.joined[s.ID()] = true
	if h.onJoin != nil {
		h.onJoin(s)
	}
}

func (h *simHandler) OnRecv(s *Session, in *packet.Reader) {
	if _, gone := h.left[s.ID()]; gone || !h.joined[s.ID()] {
		h.t.Errorf("session %v: OnRecv outside join and leave", s.ID())
	}
	h.recv[s.ID()]++
	if h.onRecv != nil {
		h.onRecv(s, in)
		return
	}
	s.Send(s.NewPacket().Bytes(in.Rest()))
}

func (h *simHandler) OnClientLeave(s *Session, reason Reason) {
	if _, twice := h.left[s.ID()]; twice || !h.joined[s.ID()] {
		h.t.Errorf("session %v: OnClientLeave twice or without join", s.ID())
	}
	h.left[s.ID()] = reason
	if h.onLeave != nil {
		h.onLeave(s)
	}
}

func (h *simHandler) OnSend(s *Session, n int) {
	h.sent += n
	if h.onSend != nil {
		h.onSend(s)
	}
}

func newSim(t testing.TB, network simnet.Config, cfg Config) *sim {
	t.Helper()
	s := &sim{t: t, net: simnet.New(network), ended: map[*worker]bool{}}
	s.handler = &simHandler{t: t, joined: map[ID]bool{}, left: map[ID]Reason{}, recv: map[ID]int{}}
	cfg.Network = s.net
	if cfg.Addr == "" {
		cfg.Addr = "127.0.0.1:6000"
	}
	if cfg.Workers == 0 {
		cfg.Workers = 1
	}
	srv, err := New(cfg, s.handler)
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.prepare(); err != nil {
		t.Fatal(err)
	}
	srv.tellSecrets()
	srv.state = stateRunning
	s.srv = srv
	s.addr = netip.MustParseAddrPort(srv.Addr())
	return s
}

// turn gives every worker one turn.
func (s *sim) turn() {
	for _, w := range s.srv.workers {
		if !s.ended[w] && !w.turn() {
			s.ended[w] = true
			w.finish()
		}
	}
}

// settle turns and moves time until the network and the workers have nothing left to do now.
func (s *sim) settle() {
	for range 100_000 {
		s.turn()
		if next, any := s.net.Next(); any && next < time.Second {
			s.net.Step()
			continue
		}
		if !s.busy() {
			return
		}
	}
	s.t.Fatal("the simulation does not settle")
}

func (s *sim) busy() bool {
	for _, w := range s.srv.workers {
		if !s.ended[w] && (len(w.ready) > 0 || w.commands.Len() > 0 || !w.posted.Empty()) {
			return true
		}
	}
	return s.net.Ready()
}

// wait lets virtual time pass with a turn each step.
func (s *sim) wait(d, step time.Duration) {
	for end := s.net.Now() + int64(d); s.net.Now() < end; {
		s.net.Advance(step)
		s.turn()
	}
}

func (s *sim) dial() *simnet.Conn {
	s.t.Helper()
	c, err := s.net.Dial(netip.AddrPort{}, s.addr)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// checkEmpty fails unless nothing is left of any session: the books of the life cycle balance.
func (s *sim) checkEmpty() {
	s.t.Helper()
	st := s.srv.Status()
	if st.Sessions != 0 || st.Packets.InUse != 0 || st.Output.InUse != 0 || st.Partial.InUse != 0 {
		s.t.Errorf("left over: sessions %d, packets %d, output slots %d, partial slots %d, want 0",
			st.Sessions, st.Packets.InUse, st.Output.InUse, st.Partial.InUse)
	}
	if len(s.handler.joined) != len(s.handler.left) || st.Total.Joins != st.Total.Leaves {
		s.t.Errorf("joins %d (%d), leaves %d (%d), want equal", len(s.handler.joined), st.Total.Joins, len(s.handler.left), st.Total.Leaves)
	}
	var reasons uint64
	for _, n := range st.Reasons {
		reasons += n
	}
	if reasons != st.Total.Closed {
		s.t.Errorf("sum of reasons %d, sessions closed %d, want equal", reasons, st.Total.Closed)
	}
	for i, w := range st.Workers {
		var ended uint64
		for _, n := range w.Reasons {
			ended += n
		}
		if ended != w.Counters.Closed {
			s.t.Errorf("worker %d: sum of reasons %d, sessions closed %d, want equal", i, ended, w.Counters.Closed)
		}
	}
	if got := s.srv.table.Outstanding(); got > 0 {
		s.t.Errorf("acquires - releases = %d, want 0", got)
	}
	if bad := s.net.Stats().BadDescriptors; bad != 0 {
		s.t.Errorf("calls on descriptors that were not open: %d", bad)
	}
	if got := s.handler.sent; uint64(got) != st.Total.SentBytes {
		s.t.Errorf("sum of OnSend %d, sent bytes %d, want equal", got, st.Total.SentBytes)
	}
	if st.Total.QueuedBytes != st.Total.SentBytes+st.Total.UnsentBytes {
		s.t.Errorf("queued bytes %d, want sent %d + unsent %d", st.Total.QueuedBytes, st.Total.SentBytes, st.Total.UnsentBytes)
	}
}

func (s *sim) reasons() map[Reason]int {
	count := map[Reason]int{}
	for _, reason := range s.handler.left {
		count[reason]++
	}
	return count
}

func lan(payload []byte) []byte {
	return append(binary.LittleEndian.AppendUint16(nil, uint16(len(payload))), payload...)
}

func TestSimEchoSurvivesEveryCut(t *testing.T) {
	payload := []byte("a payload of some thirty-odd bytes")
	stream := bytes.Repeat(lan(payload), 3)
	for cut := range len(stream) {
		s := newSim(t, simnet.Config{}, Config{})
		c := s.dial()
		s.settle()
		c.Write(stream[:cut])
		s.settle()
		c.Write(stream[cut:])
		s.settle()
		if got := c.Read(); !bytes.Equal(got, stream) {
			t.Fatalf("cut at %d: got %d bytes %q, want %d", cut, len(got), got, len(stream))
		}
		c.Close()
		s.settle()
		s.checkEmpty()
	}
}

// TestSimLifeCycleBalances runs random clients over a bad network. Whatever happens, every join has one leave and nothing
// is left.
func TestSimLifeCycleBalances(t *testing.T) {
	simnet.Seeds(t, 20, func(t *testing.T, seed uint64) {
		bad := simnet.Config{
			Seed: seed, MaxDelay: 3 * time.Millisecond, Segment: 200, Window: 2000, ShortRead: 0.2, ShortWrite: 0.2,
			Interrupt: 0.05, Again: 0.05, NoDescriptor: 0.02, Abort: 0.02, Reset: 0.002,
		}
		s := newSim(t, bad, Config{Workers: 1 + int(seed%3), MaxSessions: 40, SendLimitBytes: 70_000, RecvBudgetBytes: 300})
		random := rand.New(rand.NewPCG(seed, 7))
		clients := runClients(s, random, 1500)
		for _, c := range clients {
			c.SetReading(true)
			c.Close()
		}
		s.settle()
		s.wait(90*time.Second, time.Second) // connections that are still to be accepted, and idle ones
		s.settle()
		s.checkEmpty()
		if len(s.handler.joined) < 100 {
			t.Errorf("joined %d sessions, want a busy run", len(s.handler.joined))
		}
	})
}

// runClients does a number of random things and returns the clients that are still there.
func runClients(s *sim, random *rand.Rand, steps int) []*simnet.Conn {
	var clients []*simnet.Conn
	drop := func(i int) { clients = append(clients[:i], clients[i+1:]...) }
	for range steps {
		i := 0
		if len(clients) > 0 {
			i = random.IntN(len(clients))
		}
		switch action := random.IntN(20); {
		case len(clients) == 0 || action < 4:
			clients = append(clients, s.dial())
		case action < 12:
			payload := make([]byte, 1+random.IntN(1+random.IntN(3000)))
			clients[i].Write(lan(payload))
		case action < 13:
			clients[i].Close()
			drop(i)
		case action < 14:
			clients[i].Reset()
			drop(i)
		case action < 15:
			clients[i].SetReading(random.IntN(2) == 0)
		case action < 16:
			meddle(s, random)
		case action < 18:
			s.net.Advance(time.Duration(random.IntN(20)) * time.Millisecond)
		default:
			s.turn()
		}
	}
	return clients
}

// meddle does from outside what another goroutine could do to a random session.
func meddle(s *sim, random *rand.Rand) {
	for id := range s.handler.joined {
		switch random.IntN(4) {
		case 0:
			s.srv.Disconnect(id)
		case 1:
			s.srv.SendPacket(id, s.srv.NewPacket().Bytes(make([]byte, 100)))
		case 2:
			s.srv.Post(id, func(held *Session) {
				if held.ID() != id {
					s.t.Errorf("posted to %v, ran with %v", id, held.ID())
				}
			})
		case 3:
			s.srv.Broadcast([]ID{id, id + 1, 0}, s.srv.NewPacket().U64(7))
		}
		return
	}
}

func TestSimTimeouts(t *testing.T) {
	cfg := Config{IdleTimeout: 3 * time.Second, FrameTimeout: time.Second, HandshakeTimeout: 2 * time.Second}
	for _, test := range []struct {
		name   string
		send   []byte
		reason Reason
		after  time.Duration
	}{
		{"silence", nil, IdleTimeout, 3 * time.Second},
		{"half a frame", lan([]byte("half"))[:3], FrameTimeout, time.Second},
		{"half a header", []byte{9}, FrameTimeout, time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSim(t, simnet.Config{}, cfg)
			c := s.dial()
			s.settle()
			if test.send != nil {
				c.Write(test.send)
				s.settle()
			}
			s.wait(test.after-20*time.Millisecond, 10*time.Millisecond)
			if len(s.handler.left) != 0 {
				t.Fatalf("closed early: %v", s.reasons())
			}
			s.wait(80*time.Millisecond, 10*time.Millisecond)
			if got := s.reasons(); got[test.reason] != 1 {
				t.Fatalf("reasons %v, want one %v", got, test.reason)
			}
			c.Close()
			s.settle()
			s.checkEmpty()
		})
	}
}

func TestSimPanicClosesOnlyItsSession(t *testing.T) {
	var caught []Panic
	s := newSim(t, simnet.Config{}, Config{Observer: Observer{Panicked: func(p Panic) { caught = append(caught, p) }}})
	s.handler.onRecv = func(held *Session, in *packet.Reader) {
		if in.U16() == 666 {
			panic("beast")
		}
		held.Send(held.NewPacket().U16(1))
	}
	good, bad := s.dial(), s.dial()
	s.settle()
	bad.Write(lan([]byte{0x9a, 0x02}))
	good.Write(lan([]byte{1, 0}))
	s.settle()
	if got := s.reasons(); got[HandlerPanic] != 1 || len(got) != 1 {
		t.Errorf("reasons %v, want one handler_panic", got)
	}
	if len(caught) != 1 || caught[0].Callback != "OnRecv" || caught[0].Packet != 666 || caught[0].Value != "beast" {
		t.Errorf("caught %+v, want one beast in OnRecv of packet 666", caught)
	}
	if got := good.Read(); len(got) != 4 {
		t.Errorf("neighbour got %d bytes, want 4", len(got))
	}
	good.Close()
	bad.Close()
	s.settle()
	s.checkEmpty()
}

func TestSimStopDeliversWhatWasQueued(t *testing.T) {
	s := newSim(t, simnet.Config{Window: 1000, MaxDelay: time.Millisecond}, Config{Workers: 2})
	var clients []*simnet.Conn
	for range 10 {
		clients = append(clients, s.dial())
	}
	s.settle()
	payload := bytes.Repeat([]byte("x"), 30_000)
	for id := range s.handler.joined {
		if err := s.srv.SendPacket(id, s.srv.NewPacket().Bytes(payload)); err != nil {
			t.Fatal(err)
		}
	}
	for _, w := range s.srv.workers {
		w.stop(5 * time.Second)
	}
	got := make([]int, len(clients))
	for range 2000 {
		s.turn()
		s.net.Advance(time.Millisecond)
		for i, c := range clients {
			c.Write([]byte("noise")) // unread input must not cost the peer what was queued
			got[i] += len(c.Read())
			if c.Closed() {
				c.Close()
			}
		}
	}
	for i, n := range got {
		if n != len(payload)+2 {
			t.Errorf("client %d got %d bytes, want %d", i, n, len(payload)+2)
		}
	}
	if len(s.ended) != 2 {
		t.Errorf("workers ended: %d, want 2", len(s.ended))
	}
	if got := s.reasons(); got[ServerStopping] != len(clients) {
		t.Errorf("reasons %v, want %d server_stopping", got, len(clients))
	}
	s.checkEmpty()
}

// TestSimReceiveBudgetIsExact floods one session and looks at how long its neighbours wait: they are served in the turn
// their packet arrived in, and the flood gets no more than its budget a turn.
func TestSimReceiveBudgetIsExact(t *testing.T) {
	const budget = 1024
	s := newSim(t, simnet.Config{Window: 1 << 20}, Config{RecvBudgetBytes: budget})
	flood := s.dial()
	s.settle()
	neighbours := make([]*simnet.Conn, 20)
	for i := range neighbours {
		neighbours[i] = s.dial()
	}
	s.settle()
	frame := lan(make([]byte, 30))
	flood.Write(bytes.Repeat(frame, 4000))
	for turn := range 50 {
		for _, c := range neighbours {
			c.Write(frame)
		}
		before := s.srv.workers[0].stats.Local.RecvBytes
		s.turn()
		own := s.srv.workers[0].stats.Local.RecvBytes - before - uint64(len(neighbours)*len(frame))
		if own > budget {
			t.Fatalf("turn %d: the flood had %d bytes read, want at most %d", turn, own, budget)
		}
		for i, c := range neighbours {
			if got := len(c.Read()); got != len(frame) {
				t.Fatalf("turn %d: neighbour %d got %d bytes, want %d", turn, i, got, len(frame))
			}
		}
	}
}

func TestConfigReportsEveryBadField(t *testing.T) {
	_, err := New(Config{Addr: "127.0.0.1:0", Workers: -1, MaxSessions: -5, QueueLimit: 3, IdleTimeout: 5, PacketRate: 9, PacketBurst: -1}, nil)
	if err == nil {
		t.Fatal("got no error")
	}
	for _, want := range []string{"workers", "max sessions", "queue limit", "idle timeout", "packet burst", "handler is nil"} {
		if !bytes.Contains([]byte(err.Error()), []byte(want)) {
			t.Errorf("error does not name %q: %v", want, err)
		}
	}
}

type misspelt struct{ simHandler }

func (*misspelt) OnError(string) {}

func TestNewRefusesOptionalCallbackWithAnotherSignature(t *testing.T) {
	_, err := New(Config{Addr: "127.0.0.1:0"}, new(misspelt))
	if err == nil || !bytes.Contains([]byte(err.Error()), []byte("OnError")) {
		t.Errorf("got %v, want an error that names OnError", err)
	}
}

func TestSimSendLimitDropsOrCloses(t *testing.T) {
	for _, test := range []struct {
		name      string
		policy    SendPolicy
		droppable bool
		want      error
		closes    bool
	}{
		{"close policy, plain packet", CloseWhenFull, false, ErrQueueFull, true},
		{"close policy, droppable packet", CloseWhenFull, true, ErrQueueFull, true},
		{"drop policy, plain packet", DropDroppable, false, ErrQueueFull, true},
		{"drop policy, droppable packet", DropDroppable, true, ErrDropped, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSim(t, simnet.Config{Window: 100}, Config{SendPolicy: test.policy, SendLimitPackets: 4})
			var got error
			s.handler.onRecv = func(held *Session, in *packet.Reader) {
				for range 5 {
					p := held.NewPacket().Bytes(make([]byte, 200))
					if test.droppable {
						p.SetDroppable()
					}
					got = held.Send(p)
				}
			}
			c := s.dial()
			c.SetReading(false)
			s.settle()
			c.Write(lan([]byte("go")))
			s.settle()
			if got != test.want {
				t.Errorf("fifth Send: got %v, want %v", got, test.want)
			}
			if closed := s.reasons()[SendQueueFull] == 1; closed != test.closes {
				t.Errorf("closed with send_queue_full: got %v, want %v (%v)", closed, test.closes, s.reasons())
			}
			dropped := s.srv.Status().Total.DroppedPackets
			if (dropped == 1) == test.closes {
				t.Errorf("dropped packets: got %d", dropped)
			}
			c.Close()
			s.settle()
			s.wait(2*time.Second, 100*time.Millisecond)
			s.checkEmpty()
		})
	}
}

func TestSimPacketRateLimit(t *testing.T) {
	s := newSim(t, simnet.Config{Window: 1 << 20}, Config{PacketRate: 100, PacketBurst: 10})
	polite, flood := s.dial(), s.dial()
	s.settle()
	flood.Write(bytes.Repeat(lan([]byte{1, 0}), 11))
	for range 300 {
		polite.Write(lan([]byte{1, 0}))
		s.wait(10*time.Millisecond, 10*time.Millisecond)
	}
	s.settle()
	if got := s.reasons(); got[RateLimited] != 1 || len(got) != 1 {
		t.Errorf("reasons %v, want one rate_limited: the flood's", got)
	}
	if got := len(polite.Read()); got != 300*4 {
		t.Errorf("the polite one got %d bytes, want %d", got, 300*4)
	}
	polite.Close()
	flood.Close()
	s.settle()
	s.checkEmpty()
}

func TestSimAdmission(t *testing.T) {
	prefix := netip.MustParsePrefix("10.0.0.0/8")
	from := func(host string, port uint16) netip.AddrPort {
		return netip.AddrPortFrom(netip.MustParseAddr(host), port)
	}
	for _, test := range []struct {
		name    string
		cfg     Config
		dials   []netip.AddrPort
		joined  int
		refused map[string]uint64
	}{
		{"address", Config{AllowFrom: []netip.Prefix{prefix}}, []netip.AddrPort{from("10.1.1.1", 1000), from("9.1.1.1", 1000)}, 1, map[string]uint64{"refused_address": 1}},
		{"full", Config{MaxSessions: 1}, []netip.AddrPort{from("10.1.1.1", 1000), from("10.1.1.2", 1000)}, 1, map[string]uint64{"refused_full": 1}},
		{"sessions per address", Config{SessionsPerIP: 2}, []netip.AddrPort{from("10.1.1.1", 1), from("10.1.1.1", 2), from("10.1.1.1", 3), from("10.1.1.2", 4)}, 3, map[string]uint64{"refused_rate": 1}},
		{"loopback is exempt", Config{SessionsPerIP: 1}, []netip.AddrPort{from("127.0.0.1", 1001), from("127.0.0.1", 1002)}, 2, map[string]uint64{}},
		{"loopback is not exempt", Config{SessionsPerIP: 1, LimitLoopback: true}, []netip.AddrPort{from("127.0.0.1", 1001), from("127.0.0.1", 1002)}, 1, map[string]uint64{"refused_rate": 1}},
		{"accept rate", Config{AcceptRate: 2}, []netip.AddrPort{from("10.1.1.1", 1), from("10.1.1.2", 1), from("10.1.1.3", 1)}, 2, map[string]uint64{"refused_rate": 1}},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.cfg.Addr = "0.0.0.0:6000"
			s := newSim(t, simnet.Config{}, test.cfg)
			var conns []*simnet.Conn
			for _, local := range test.dials {
				c, err := s.net.Dial(local, from("10.9.9.9", 6000))
				if err != nil {
					t.Fatal(err)
				}
				conns = append(conns, c)
			}
			s.settle()
			if len(s.handler.joined) != test.joined {
				t.Errorf("joined %d, want %d", len(s.handler.joined), test.joined)
			}
			if got := s.srv.Status().Refusals; !maps.Equal(got, test.refused) {
				t.Errorf("refusals %v, want %v", got, test.refused)
			}
			for _, c := range conns {
				c.Close()
			}
			s.settle()
			s.checkEmpty()
			if len(s.srv.perIP.count) != 0 {
				t.Errorf("addresses still counted: %v", s.srv.perIP.count)
			}
		})
	}
}

func TestSimAcceptSurvivesWantOfDescriptors(t *testing.T) {
	paused := 0
	observer := Observer{AcceptPaused: func(error) { paused++ }}
	s := newSim(t, simnet.Config{Descriptors: 4}, Config{Observer: observer}) // the listener and three connections
	var conns []*simnet.Conn
	for range 3 {
		conns = append(conns, s.dial())
	}
	s.settle()
	late := s.dial()
	s.settle()
	if paused == 0 || s.srv.Status().Total.AcceptPauses == 0 {
		t.Fatal("accepting did not pause: the simulation has descriptors left")
	}
	conns[0].Close()
	s.settle()
	s.wait(time.Second, 10*time.Millisecond)
	late.Write(lan([]byte("hi")))
	s.settle()
	if got := len(late.Read()); got != 4 {
		t.Errorf("the late one got %d bytes, want 4", got)
	}
	if waits := s.srv.Status().Total.Turns; waits > 1000 {
		t.Errorf("turns: %d: the worker was busy with failing", waits)
	}
}
