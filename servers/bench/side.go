//go:build linux

package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"
)

// side is one living server and the generator connected to it. It is owned by
// the goroutine that started it.
type side struct {
	target    target
	process   *process
	generator *generator
	start     int64 // resident bytes before connecting
	idle      int64 // resident bytes with all connected, nothing sent
}

// startSide starts a server on a core and connects to it.
func startSide(ctx context.Context, t target, s shape, core int) (*side, error) {
	t, s = gatherDepth(t, s)
	p, err := startServer(ctx, t, core)
	if err != nil {
		return nil, err
	}
	both := &side{target: t, process: p}
	if err = both.connect(s); err != nil {
		both.stop()
		return nil, fmt.Errorf("%s: %w", t.name, err)
	}
	return both, nil
}

// gatherDepth tells both ends of the echo gathered by hand how many messages
// make a batch: all that a connection has in flight.
func gatherDepth(t target, s shape) (target, shape) {
	if t.name == gatherKind {
		t.command = append(slices.Clone(t.command), "--gather", strconv.Itoa(s.depth))
		s.gathered = true
	}
	return t, s
}

func (b *side) connect(s shape) (err error) {
	if b.start, err = residentBytes(b.process.pid()); err != nil {
		return err
	}
	if b.generator, err = newGenerator(s); err != nil {
		return err
	}
	if err = b.generator.connect(b.process.addr); err != nil {
		return err
	}
	settle(b.process.pid(), s.conns)
	b.idle, err = residentBytes(b.process.pid())
	return err
}

// stop resets the connections and ends the server.
func (b *side) stop() {
	if b.generator != nil {
		b.generator.close()
	}
	b.process.stop()
}

func stopSides(sides []*side) {
	for _, b := range sides {
		b.stop()
	}
}

// drive runs one slice after a lead that does not count.
func (b *side) drive(lead, d time.Duration) (loadResult, error) {
	r, err := b.slice(lead, d)
	if err != nil {
		return r, fmt.Errorf("%s: %w", b.target.name, err)
	}
	return r, nil
}

func (b *side) slice(lead, d time.Duration) (loadResult, error) {
	if _, err := b.generator.run(lead); err != nil {
		return loadResult{}, err
	}
	m, err := meterSlice(b.generator, b.process.pid(), d)
	if err != nil {
		return loadResult{}, err
	}
	r := m.result(b.generator.shape)
	end, err := residentBytes(b.process.pid())
	r.resident(b.start, b.idle, end)
	return r, err
}
