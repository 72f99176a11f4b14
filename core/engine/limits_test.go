package engine

import (
	"bytes"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"vitrine/core/packet"
	"vitrine/core/simnet"
)

// change sets the limits in force with one of them changed.
func (s *sim) change(with func(*Limits)) {
	s.t.Helper()
	l := s.srv.Limits()
	with(&l)
	if err := s.srv.SetLimits(l); err != nil {
		s.t.Fatal(err)
	}
}

// finish closes the clients; nothing may be left of them.
func (s *sim) finish(clients ...*simnet.Conn) {
	s.t.Helper()
	for _, c := range clients {
		c.SetReading(true)
		c.Close()
	}
	s.settle()
	s.wait(2*time.Second, 100*time.Millisecond)
	s.checkEmpty()
	if len(s.srv.perIP.count) != 0 {
		s.t.Errorf("addresses still counted: %v", s.srv.perIP.count)
	}
}

// Sessions that have been silent, half way through a frame or through a handshake for longer than a new timeout end at
// once, whatever timer they had; those that are within it stay.
func TestSimShorterTimeoutsEndWhoIsLate(t *testing.T) {
	none := Config{IdleTimeout: Unlimited, FrameTimeout: Unlimited, HandshakeTimeout: Unlimited}
	long := Config{IdleTimeout: time.Hour, FrameTimeout: time.Hour, HandshakeTimeout: time.Hour}
	for name, cfg := range map[string]Config{"from none": none, "from an hour": long} {
		for _, test := range []struct {
			reason Reason
			sealed bool
			send   []byte
			change func(*Limits)
		}{
			{IdleTimeout, false, nil, func(l *Limits) { l.IdleTimeout = time.Second }},
			{FrameTimeout, false, lan([]byte("half"))[:3], func(l *Limits) { l.FrameTimeout = time.Second }},
			{HandshakeTimeout, true, nil, func(l *Limits) { l.HandshakeTimeout = time.Second }},
		} {
			t.Run(test.reason.String()+" "+name, func(t *testing.T) {
				if test.sealed {
					cfg.Codec = sealedCodec(t, 0)
				}
				cfg.Workers = 2
				s := newSim(t, simnet.Config{}, cfg)
				early := []*simnet.Conn{s.dial(), s.dial()}
				s.settle()
				for _, c := range early {
					c.Write(test.send)
				}
				s.settle()
				s.wait(600*time.Millisecond, 100*time.Millisecond)
				late := s.dial()
				s.settle()
				late.Write(test.send)
				s.settle()
				s.wait(600*time.Millisecond, 100*time.Millisecond)
				s.change(test.change)
				s.wait(3*tickNanos, tickNanos)
				if got := s.srv.Status().Reasons[test.reason.String()]; got != 2 {
					t.Errorf("just after the change: %d ended with %v, want the two early ones", got, test.reason)
				}
				s.wait(400*time.Millisecond, tickNanos)
				if got := s.srv.Status().Reasons[test.reason.String()]; got != 3 {
					t.Errorf("a second after its last byte: %d ended with %v, want the late one too", got, test.reason)
				}
				s.finish(append(early, late)...)
			})
		}
	}
}

func TestSimLongerIdleTimeoutKeepsWhoWouldHaveLeft(t *testing.T) {
	for _, longer := range []time.Duration{time.Minute, Unlimited} {
		s := newSim(t, simnet.Config{}, Config{IdleTimeout: time.Second})
		c := s.dial()
		s.settle()
		s.wait(900*time.Millisecond, 10*time.Millisecond)
		s.change(func(l *Limits) { l.IdleTimeout = longer })
		s.wait(50*time.Second, 100*time.Millisecond)
		if len(s.handler.left) != 0 {
			t.Errorf("%v: session left: %v", longer, s.reasons())
		}
		s.finish(c)
	}
}

