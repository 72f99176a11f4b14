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
)

// abCommand compares two builds while three servers live: the base, the test,
// and the test again.
type abCommand struct {
	Base      string        `required:"" placeholder:"COMMAND" help:"The server without the change, e.g. a norecord build."`
	Test      string        `required:"" placeholder:"COMMAND" help:"The server with it; it is started twice."`
	Conns     int           `default:"100" help:"Connections to each server."`
	Depth     int           `default:"32" help:"Messages in flight on each."`
	Size      int           `default:"32" help:"Bytes of payload."`
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
	defer stopAll(sides)
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

// side is one living server with the generator that drives it.
type side struct {
	process   *process
	generator *generator
	costs     []float64 // CPU ns per packet, one a round
}

func (c *abCommand) startAll(ctx context.Context) ([]*side, error) {
	base, test := strings.Fields(c.Base), strings.Fields(c.Test)
	var sides []*side
	for _, t := range []target{{"base", base}, {"test", test}, {"test" + againSuffix, test}} {
		p, err := startServer(ctx, t, c.ServerCore)
		if err != nil {
			return sides, err
		}
		s := &side{process: p}
		sides = append(sides, s)
		if s.generator, err = newGenerator(shape{c.Conns, c.Depth, c.Size}); err != nil {
			return sides, err
		}
		if err = s.generator.connect(p.addr); err != nil {
			return sides, err
		}
	}
	return sides, nil
}

func stopAll(sides []*side) {
	for _, s := range sides {
		if s.generator != nil {
			s.generator.close()
		}
		s.process.stop()
	}
}

// compare adds rounds until A/A agrees or their limit is reached.
func (c *abCommand) compare(ctx context.Context, sides []*side) (abReport, error) {
	for round, order := range schedule(c.Seed, abServers, c.MaxRounds) {
		for _, i := range order {
			if err := ctx.Err(); err != nil {
				return abReport{}, err
			}
			if err := sides[i].drive(c.Lead, c.Slice); err != nil {
				return abReport{}, err
			}
		}
		if r := c.report(sides); round+1 >= c.MinRounds && r.agrees(c.Agree) {
			return r, nil
		}
	}
	return c.report(sides), nil
}

// drive runs one slice and notes what a packet cost the server.
func (s *side) drive(lead, d time.Duration) error {
	if _, err := s.generator.run(lead); err != nil {
		return err
	}
	cost, err := meterSlice(s.generator, s.process.pid(), d)
	if err != nil {
		return err
	}
	s.costs = append(s.costs, float64(cost.server.Nanoseconds())/float64(cost.messages))
	return nil
}

func (c *abCommand) report(sides []*side) abReport {
	report := summarizeAB(sides[abBase].costs, sides[abTest].costs, sides[abAgain].costs)
	report.Seed = c.Seed
	switch {
	case !report.agrees(c.Agree):
		report.Verdict = "A/A disagrees"
	default:
		report.Verdict = gate{gate: c.Gate, goal: c.Goal}.judge(report.Ratio)
	}
	return report
}

// judge fails when the figures are no use or miss the gate.
func (r abReport) judge(c *abCommand) error {
	if !r.agrees(c.Agree) {
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
	_, err := fmt.Fprintf(w, "test / base %.3f (gate %.2f, goal %.2f: %s), A/A %.3f (limit %.2f), %d rounds of %v, seed %d\n",
		r.Ratio, c.Gate, c.Goal, r.Verdict, r.Control, c.Agree, r.Rounds, c.Slice, r.Seed)
	return err
}
