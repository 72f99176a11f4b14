//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"vitrine/servers/bench/ratio"
)

// peersCommand compares servers in interleaved rounds.
type peersCommand struct {
	Servers   []string      `help:"Kinds to run (default: all)."`
	Extern    []string      `sep:"none" placeholder:"NAME=COMMAND" help:"An external echo; {port} in its command is its port."`
	Load      string        `placeholder:"COMMAND" help:"An external load with -c -d -s -t -w -h -p -P instead of ours."`
	Depths    []int         `default:"16,1" help:"Messages in flight on each connection, one cell each."`
	Conns     int           `default:"1000" help:"Connections."`
	Size      int           `default:"32" help:"Bytes of payload."`
	MinRounds int           `default:"20" help:"Rounds at least; each drives every server once, in random order."`
	MaxRounds int           `default:"120" help:"Rounds at most; they are added until A/A agrees."`
	Slice     time.Duration `default:"250ms" help:"How long a server is driven at a time."`
	Lead      time.Duration `default:"30ms" help:"How long it is driven before its clock is read."`
	Agree     float64       `default:"0.02" help:"How far from 1 A/A may be."`
	Visit     time.Duration `default:"3s" help:"How long an external load drives a server, which is started anew each time."`
	Visits    int           `default:"3" help:"Rounds with an external load."`
	Quick     bool          `help:"Smoke run: one short round, gates are shown and not judged."`
	JSON      bool          `name:"json" help:"Print one JSON line instead of the tables."`
	Seed      uint64        `help:"Seed of the order (default: the clock)."`
	placement
}

// placement says where server and load run.
type placement struct {
	ServerCore int `default:"0" help:"Core of the server, -1 for any."`
	LoadCore   int `default:"1" help:"Core of the load, -1 for any."`
}

// Limits of a smoke run.
const (
	quickSlice = 200 * time.Millisecond
	quickAgree = 100
)

// Run measures all cells, prints them, and fails when a gate is missed.
func (c *peersCommand) Run(ctx context.Context) error {
	c.complete()
	targets, err := c.targets()
	if err != nil {
		return fmt.Errorf("peers: %w", err)
	}
	if err = raiseFileLimit(); err != nil {
		return fmt.Errorf("peers: %w", err)
	}
	report := peersReport{Seed: c.Seed, LoadBefore: loadAverage()}
	for i, depth := range c.Depths {
		s := shape{conns: c.Conns, depth: depth, size: c.Size, codec: codecLAN}
		cell, err := c.cell(ctx, targets, s, c.Seed+uint64(i))
		if err != nil {
			return fmt.Errorf("peers: depth %d: %w", depth, err)
		}
		report.Cells = append(report.Cells, cell)
	}
	report.LoadAfter = loadAverage()
	report.judge(gates, c.Agree)
	if err = report.print(os.Stdout, c.JSON); err != nil {
		return err
	}
	if missed := report.missed(); len(missed) > 0 && !c.Quick {
		return fmt.Errorf("peers: %s", strings.Join(missed, "; "))
	}
	return nil
}

func (c *peersCommand) complete() {
	if c.Quick {
		c.MinRounds, c.MaxRounds, c.Visits, c.Slice, c.Visit, c.Agree = 1, 1, 1, quickSlice, quickSlice, quickAgree
	}
	if c.Seed == 0 {
		c.Seed = uint64(time.Now().UnixNano())
	}
	if len(c.Servers) == 0 {
		c.Servers = kindNames()
	}
}

// targets lists what to measure: the kinds, the external ones, and once more
// the first of them, our engine if it is there, as the A/A control.
func (c *peersCommand) targets() ([]target, error) {
	var list []target
	for _, kind := range c.Servers {
		if kind == gatherKind && c.Load != "" {
			continue // Its frames are not what an external load expects.
		}
		t, err := ownTarget(kind, kind)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	for _, text := range c.Extern {
		name, command, ok := strings.Cut(text, "=")
		if !ok || strings.TrimSpace(command) == "" {
			return nil, fmt.Errorf("--extern %q, want NAME=COMMAND", text)
		}
		list = append(list, target{name, strings.Fields(command)})
	}
	if len(list) == 0 {
		return nil, errors.New("no server to measure")
	}
	again := list[max(0, slices.IndexFunc(list, func(t target) bool { return t.name == subjectKind }))]
	again.name += againSuffix
	return append(list, again), nil
}

// cell measures one shape on all servers.
func (c *peersCommand) cell(ctx context.Context, targets []target, s shape, seed uint64) (cellReport, error) {
	cell := newCellReport(s.conns, s.depth, s.size, names(targets))
	var err error
	if c.Load == "" {
		err = c.alive(ctx, targets, s, seed, &cell)
	} else {
		err = c.visits(ctx, targets, s, seed, &cell)
	}
	cell.summarize()
	return cell, err
}

// alive keeps all servers running and drives one at a time, for a short slice,
// so that the servers of a round see the same machine.
func (c *peersCommand) alive(ctx context.Context, targets []target, s shape, seed uint64, cell *cellReport) error {
	var sides []*side
	defer func() { stopSides(sides) }()
	for _, t := range targets {
		one, err := startSide(ctx, t, s, c.ServerCore)
		if err != nil {
			return err
		}
		sides = append(sides, one)
	}
	return onCore(c.LoadCore, func() error { return c.rounds(ctx, sides, seed, cell) })
}

// rounds adds rounds until A/A agrees or their limit is reached.
func (c *peersCommand) rounds(ctx context.Context, sides []*side, seed uint64, cell *cellReport) error {
	for round, order := range ratio.Schedule(seed, len(sides), c.MaxRounds) {
		for _, i := range order {
			if err := ctx.Err(); err != nil {
				return err
			}
			result, err := sides[i].drive(c.Lead, c.Slice)
			if err != nil {
				return err
			}
			cell.add(i, result)
		}
		control := cell.control(c.Agree)
		fmt.Fprintf(os.Stderr, "depth %d, round %d of at most %d, A/A %.3f\n", cell.Depth, round+1, c.MaxRounds, control.Median)
		if round+1 >= c.MinRounds && ratio.Agrees(control.Median, c.Agree) {
			return nil
		}
	}
	return nil
}

// visits starts a server anew for each visit of an external load.
func (c *peersCommand) visits(ctx context.Context, targets []target, s shape, seed uint64, cell *cellReport) error {
	load := &loader{external: strings.Fields(c.Load), core: c.LoadCore, time: c.Visit, warmup: c.Visit / 3}
	for round, order := range ratio.Schedule(seed, len(targets), c.Visits) {
		for _, i := range order {
			fmt.Fprintf(os.Stderr, "depth %d, round %d of %d: %s\n", s.depth, round+1, c.Visits, targets[i].name)
			result, err := c.visit(ctx, targets[i], load, s)
			if err != nil {
				return fmt.Errorf("%s: %w", targets[i].name, err)
			}
			cell.add(i, result)
		}
	}
	return nil
}

func (c *peersCommand) visit(ctx context.Context, t target, load *loader, s shape) (loadResult, error) {
	p, err := startServer(ctx, t, c.ServerCore)
	if err != nil {
		return loadResult{}, err
	}
	defer p.stop()
	return load.measure(ctx, p, s)
}

func names(targets []target) []string {
	list := make([]string, len(targets))
	for i, t := range targets {
		list[i] = t.name
	}
	return list
}