// A packet rate that begins, ends or changes gives every session a burst of its own, however much it sent before.
func TestSimPacketRateChanges(t *testing.T) {
	type rate struct{ packets, burst int }
	for _, test := range []struct {
		name     string
		from, to rate
		before   int // packets sent under from
		after    int // packets sent under to
		closes   bool
	}{
		{"begins", rate{}, rate{10, 20}, 500, 20, false},
		{"begins and is exceeded", rate{}, rate{10, 20}, 500, 21, true},
		{"ends", rate{10, 20}, rate{}, 20, 500, false},
		{"rises after a burst", rate{1, 1000}, rate{100, 100}, 1000, 100, false},
		{"falls after a burst", rate{1000, 1000}, rate{1, 10}, 1000, 10, false},
		{"falls and is exceeded", rate{1000, 1000}, rate{1, 10}, 0, 11, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSim(t, simnet.Config{Window: 1 << 20}, Config{PacketRate: test.from.packets, PacketBurst: test.from.burst})
			c := s.dial()
			s.settle()
			c.Write(bytes.Repeat(lan([]byte{1, 0}), test.before))
			s.settle()
			if len(s.handler.left) != 0 {
				t.Fatalf("closed before the change: %v", s.reasons())
			}
			s.change(func(l *Limits) { l.PacketRate, l.PacketBurst = test.to.packets, test.to.burst })
			c.Write(bytes.Repeat(lan([]byte{1, 0}), test.after))
			s.settle()
			if closed := s.reasons()[RateLimited] == 1; closed != test.closes {
				t.Errorf("closed with rate_limited: got %v, want %v", closed, test.closes)
			}
			s.finish(c)
		})
	}
}

// A change of another limit is no present of a burst.
func TestSimPacketRateGoesOnBesideOtherChanges(t *testing.T) {
	s := newSim(t, simnet.Config{Window: 1 << 20}, Config{PacketRate: 1, PacketBurst: 10})
	c := s.dial()
	s.settle()
	c.Write(bytes.Repeat(lan([]byte{1, 0}), 10))
	s.settle()
	s.change(func(l *Limits) { l.IdleTimeout = time.Minute })
	c.Write(lan([]byte{1, 0}))
	s.settle()
	if got := s.reasons()[RateLimited]; got != 1 {
		t.Errorf("reasons %v, want one rate_limited", s.reasons())
	}
	s.finish(c)
}

func TestSimSendLimitsChange(t *testing.T) {
	droppable := func(p *packet.Packet) *packet.Packet { return p.SetDroppable() }
	plain := func(p *packet.Packet) *packet.Packet { return p }
	for _, test := range []struct {
		name   string
		packet func(*packet.Packet) *packet.Packet
		change func(*Limits)
		want   error
	}{
		{"packets", plain, func(l *Limits) { l.SendLimitPackets = 4 }, ErrQueueFull},
		{"bytes", plain, func(l *Limits) { l.SendLimitBytes = 70_000 }, ErrQueueFull},
		{"policy", droppable, func(l *Limits) { l.SendLimitPackets, l.SendPolicy = 4, DropDroppable }, ErrDropped},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := newSim(t, simnet.Config{Window: 100}, Config{})
			var got error
			s.handler.onRecv = func(held *Session, _ *packet.Reader) {
				got = held.Send(test.packet(held.NewPacket().Bytes(make([]byte, 20_000))))
			}
			c := s.dial()
			c.SetReading(false)
			s.settle()
			for range 4 {
				c.Write(lan([]byte("go")))
				s.settle()
			}
			if got != nil {
				t.Fatalf("before the change: %v", got)
			}
			s.change(test.change)
			c.Write(lan([]byte("go")))
			s.settle()
			if got != test.want {
				t.Errorf("fifth Send: got %v, want %v", got, test.want)
			}
			s.finish(c)
		})
	}
}

// What other goroutines queue for a session goes by the new limit too.
func TestSimSendLimitOfForeignPacketsChanges(t *testing.T) {
	s := newSim(t, simnet.Config{}, Config{})
	c := s.dial()
	s.settle()
	id := slices.Collect(func(yield func(ID) bool) {
		for id := range s.handler.joined {
			yield(id)
		}
	})
	s.change(func(l *Limits) { l.SendLimitPackets = 2 })
	var errs []error
	for range 3 {
		errs = append(errs, s.srv.SendPacket(id[0], s.srv.NewPacket().U16(1)))
	}
	if n, err := s.srv.Broadcast(id, s.srv.NewPacket().U16(1)); n != 0 || err != ErrQueueFull {
		t.Errorf("broadcast: got %d, %v, want 0, %v", n, err, ErrQueueFull)
	}
	if !slices.Equal(errs, []error{nil, nil, ErrQueueFull}) {
		t.Errorf("got %v, want the third refused", errs)
	}
	s.settle()
	s.finish(c)
}

