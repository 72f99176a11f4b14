package engine

import (
	"net/netip"
	"testing"
	"time"

	"vitrine/core/packet"
	"vitrine/core/simnet"
)

// Whatever panics, the worker goes on: every other session is served and the books balance.
func TestSimPanicAnywhereLeavesTheWorker(t *testing.T) {
	boom := func() { panic("boom") }
	for name, arrange := range map[string]func(*sim, *Config) func(){
		"ConnectionRefused": func(s *sim, cfg *Config) func() {
			cfg.SessionsPerIP, cfg.LimitLoopback = 2, true
			cfg.Observer.ConnectionRefused = func(netip.AddrPort, Refusal) { boom() }
			return func() { s.dial().Close() }
		},
		"AcceptPaused": func(s *sim, cfg *Config) func() {
			cfg.Observer.AcceptPaused = func(error) { boom() }
			return func() { s.dial().Close() }
		},
		"SessionClosed": func(s *sim, cfg *Config) func() {
			cfg.Observer.SessionClosed = func(*Session, Reason) { boom() }
			return func() {}
		},
		"QueueFull": func(s *sim, cfg *Config) func() {
			cfg.SendLimitPackets = 1
			cfg.Observer.QueueFull = func(*Session, bool) { boom() }
			return func() {
				for id := range s.handler.joined {
					s.srv.Post(id, func(held *Session) { held.Send(held.NewPacket().U16(1)) })
					s.srv.SendPacket(id, s.srv.NewPacket().U16(2))
					return
				}
			}
		},
		"OnError": func(s *sim, cfg *Config) func() {
			return func() {
				s.srv.workers[0].calls.fault = func(error) { boom() }
				s.dial().Close()
			}
		},
		"OnClientJoin": func(s *sim, cfg *Config) func() {
			return func() { s.handler.onJoin = func(*Session) { boom() }; s.dial().Close() }
		},
		"OnClientLeave": func(s *sim, cfg *Config) func() {
			s.handler.onLeave = func(*Session) { boom() }
			return func() {}
		},
		"OnRecv": func(s *sim, cfg *Config) func() {
			return func() {
				s.handler.onRecv = func(held *Session, in *packet.Reader) {
					s.handler.onRecv = nil
					boom()
				}
				c := s.dial()
				c.Write(lan([]byte("go")))
				s.settle()
				c.Close()
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := &sim{}
			var cfg Config
			caught := 0
			cfg.Observer.Panicked = func(Panic) { caught++ }
			*s = *newSim(t, simnet.Config{}, Config{})
			handler := s.handler
			happen := arrange(s, &cfg)
			var network simnet.Config
			if name == "AcceptPaused" || name == "OnError" {
				network.Descriptors = 3 // the listener and two connections
			}
			*s = *newSim(t, network, cfg)
			s.handler.onLeave = handler.onLeave
			first, second := s.dial(), s.dial()
			s.settle()
			happen()
			s.wait(time.Second, 10*time.Millisecond)
			s.handler.onJoin = nil
			first.Close()
			s.settle()
			second.Write(lan([]byte("still there?")))
			s.settle()
			if got := len(second.Read()); got != 14 && name != "QueueFull" {
				t.Errorf("the other got %d bytes, want its echo of 14", got)
			}
			second.Close()
			s.settle()
			if caught == 0 {
				t.Error("nothing panicked")
			}
			s.checkEmpty()
		})
	}
}
