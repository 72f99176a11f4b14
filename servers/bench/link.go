//go:build linux

package main

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"vitrine/core/frame"
)

// link is one connection of a generator and owned by it.
//
//	received <= sent <= received + depth
type link struct {
	fd       int
	id       uint32
	sent     uint64 // the next message to send
	received uint64 // the next echo to come
	sample   uint64 // the message whose latency is taken
	sampled  time.Duration
	sampling bool
	partial  []byte       // an unfinished frame, kept between two reads
	unsent   []byte       // what the socket did not take, at most depth frames
	state    *frame.State // of a codec with a handshake
}

var errClosed = errors.New("server closed the connection")

// push sends the next count messages of a link with one write.
func (g *generator) push(l *link, count int, now time.Duration) error {
	if !l.sampling {
		l.sample, l.sampled, l.sampling = l.sent, now, true
	}
	out := g.out[:0]
	for range count {
		var err error
		if out, err = g.seal(l, out); err != nil {
			return fmt.Errorf("connection %d: seal: %w", l.id, err)
		}
		l.sent++
	}
	g.flying += count
	if len(l.unsent) > 0 {
		l.unsent = append(l.unsent, out...)
		return nil
	}
	return g.write(l, out)
}

// write sends b and keeps what the socket does not take until it is writable.
func (g *generator) write(l *link, b []byte) error {
	n, errno := transmit(l.fd, b)
	if errno == unix.EAGAIN || errno == unix.EINTR {
		n = 0
	} else if errno != 0 {
		return fmt.Errorf("connection %d: send: %w", l.id, errno)
	}
	l.unsent = append(l.unsent[:0], b[n:]...)
	return nil
}

// resume writes the rest once the socket is writable again.
func (g *generator) resume(l *link) error {
	if len(l.unsent) == 0 {
		return nil
	}
	return g.write(l, l.unsent)
}

// pull reads a link empty and returns how many echoes came, all of them right.
// A short read means empty: what comes later raises a new edge.
func (g *generator) pull(l *link) (int, error) {
	echoes := 0
	for {
		held := copy(g.in, l.partial)
		n, errno := receive(l.fd, g.in[held:])
		switch {
		case errno == unix.EINTR:
			continue
		case errno == unix.EAGAIN:
			return echoes, nil
		case errno != 0:
			return echoes, fmt.Errorf("connection %d: receive: %w", l.id, errno)
		case n == 0:
			return echoes, fmt.Errorf("connection %d: %w", l.id, errClosed)
		}
		count, err := g.check(l, g.in[:held+n])
		if echoes += count; err != nil || held+n < len(g.in) {
			return echoes, err
		}
	}
}

// check compares the echoes in b with what was sent and keeps a partial frame.
func (g *generator) check(l *link, b []byte) (int, error) {
	first := l.received
	for {
		payload, size, err := g.cut(l, b)
		if err != nil {
			return 0, fmt.Errorf("connection %d: %w", l.id, err)
		}
		if size == 0 {
			break
		}
		if err = g.match(l, payload); err != nil {
			return 0, err
		}
		b = b[size:]
	}
	l.partial = append(l.partial[:0], b...)
	return int(l.received - first), nil
}

// match compares a frame's payload with the message it must echo or, from a
// server that gathers, with each of the messages.
func (g *generator) match(l *link, payload []byte) error {
	for {
		echo := payload
		if g.shape.gathered {
			echo = payload[:min(len(payload), g.pattern.size)]
		}
		if l.received == l.sent {
			return fmt.Errorf("connection %d: an echo of nothing", l.id)
		}
		if !g.pattern.matches(echo, l.id, l.received) {
			return g.pattern.explain(echo, l.id, l.received)
		}
		l.received++
		if payload = payload[len(echo):]; len(payload) == 0 {
			return nil
		}
	}
}