func TestSimReceiveBudgetChanges(t *testing.T) {
	s := newSim(t, simnet.Config{Window: 1 << 20}, Config{})
	c := s.dial()
	s.settle()
	counters := &s.srv.workers[0].stats.Local
	for _, budget := range []int{512, 2048, 256} {
		s.change(func(l *Limits) { l.RecvBudgetBytes = budget })
		c.Write(bytes.Repeat(lan(make([]byte, 30)), 1000))
		before := counters.RecvBytes
		s.turn()
		if got := counters.RecvBytes - before; got != uint64(budget) {
			t.Errorf("a turn read %d bytes, want %d", got, budget)
		}
	}
	s.settle()
	s.finish(c)
}

// Each case changes a limit while sessions from three addresses exist, and dials again.
func TestSimAdmissionChanges(t *testing.T) {
	from := func(host string) netip.AddrPort { return netip.AddrPortFrom(netip.MustParseAddr(host), 0) }
	present := []netip.AddrPort{from("10.1.1.1"), from("10.1.1.1"), from("127.0.0.1")}
	for _, test := range []struct {
		name    string
		cfg     Config
		change  func(*Limits)
		dial    string
		refused Refusal
		ok      bool
	}{
		{"address is no longer allowed", Config{}, func(l *Limits) { l.AllowFrom = []netip.Prefix{netip.MustParsePrefix("9.0.0.0/8")} }, "10.1.1.2", RefusedAddress, false},
		{"address is allowed now", Config{AllowFrom: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("127.0.0.0/8")}}, func(l *Limits) { l.AllowFrom = nil }, "9.1.1.1", 0, true},
		{"sessions that are there count", Config{}, func(l *Limits) { l.SessionsPerIP = 2 }, "10.1.1.1", RefusedRate, false},
		{"other addresses have their own", Config{}, func(l *Limits) { l.SessionsPerIP = 2 }, "10.1.1.2", 0, true},
		{"more sessions per address", Config{SessionsPerIP: 2}, func(l *Limits) { l.SessionsPerIP = 3 }, "10.1.1.1", 0, true},
		{"fewer than are there", Config{}, func(l *Limits) { l.SessionsPerIP = 1 }, "10.1.1.1", RefusedRate, false},
		{"no limit per address", Config{SessionsPerIP: 2}, func(l *Limits) { l.SessionsPerIP = Unlimited }, "10.1.1.1", 0, true},
		{"loopback counts", Config{SessionsPerIP: 1}, func(l *Limits) { l.LimitLoopback = true }, "127.0.0.1", RefusedRate, false},
		{"accept rate ends", Config{AcceptRate: 2}, func(l *Limits) { l.AcceptRate = 0 }, "10.1.1.2", 0, true},
		{"accept rate rises", Config{AcceptRate: 2}, func(l *Limits) { l.AcceptRate = 3 }, "10.1.1.2", 0, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			test.cfg.Addr = "0.0.0.0:6000"
			s := newSim(t, simnet.Config{}, test.cfg)
			var conns []*simnet.Conn
			dial := func(local netip.AddrPort) {
				c, err := s.net.Dial(local, netip.MustParseAddrPort("10.9.9.9:6000"))
				if err != nil {
					t.Fatal(err)
				}
				conns = append(conns, c)
				s.settle()
			}
			for _, local := range present {
				dial(local)
			}
			before := len(s.handler.joined)
			s.change(test.change)
			dial(from(test.dial))
			if ok := len(s.handler.joined) == before+1; ok != test.ok {
				t.Errorf("joined: got %v, want %v; refusals %v", ok, test.ok, s.srv.Status().Refusals)
			}
			if got := s.srv.Status().Refusals[test.refused.String()]; !test.ok && got == 0 {
				t.Errorf("refusals %v, want one %v", s.srv.Status().Refusals, test.refused)
			}
			if len(s.handler.left) != 0 {
				t.Errorf("the change ended sessions: %v", s.reasons())
			}
			s.finish(conns...)
		})
	}
}

