//go:build linux

package main

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"

	"vitrine/core/frame"
	"vitrine/core/packet"
)

// Limits of a generator.
const (
	eventsPerWait  = 1024
	receiveBytes   = 256 << 10
	waitLimit      = 100 * time.Millisecond
	silenceLimit   = 20 * time.Second
	connectBurst   = 128
	connectPause   = 2 * time.Millisecond
	maxConnections = 20000
)

// shape says what a generator sends.
type shape struct {
	conns, depth, size int    // connections, messages in flight on each, payload bytes
	codec              string // lan, classic or sealed
	gathered           bool   // the server's frames hold several answers each
}

// generator keeps depth messages in flight on every connection, on the calling
// goroutine alone: one epoll set, one read and one write per readiness, no
// allocation once it runs. It is owned by one goroutine.
type generator struct {
	shape   shape        // fixed
	pattern *pattern     // fixed
	codec   *frame.Codec // fixed; nil: LAN by hand
	start   time.Time
	epoll   int
	links   []link
	events  []unix.EpollEvent
	in, out []byte
	payload []byte     // scratch of a codec
	ext     packet.Ext // scratch of a codec
	flying  int        // messages sent and not echoed
	open    bool
	latency *latency
	echoed  uint64
}

// newGenerator prepares a generator without connections.
func newGenerator(s shape) (*generator, error) {
	if s.conns < 1 || s.conns > maxConnections || s.depth < 1 {
		return nil, fmt.Errorf("%d connections of depth %d, want 1 to %d of at least 1", s.conns, s.depth, maxConnections)
	}
	pattern, err := newPattern(s.size)
	if err != nil {
		return nil, err
	}
	codec, err := newCodec(s.codec)
	if err != nil {
		return nil, err
	}
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll_create1: %w", err)
	}
	g := &generator{
		shape: s, pattern: pattern, start: time.Now(), epoll: epoll,
		links:   make([]link, 0, s.conns),
		events:  make([]unix.EpollEvent, eventsPerWait),
		in:      make([]byte, receiveBytes+codec.MaxFrame()),
		out:     make([]byte, 0, s.depth*(s.size+codec.Overhead())),
		payload: make([]byte, s.size),
	}
	if s.codec != codecLAN {
		g.codec = &codec
	}
	return g, nil
}

// connect opens all connections, with a pause now and then so that the server
// keeps up with its backlog. It blocks until all are established.
func (g *generator) connect(to netip.AddrPort) error {
	for i := range g.shape.conns {
		fd, err := dial(to)
		if err != nil {
			return fmt.Errorf("connection %d: %w", i, err)
		}
		g.links = append(g.links, link{fd: fd, id: uint32(i)})
		if err = g.shake(&g.links[i]); err != nil {
			return fmt.Errorf("connection %d: %w", i, err)
		}
		if err = watch(g.epoll, fd, i); err != nil {
			return fmt.Errorf("connection %d: %w", i, err)
		}
		if i%connectBurst == connectBurst-1 {
			time.Sleep(connectPause)
		}
	}
	return nil
}

// close resets all connections.
func (g *generator) close() {
	for i := range g.links {
		unix.Close(g.links[i].fd)
	}
	unix.Close(g.epoll)
}

// slice is what one run did. All that was sent in it was echoed in it.
type slice struct {
	messages uint64
	elapsed  time.Duration
	latency  *latency
}

// run fills every connection, keeps the loop closed for d, and returns when the
// last echo has come. It blocks the calling goroutine.
func (g *generator) run(d time.Duration) (slice, error) {
	begin := time.Since(g.start)
	end, heard := begin+d, begin
	g.open, g.echoed, g.latency = true, 0, new(latency)
	for i := range g.links {
		if err := g.push(&g.links[i], g.shape.depth, time.Since(g.start)); err != nil {
			return slice{}, err
		}
	}
	for g.flying > 0 {
		n, err := await(g.epoll, g.events, waitLimit)
		if err != nil {
			return slice{}, err
		}
		now := time.Since(g.start)
		g.open = now < end
		if n > 0 {
			heard = now
		} else if now-heard > silenceLimit {
			return slice{}, fmt.Errorf("no echo for %v, %d under way", silenceLimit, g.flying)
		}
		if err = g.serve(g.events[:n]); err != nil {
			return slice{}, err
		}
	}
	return slice{g.echoed, time.Since(g.start) - begin, g.latency}, nil
}

// gone are the events of a connection that the server has ended.
const gone = unix.EPOLLRDHUP | unix.EPOLLHUP | unix.EPOLLERR

// serve handles one wait's events.
func (g *generator) serve(events []unix.EpollEvent) error {
	for i := range events {
		l := &g.links[events[i].Fd]
		if err := g.resume(l); err != nil {
			return err
		}
		echoes, err := g.pull(l)
		if err != nil {
			return err
		}
		if events[i].Events&gone != 0 {
			return fmt.Errorf("connection %d: %w", l.id, errClosed)
		}
		if echoes == 0 {
			continue
		}
		if err = g.answer(l, echoes); err != nil {
			return err
		}
	}
	return nil
}

// answer counts what came and sends as many anew while the loop is open.
func (g *generator) answer(l *link, echoes int) error {
	now := time.Since(g.start)
	if l.sampling && l.received > l.sample {
		g.latency.add(now - l.sampled)
		l.sampling = false
	}
	g.flying -= echoes
	g.echoed += uint64(echoes)
	if !g.open {
		return nil
	}
	return g.push(l, echoes, now)
}

// raiseFileLimit lets this process and those it starts open as many
// descriptors as the hard limit grants.
func raiseFileLimit() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return fmt.Errorf("read the descriptor limit: %w", err)
	}
	limit.Cur = limit.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil && !errors.Is(err, unix.EPERM) {
		return fmt.Errorf("raise the descriptor limit: %w", err)
	}
	return nil
}
