//go:build linux

package main

import (
	"context"
	"fmt"
	"maps"
	"net"
	"slices"
	"strings"
	"sync/atomic"
)

// serveCommand runs one echo server until it is interrupted.
type serveCommand struct {
	Kind        string `arg:"" help:"Which engine: ${kinds}."`
	Addr        string `default:"127.0.0.1:0" help:"Where to listen; port 0 takes any."`
	MaxSessions int    `default:"20000" help:"Connections at once; more are closed."`
	Codec       string `default:"lan" enum:"lan,classic,sealed" help:"Frame format: lan, classic, sealed; the peers speak lan."`
	Workers     int    `default:"1" help:"Event loops of our engine."`
	Gather      int    `default:"16" help:"Messages answered at once by vitrine-gather."`
}

// Run serves and returns when ctx ends or the listener fails.
func (c *serveCommand) Run(ctx context.Context) error {
	serve, ok := kinds()[c.Kind]
	if !ok {
		return fmt.Errorf("serve: no kind %q, there are: %s", c.Kind, strings.Join(kindNames(), ", "))
	}
	if c.Codec != codecLAN && !strings.HasPrefix(c.Kind, subjectKind) {
		return fmt.Errorf("serve: %s speaks lan only", c.Kind)
	}
	return serve(ctx, c, announce)
}

// serveFunc is one engine's echo: it listens, calls listening once with the
// address it got, and blocks until ctx ends.
type serveFunc func(ctx context.Context, c *serveCommand, listening func(net.Addr)) error

// kinds is where an engine registers.
func kinds() map[string]serveFunc {
	return map[string]serveFunc{
		"std":           serveStd,
		"netpoll":       serveNetpoll,
		"netpoll-burst": serveNetpollBurst,
		subjectKind:     serveVitrine,
		gatherKind:      serveGather,
	}
}

func kindNames() []string { return slices.Sorted(maps.Keys(kinds())) }

// listeningPrefix starts the line that tells where a server listens.
const listeningPrefix = "listening "

func announce(addr net.Addr) { fmt.Println(listeningPrefix + addr.String()) }

// door counts the connections that are open and refuses what is over the limit.
type door struct {
	open  atomic.Int64 // atomic
	limit int64        // fixed
}

// enter takes a place; false when there is none. Any goroutine.
func (d *door) enter() bool {
	if d.open.Add(1) <= d.limit {
		return true
	}
	d.open.Add(-1)
	return false
}

// leave gives back a place that enter granted. Any goroutine.
func (d *door) leave() { d.open.Add(-1) }