func TestSimAcceptRateBegins(t *testing.T) {
	s := newSim(t, simnet.Config{}, Config{LimitLoopback: true})
	var conns []*simnet.Conn
	for range 5 {
		conns = append(conns, s.dial())
	}
	s.settle()
	s.change(func(l *Limits) { l.AcceptRate = 2 })
	for range 3 {
		conns = append(conns, s.dial())
	}
	s.settle()
	if got := s.srv.Status().Refusals[RefusedRate.String()]; got != 1 {
		t.Errorf("refusals %v, want one of the three", s.srv.Status().Refusals)
	}
	s.finish(conns...)
}

func TestSetLimitsNamesEveryBadFieldAndChangesNothing(t *testing.T) {
	s := newSim(t, simnet.Config{}, Config{PacketRate: 7})
	before := s.srv.limits.Load()
	err := s.srv.SetLimits(Limits{
		IdleTimeout: 5, FrameTimeout: -9, HandshakeTimeout: 1, SendLimitBytes: 1, SendLimitPackets: -1, SendPolicy: 9,
		RecvBudgetBytes: -1, PacketRate: 1, PacketBurst: -1, AcceptRate: -2, SessionsPerIP: -2,
	})
	if err == nil {
		t.Fatal("got no error")
	}
	for _, want := range []string{
		"idle timeout", "frame timeout", "handshake timeout", "send limit bytes", "send limit packets", "send policy",
		"receive budget", "packet burst", "accept rate", "sessions per ip",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error does not name %q: %v", want, err)
		}
	}
	if s.srv.limits.Load() != before {
		t.Error("limits changed")
	}
	if err := s.srv.SetLimits(Limits{SendLimitBytes: 1 << 29}); err == nil || !strings.Contains(err.Error(), "output limit bytes") {
		t.Errorf("a send limit above what all sessions may have: got %v", err)
	}
}

// The fields that Limits and Config share must be the same ones, copied both ways.
func TestLimitsAreThoseOfConfig(t *testing.T) {
	want := Limits{
		AllowFrom: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, IdleTimeout: 1, FrameTimeout: 2, HandshakeTimeout: 3,
		SendLimitBytes: 4, SendLimitPackets: 5, SendPolicy: DropDroppable, RecvBudgetBytes: 6, PacketRate: 7, PacketBurst: 8,
		AcceptRate: 9, SessionsPerIP: 10, LimitLoopback: true,
	}
	sameLimits(t, Config{}.with(want).Limits(), want)
	s := newSim(t, simnet.Config{}, Config{})
	s.change(func(l *Limits) { l.AllowFrom = want.AllowFrom })
	s.srv.Limits().AllowFrom[0] = netip.Prefix{} // the caller's own
	want.AllowFrom[0] = netip.MustParsePrefix("11.0.0.0/8")
	if got := s.srv.Limits().AllowFrom[0].String(); got != "10.0.0.0/8" {
		t.Errorf("the server's list changed with the caller's: %v", got)
	}
	defaults := Config{}
	defaults, _ = defaults.withDefaults()
	s.change(func(l *Limits) { *l = Limits{} })
	sameLimits(t, s.srv.Limits(), defaults.Limits())
}

// sameLimits compares field by field, none of which may be zero in want where it is to show that it was copied.
func sameLimits(t *testing.T, got, want Limits) {
	t.Helper()
	g, w := reflect.ValueOf(got), reflect.ValueOf(want)
	for i := range g.NumField() {
		if !reflect.DeepEqual(g.Field(i).Interface(), w.Field(i).Interface()) {
			t.Errorf("%s: got %v, want %v", g.Type().Field(i).Name, g.Field(i), w.Field(i))
		}
	}
}
