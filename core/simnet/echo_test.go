package simnet_test

import (
	"fmt"
	"hash/fnv"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"vitrine/core/poller"
	"vitrine/core/simnet"
)

// echo is a server that keeps to the rules of package poller and does no more
// than they ask: it stops reading at EAGAIN and at a short Read, and writing
// at EAGAIN and at a short Write, and waits for the next edge.
type echo struct {
	testing.TB
	net      *simnet.Net
	poller   poller.Poller
	listener int
	addr     netip.AddrPort
	sessions map[uint64]*echoSession // by Data
	opened   uint64
	limit    int    // of descriptors
	paused   bool   // the listener is not watched
	log      uint64 // hash of every result seen, in order
	buffer   [64]byte
}

type echoSession struct {
	fd      int
	pending []byte
	blocked bool
	ended   bool
}

func newEcho(t testing.TB, config simnet.Config, listen poller.ListenConfig) *echo {
	t.Helper()
	n := simnet.New(config)
	p, err := n.NewPoller()
	if err != nil {
		t.Fatal(err)
	}
	s := &echo{TB: t, net: n, poller: p, sessions: map[uint64]*echoSession{}, limit: config.Descriptors}
	if listen.Addr == "" {
		listen.Addr = "127.0.0.1:7000"
	}
	if s.listener, s.addr, err = n.Listen(listen); err != nil {
		t.Fatal(err)
	}
	if err := p.AddListener(s.listener, 0); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *echo) dial() *simnet.Conn {
	s.Helper()
	c, err := s.net.Dial(netip.AddrPort{}, s.addr)
	if err != nil {
		s.Fatal(err)
	}
	return c
}

func (s *echo) note(parts ...any) {
	h := fnv.New64a()
	fmt.Fprint(h, s.log, s.net.Now(), parts)
	s.log = h.Sum64()
}

// settle runs turns and time until nothing is left to happen.
func (s *echo) settle() {
	s.Helper()
	for range 100_000 {
		if s.net.Ready() {
			s.turn()
		} else if !s.net.Step() && !s.resume() {
			return
		}
	}
	s.Fatal("does not settle")
}

// resume looks at the listener again after EMFILE; false when that is of no
// use.
func (s *echo) resume() bool {
	if !s.paused || s.net.Stats().Open == s.limit {
		return false
	}
	s.paused = false
	if err := s.poller.AddListener(s.listener, 0); err != nil {
		s.Fatal(err)
	}
	return true
}

func (s *echo) turn() {
	s.Helper()
	events := make([]poller.Event, 4)
	n, err := s.poller.Wait(events, -1)
	if err != nil {
		s.Fatal(err)
	}
	for _, e := range events[:n] {
		s.note(e.Data, e.Ready)
		if e.Data == 0 {
			s.accept()
		} else if c := s.sessions[e.Data]; c != nil {
			s.serve(e, c)
		}
	}
}

func (s *echo) accept() {
	for range 16 {
		fd, peer, errno := s.poller.Accept(s.listener)
		s.note("accept", fd, peer, errno)
		switch errno {
		case 0:
			s.opened++
			s.sessions[s.opened] = &echoSession{fd: fd}
			if err := s.poller.Add(fd, s.opened); err != nil {
				s.Fatal(err)
			}
		case syscall.EINTR, syscall.ECONNABORTED:
		case syscall.EAGAIN:
			return
		case syscall.EMFILE: // The listener stays ready: it would be reported without end.
			s.paused = true
			s.poller.Remove(s.listener)
			return
		default:
			s.Fatal(errno)
		}
	}
}

func (s *echo) serve(e poller.Event, c *echoSession) {
	if e.Ready&poller.Writable != 0 {
		c.blocked = false
	}
	open := s.receive(c, e.Ready&poller.Hangup != 0) && s.flush(c)
	if !open || c.ended && len(c.pending) == 0 {
		s.poller.Close(c.fd)
		delete(s.sessions, e.Data)
	}
}

// receive reads until the rules let it stop; false when the connection broke.
func (s *echo) receive(c *echoSession, hangup bool) bool {
	for !c.ended {
		n, errno := s.poller.Read(c.fd, s.buffer[:])
		s.note("read", c.fd, n, errno)
		switch {
		case errno == syscall.EINTR:
			continue
		case errno == syscall.EAGAIN:
			return true
		case errno != 0:
			return false
		case n == 0:
			c.ended = true
		}
		c.pending = append(c.pending, s.buffer[:n]...)
		if n < len(s.buffer) && !hangup {
			return true
		}
	}
	return true
}

func (s *echo) flush(c *echoSession) bool {
	for len(c.pending) > 0 && !c.blocked {
		n, errno := s.poller.Write(c.fd, c.pending)
		s.note("write", c.fd, n, errno)
		switch {
		case errno == syscall.EINTR:
			continue
		case errno == syscall.EAGAIN:
			c.blocked = true
		case errno != 0:
			return false
		case n < len(c.pending):
			c.blocked = true
		}
		c.pending = c.pending[n:]
	}
	return true
}

// pattern is bytes whose order can be checked.
func pattern(size int) []byte {
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(i * 7 >> 2)
	}
	return b
}

// exchange sends size bytes from each client as fast as the window lets it
// and returns what came back. Every other round the clients do not read.
func (s *echo) exchange(clients []*simnet.Conn, size int) [][]byte {
	s.Helper()
	sent, got := make([]int, len(clients)), make([][]byte, len(clients))
	data := pattern(size)
	for round, last := 0, 0; round-last < 4; round++ {
		for i, c := range clients {
			c.SetReading(round%2 == 1)
			n := c.Write(data[sent[i]:])
			if sent[i] += n; sent[i] == size {
				c.CloseWrite()
			}
			if n > 0 {
				last = round
			}
		}
		s.settle()
		for i, c := range clients {
			got[i] = append(got[i], c.Read()...)
		}
	}
	return got
}

// run is one whole run over a bad network, reduced to the hash of its log.
func run(t testing.TB, config simnet.Config) (uint64, simnet.Stats) {
	s := newEcho(t, config, poller.ListenConfig{})
	clients := make([]*simnet.Conn, 8)
	for i := range clients {
		clients[i] = s.dial()
	}
	for i, got := range s.exchange(clients, 3000) {
		s.note(i, got, clients[i].Err())
	}
	return s.log, s.net.Stats()
}

var bad = simnet.Config{
	MaxDelay: 20 * time.Millisecond, Segment: 100, Window: 700, Descriptors: 6,
	ShortRead: 0.3, ShortWrite: 0.3, Interrupt: 0.2, Again: 0.2, NoDescriptor: 0.1, Abort: 0.1, Reset: 0.002,
}
