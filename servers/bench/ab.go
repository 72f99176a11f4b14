//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"vitrine/servers/bench/ratio"
)

// abCommand compares two builds while three servers live: the base, the test,
// and the test again.
type abCommand struct {
	Base      string        `required:"" placeholder:"COMMAND" help:"The server without the change, e.g. a norecord build."`
	Test      string        `required:"" placeholder:"COMMAND" help:"The server with it; it is started twice."`
	Conns     int           `default:"100" help:"Connections to each server."`
	Depth     int           `default:"32" help:"Messages in flight on each."`
	Size      int           `default:"32" help:"Bytes of payload."`
	Codec     string        `default:"lan" enum:"lan,classic,sealed" help:"Frame format the servers were started with: lan, classic, sealed."`
	Slice     time.Duration `default:"300ms" help:"How long a server is driven at a time."`
	Lead      time.Duration `default:"30ms" help:"How long it is driven before its clock is read."`
	MinRounds int           `default:"20" help:"Rounds at least; each drives every server once, in random order."`
	MaxRounds int           `default:"200" help:"Rounds at most."`
	Agree     float64       `default:"0.02" help:"How far from 1 A/A may be."`
	Gate      float64       `default:"1.10" help:"The ratio that must hold."`
	Goal      float64       `default:"1.05" help:"The ratio to reach."`
	Seed      uint64        `help:"Seed of the order (default: the clock)."`
	JSON      bool          `name:"json" help:"Print one JSON line."`
	placement
}

// Run compares, prints, and fails when the gate is missed or A/A never agrees.
func (c *abCommand) Run(ctx context.Context) error {
	if c.Seed == 0 {
		c.Seed = uint64(time.Now().UnixNano())
	}
	if err := raiseFileLimit(); err != nil {
		return fmt.Errorf("ab: %w", err)
	}
	sides, err := c.startAll(ctx)
	defer stopSides(sides)
	if err != nil {
		return fmt.Errorf("ab: %w", err)
	}
	var report abReport
	err = onCore(c.LoadCore, func() error {
		report, err = c.compare(ctx, sides)
		return err
	})
	if err != nil {
		return fmt.Errorf("ab: %w", err)
	}
	if err = report.print(os.Stdout, c); err != nil {
		return err
	}
	return report.judge(c)
}

func (c *abCommand) startAll(ctx context.Context) (sides []*side, err error) {
	base, test := strings.Fields(c.Base), strings.Fields(c.Test)
	s := shape{conns: c.Conns, depth: c.Depth, size: c.Size, codec: c.Codec}
	for _, t := range []target{{"base", base}, {"test", test}, {"test" + againSuffix, test}} {
		one, err := startSide(ctx, t, s, c.ServerCore)
		if err != nil {
			return sides, err
		}
		sides = append(sides, one)
	}
	return sides, nil
}

// compare adds rounds until A/A agrees or their limit is reached.
func (c *abCommand) compare(ctx context.Context, sides []*side) (r abReport, err error) {
	costs := make([][]float64, len(sides)) // CPU ns per packet, one a round
	for round, order := range ratio.Schedule(c.Seed, len(sides), c.MaxRounds) {
		for _, i := range order {
			if err = ctx.Err(); err != nil {
				return r, err
			}
			cost, err := sides[i].drive(c.Lead, c.Slice)
			if err != nil {
				return r, err
			}
			costs[i] = append(costs[i], cost.ServerCPU*1e3)
		}
		r = c.report(costs)
		if round+1 >= c.MinRounds && ratio.Agrees(r.Control, c.Agree) {
			break
		}
	}
	return r, nil
}

func (c *abCommand) report(costs [][]float64) abReport {
	r := summarizeAB(costs[abBase], costs[abTest], costs[abAgain])
	r.Seed = c.Seed
	r.Verdict = verdictControl
	if ratio.Agrees(r.Control, c.Agree) {
		r.Verdict = gate{gate: c.Gate, goal: c.Goal}.judge(r.Ratio)
	}
	return r
}

// judge fails when the figures are no use or miss the gate.
func (r abReport) judge(c *abCommand) error {
	if !ratio.Agrees(r.Control, c.Agree) {
		return fmt.Errorf("ab: A/A is %.3f after %d rounds", r.Control, r.Rounds)
	}
	if r.Ratio > c.Gate {
		return errors.New("ab: gate missed")
	}
	return nil
}

func (r abReport) print(w io.Writer, c *abCommand) error {
	if c.JSON {
		return json.NewEncoder(w).Encode(r)
	}
	table := newTable(w)
	fmt.Fprintln(table, "server\tcpu ns/packet\t")
	for i, name := range []string{"base", "test", "test" + againSuffix} {
		fmt.Fprintf(table, "%s\t%.1f\t\n", name, r.CPU[i])
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%s, depth %d, %d connections: test / base %.3f (gate %.2f, goal %.2f: %s), A/A %.3f (limit %.2f), %d rounds of %v, seed %d\n",
		c.Codec, c.Depth, c.Conns, r.Ratio, c.Gate, c.Goal, r.Verdict, r.Control, c.Agree, r.Rounds, c.Slice, r.Seed)
	return err
}
