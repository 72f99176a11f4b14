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
)

// peersCommand compares servers in interleaved rounds.
type peersCommand struct {
	Servers []string      `help:"Kinds to run (default: all)."`
	Extern  []string      `sep:"none" placeholder:"NAME=COMMAND" help:"An external echo; {port} in its command is its port."`
	Load    string        `placeholder:"COMMAND" help:"An external load with -c -d -s -t -w -h -p -P instead of ours."`
	Depths  []int         `default:"16,1" help:"Messages in flight on each connection, one cell each."`
	Conns   int           `default:"1000" help:"Connections."`
	Size    int           `default:"32" help:"Bytes of payload."`
	Rounds  int           `default:"3" help:"Rounds; each visits every server once, in random order."`
	Time    time.Duration `default:"3s" help:"How long to measure a server in a round."`
	Warmup  time.Duration `default:"1s" help:"How long to run it before that."`
	Quick   bool          `help:"Smoke run: one short round, gates are shown and not judged."`
	JSON    bool          `name:"json" help:"Print one JSON line instead of the tables."`
	Seed    uint64        `help:"Seed of the order (default: the clock)."`
	placement
}

// placement says where server and load run.
type placement struct {
	ServerCore int `default:"0" help:"Core of the server, -1 for any."`
	LoadCore   int `default:"1" help:"Core of the load, -1 for any."`
}

// Limits of a smoke run.
const (
	quickTime   = 300 * time.Millisecond
	quickWarmup = 100 * time.Millisecond
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
	report := peersReport{Seed: c.Seed, Rounds: c.Rounds, LoadBefore: loadAverage()}
	for i, depth := range c.Depths {
		s := shape{conns: c.Conns, depth: depth, size: c.Size}
		cell, err := c.cell(ctx, targets, s, c.Seed+uint64(i))
		if err != nil {
			return fmt.Errorf("peers: depth %d: %w", depth, err)
		}
		report.Cells = append(report.Cells, cell)
	}
	report.LoadAfter = loadAverage()
	report.judge(gates)
	if err = report.print(os.Stdout, c.JSON); err != nil {
		return err
	}
	if missed := report.missed(); len(missed) > 0 && !c.Quick {
		return fmt.Errorf("peers: gates missed: %s", strings.Join(missed, "; "))
	}
	return nil
}

func (c *peersCommand) complete() {
	if c.Quick {
		c.Rounds, c.Time, c.Warmup = 1, quickTime, quickWarmup
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

// cell runs all rounds of one shape.
func (c *peersCommand) cell(ctx context.Context, targets []target, s shape, seed uint64) (cellReport, error) {
	cell := newCellReport(s.conns, s.depth, s.size, names(targets))
	load := &loader{core: c.LoadCore, time: c.Time, warmup: c.Warmup}
	if c.Load != "" {
		load.external = strings.Fields(c.Load)
	}
	for round, order := range schedule(seed, len(targets), c.Rounds) {
		for _, i := range order {
			fmt.Fprintf(os.Stderr, "depth %d, round %d of %d: %s\n", s.depth, round+1, c.Rounds, targets[i].name)
			result, err := c.visit(ctx, targets[i], load, s)
			if err != nil {
				return cell, fmt.Errorf("%s: %w", targets[i].name, err)
			}
			cell.Servers[i].Runs = append(cell.Servers[i].Runs, result)
		}
	}
	cell.summarize()
	return cell, nil
}

// visit starts a server, measures it once and stops it.
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
