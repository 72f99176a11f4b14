package engine

import (
	"net/netip"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"vitrine/core/flight"
	"vitrine/core/packet"
	"vitrine/core/simnet"
)

// seams is a handler with every callback. The one that is named panics once, of the victim's session where it has one.
type seams struct {
	*simHandler
	armed  string
	victim ID // 0 = any
}

func (h *seams) trip(seam string, id ID) {
	if h.armed == seam && (h.victim == 0 || h.victim == id) {
		h.armed = ""
		panic("tripped at " + seam)
	}
}

func (h *seams) OnConnectionRequest(netip.AddrPort) bool {
	h.trip("OnConnectionRequest", h.victim)
	return true
}

func (h *seams) OnClientJoin(s *Session) {
	h.simHandler.OnClientJoin(s)
	h.trip("OnClientJoin", s.ID())
}

func (h *seams) OnRecv(s *Session, in *packet.Reader) {
	h.trip("OnRecv", s.ID())
	h.simHandler.OnRecv(s, in)
}

func (h *seams) OnSend(s *Session, n int) {
	h.simHandler.OnSend(s, n)
	h.trip("OnSend", s.ID())
}

func (h *seams) OnClientLeave(s *Session, reason Reason) {
	h.simHandler.OnClientLeave(s, reason)
	h.trip("OnClientLeave", s.ID())
}

func (h *seams) OnWorkerThreadBegin(int) { h.trip("OnWorkerThreadBegin", h.victim) }
func (h *seams) OnWorkerThreadEnd(int)   { h.trip("OnWorkerThreadEnd", h.victim) }
func (h *seams) OnError(error)           { h.trip("OnError", h.victim) }

// tripped is a panic as the hook was told of it.
type tripped struct {
	Panic
	session ID
	stack   string
}

// Every seam tells where it was, while the stack stands, and costs the session alone that it was of.
func TestSimPanicsTellTheirSeam(t *testing.T) {
	hello := lan([]byte{0x34, 0x12, 'h', 'i'})
	for _, test := range []struct {
		seam    string
		session bool   // it is the victim's
		closes  Reason // what ends the victim's session, NotClosed = nothing
		happen  func(s *sim, h *seams, victim *simnet.Conn, other ID)
	}{
		{"OnConnectionRequest", false, NotClosed, func(s *sim, h *seams, _ *simnet.Conn, _ ID) { s.dial().Close() }},
		{"OnRecv", true, HandlerPanic, func(_ *sim, _ *seams, c *simnet.Conn, _ ID) { c.Write(hello) }},
		{"OnSend", true, HandlerPanic, func(_ *sim, _ *seams, c *simnet.Conn, _ ID) { c.Write(hello) }},
		{"OnClientLeave", true, PeerClosed, func(_ *sim, _ *seams, c *simnet.Conn, _ ID) { c.Close() }},
		{"OnWorkerThreadBegin", false, NotClosed, func(*sim, *seams, *simnet.Conn, ID) {}},
		{"OnWorkerThreadEnd", false, NotClosed, func(*sim, *seams, *simnet.Conn, ID) {}},
		{"OnError", false, NotClosed, func(s *sim, _ *seams, _ *simnet.Conn, _ ID) { s.srv.workers[0].fault(&Error{Op: "test"}) }},
		{"Post", true, HandlerPanic, func(s *sim, h *seams, _ *simnet.Conn, _ ID) {
			s.srv.Post(h.victim, func(held *Session) { h.trip("Post", held.ID()) })
		}},
	} {
		t.Run(test.seam, func(t *testing.T) {
			s, h, caught := newSeams(t, Config{})
			victim, other := s.dial(), s.dial()
			s.settle()
			ids := map[bool]ID{}
			for id := range h.joined {
				s.srv.Post(id, func(held *Session) { ids[held.Received() == 1] = id })
			}
			victim.Write(hello)
			s.settle()
			for id := range h.joined {
				ids[h.recv[id] == 1] = id
			}
			h.victim, h.armed = ids[true], test.seam
			test.happen(s, h, victim, ids[false])
			s.settle()
			checkTripped(t, *caught, test.seam, test.session, h.victim)
			if reason, left := h.left[h.victim]; reason != test.closes || left != (test.closes != NotClosed) {
				t.Errorf("the victim's session: left %v, %v, want %v", left, reason, test.closes)
			}
			if reason, left := h.left[ids[false]]; left {
				t.Errorf("the other session left: %v", reason)
			}
			other.Read()
			other.Write(hello)
			s.settle()
			if got := len(other.Read()); got != len(hello) {
				t.Errorf("the other got %d bytes, want its echo of %d", got, len(hello))
			}
			victim.Close()
			other.Close()
			s.settle()
			s.checkEmpty()
		})
	}
}

// newSeams returns a simulation whose handler has every callback, and what its panic hook is told.
func newSeams(t *testing.T, cfg Config) (*sim, *seams, *[]tripped) {
	var caught []tripped
	cfg.Observer.Panicked = func(p Panic) {
		one := tripped{Panic: p, stack: string(debug.Stack())}
		if p.Session != nil {
			one.session = p.Session.ID()
		}
		caught = append(caught, one)
	}
	s := newSim(t, simnet.Config{}, cfg)
	h := &seams{simHandler: s.handler}
	calls, err := findCallbacks(h)
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range s.srv.workers {
		w.calls = calls
	}
	return s, h, &caught
}

