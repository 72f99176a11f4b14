//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"vitrine/servers/bench/ratio"
)

// memoryCommand prices a connection in bytes of the server's resident memory.
type memoryCommand struct {
	Kind   string        `arg:"" help:"Which engine: ${kinds}."`
	Conns  int           `default:"10000" help:"Connections."`
	Depth  int           `default:"16" help:"Messages in flight on each, for the traffic."`
	Size   int           `default:"32" help:"Bytes of payload."`
	Codec  string        `default:"lan" enum:"lan,classic,sealed" help:"Frame format: lan, classic, sealed."`
	Time   time.Duration `default:"3s" help:"How long the traffic lasts."`
	Rounds int           `default:"3" help:"Rounds; the median counts."`
	JSON   bool          `name:"json" help:"Print one JSON line."`
	placement
}

// Bounds on the bytes a connection of our engine costs.
const (
	idleGate    = 700
	idleGoal    = 512
	trafficGate = 900
	trafficGoal = 600
)

// memoryReport prices a connection: what the server holds with all of them,
// less what the same binary holds with a limit of one session and none open.
type memoryReport struct {
	Kind    string  `json:"kind"`
	Conns   int     `json:"conns"`
	Rounds  int     `json:"rounds"`
	Base    float64 `json:"base_bytes"`
	Idle    float64 `json:"idle_bytes_per_conn"`
	Traffic float64 `json:"traffic_bytes_per_conn"`
}

// Run measures, prints, and fails when our engine misses a gate.
func (c *memoryCommand) Run(ctx context.Context) error {
	if err := raiseFileLimit(); err != nil {
		return fmt.Errorf("memory: %w", err)
	}
	report, err := c.measure(ctx)
	if err != nil {
		return fmt.Errorf("memory %s: %w", c.Kind, err)
	}
	if err = report.print(c.JSON); err != nil {
		return err
	}
	return report.judge()
}

func (c *memoryCommand) measure(ctx context.Context) (memoryReport, error) {
	var base, idle, traffic []float64
	for range c.Rounds {
		held, err := c.base(ctx)
		if err != nil {
			return memoryReport{}, err
		}
		result, err := c.full(ctx)
		if err != nil {
			return memoryReport{}, err
		}
		base = append(base, float64(held))
		idle = append(idle, float64(result.IdleBytes-held)/float64(c.Conns))
		traffic = append(traffic, float64(result.EndBytes-held)/float64(c.Conns))
	}
	return memoryReport{c.Kind, c.Conns, c.Rounds, ratio.Median(base), ratio.Median(idle), ratio.Median(traffic)}, nil
}

// base is the memory of the server with a limit of one session.
func (c *memoryCommand) base(ctx context.Context) (int64, error) {
	p, err := c.start(ctx, 1)
	if err != nil {
		return 0, err
	}
	defer p.stop()
	settle(p.pid(), 0)
	return residentBytes(p.pid())
}

// full is a load on the server with the limit at what the load opens.
func (c *memoryCommand) full(ctx context.Context) (loadResult, error) {
	p, err := c.start(ctx, c.Conns)
	if err != nil {
		return loadResult{}, err
	}
	defer p.stop()
	load := &loader{core: c.LoadCore, time: c.Time}
	return load.measure(ctx, p, shape{conns: c.Conns, depth: c.Depth, size: c.Size, codec: c.Codec})
}

func (c *memoryCommand) start(ctx context.Context, sessions int) (*process, error) {
	t, err := ownTarget(c.Kind, c.Kind, "--codec", c.Codec, "--max-sessions", strconv.Itoa(sessions))
	if err != nil {
		return nil, err
	}
	return startServer(ctx, t, c.ServerCore)
}

func (r memoryReport) print(asJSON bool) error {
	if asJSON {
		return json.NewEncoder(os.Stdout).Encode(r)
	}
	_, err := fmt.Printf("%s: %d connections over a base of %.1f MiB: idle %.0f B each (gate %d, goal %d), after traffic %.0f B (gate %d, goal %d); median of %d\n",
		r.Kind, r.Conns, r.Base/(1<<20), r.Idle, idleGate, idleGoal, r.Traffic, trafficGate, trafficGoal, r.Rounds)
	return err
}

// judge holds our engine to its gates; the peers have none.
func (r memoryReport) judge() error {
	if !strings.HasPrefix(r.Kind, subjectKind) || r.Idle <= idleGate && r.Traffic <= trafficGate {
		return nil
	}
	return errors.New("memory: gate missed")
}