func checkTripped(t *testing.T, caught []tripped, seam string, ofSession bool, victim ID) {
	t.Helper()
	if len(caught) != 1 {
		t.Fatalf("panics told: %d, want 1", len(caught))
	}
	got := caught[0]
	if got.Callback != seam || got.Value != "tripped at "+seam || !strings.Contains(got.stack, "(*seams).trip") {
		t.Errorf("told %q of %v with the stack\n%s", got.Callback, got.Value, got.stack)
	}
	if want := map[bool]ID{true: victim}[ofSession]; got.session != want {
		t.Errorf("session %v, want %v", got.session, want)
	}
	inHand := seam == "OnRecv"
	if want := map[bool]uint16{true: 0x1234}[inHand]; got.Packet != want {
		t.Errorf("packet type %#x, want %#x", got.Packet, want)
	}
	if (got.Trace.Seq() != 0) != (inHand && flight.Enabled) {
		t.Errorf("record %d of the packet in hand, want one for OnRecv alone", got.Trace.Seq())
	}
}

// A join that panics ends that session alone, with its leave.
func TestSimPanicInJoinTellsTheJoin(t *testing.T) {
	s, h, caught := newSeams(t, Config{})
	h.armed = "OnClientJoin"
	c := s.dial()
	s.settle()
	var id ID
	for id = range h.joined {
	}
	checkTripped(t, *caught, "OnClientJoin", true, id)
	if h.left[id] != HandlerPanic {
		t.Errorf("left with %v, want handler_panic", h.left[id])
	}
	c.Close()
	s.settle()
	s.checkEmpty()
}

// What panics in a hook bears the hook's name, not that of the callback before it.
func TestSimPanicsInHooksTellTheHook(t *testing.T) {
	for hook, observer := range map[string]Observer{
		"SessionOpened":     {SessionOpened: func(*Session) { panic(1) }},
		"SessionClosed":     {SessionClosed: func(*Session, Reason) { panic(1) }},
		"ConnectionRefused": {ConnectionRefused: func(netip.AddrPort, Refusal) { panic(1) }},
		"QueueFull":         {QueueFull: func(*Session, bool) { panic(1) }},
	} {
		t.Run(hook, func(t *testing.T) {
			cfg := Config{Observer: observer, MaxSessions: 1, SendLimitPackets: 1}
			s, h, caught := newSeams(t, cfg)
			h.onRecv = func(held *Session, in *packet.Reader) {
				held.Send(held.NewPacket().U16(1))
				held.Send(held.NewPacket().U16(2))
			}
			first := s.dial()
			s.settle()
			for range 65 {
				s.dial().Close() // a table has more slots than sessions were asked for
			}
			s.settle()
			first.Write(lan([]byte("go")))
			s.settle()
			first.Close()
			s.settle()
			for _, p := range *caught {
				if p.Callback == hook {
					return
				}
				t.Errorf("told %q", p.Callback)
			}
			t.Errorf("%s did not panic, or was not told", hook)
		})
	}
}

// A failing wake-up is told on whatever goroutine wakes; a handler that panics there costs nobody anything.
func TestPanicInOnErrorElsewhereIsTold(t *testing.T) {
	s, h, caught := newSeams(t, Config{Workers: 2})
	h.armed = "OnError"
	s.srv.workers[1].faultElsewhere(&Error{Op: "wake worker"})
	checkTripped(t, *caught, "OnError", false, 0)
	if got := (*caught)[0].Worker; got != 1 {
		t.Errorf("worker %d, want 1", got)
	}
	if got := s.srv.Status().Total.Panics; got != 1 {
		t.Errorf("panics counted: %d, want 1", got)
	}
}

// pulse is a beat that checks its order.
type pulse struct {
	t      *testing.T
	busy   bool
	begun  int
	closed bool
}

func (p *pulse) Begin() {
	if p.busy || p.closed {
		p.t.Error("a turn begins in a turn, or after the end")
	}
	p.busy = true
	p.begun++
}

func (p *pulse) End() {
	if !p.busy {
		p.t.Error("a turn ends that did not begin")
	}
	p.busy = false
}

func (p *pulse) Close() { p.closed = true }

// A worker is busy in its callbacks and idle in its wait, whatever panics.
func TestSimBeatSpansEachTurn(t *testing.T) {
	s, h, _ := newSeams(t, Config{})
	p := &pulse{t: t}
	w := s.srv.workers[0]
	w.beat = p
	h.onRecv = func(*Session, *packet.Reader) {
		if !p.busy {
			t.Error("OnRecv ran outside a turn")
		}
	}
	h.armed = "OnRecv"
	first, second := s.dial(), s.dial()
	s.settle()
	first.Write(lan([]byte("panic")))
	second.Write(lan([]byte("hello")))
	s.settle()
	if p.busy || uint64(p.begun) != w.stats.Local.Turns {
		t.Errorf("busy %v after %d beats, want idle after %d turns", p.busy, p.begun, w.stats.Local.Turns)
	}
	first.Close()
	second.Close()
	s.settle()
	w.stop(time.Second)
	s.settle()
	if !p.closed {
		t.Error("the beat of a worker that has ended is open")
	}
}
