//go:build linux

package logs

import (
	"context"
	"fmt"
	"os"
	"time"

	"vitrine/servers/bench/ratio"
)

// CostCommand is the log subcommand: what a record costs.
type CostCommand struct {
	Kinds     []string `help:"Loggers to run (default: all)."`
	Callers   []int    `default:"1,8" help:"Goroutines that log, one cell each."`
	Records   int      `default:"300000" help:"Records a visit."`
	MinRounds int      `default:"11" help:"Rounds at least; each visits every logger once, in random order."`
	MaxRounds int      `default:"60" help:"Rounds at most; they are added until A/A agrees."`
	Agree     float64  `default:"0.02" help:"How far from 1 A/A may be."`
	Dir       string   `type:"path" help:"Where temporary directories are made (default: the system's place)."`
	options
}

// options are what every measurement takes.
type options struct {
	Quick bool   `help:"Smoke run: as short as can be, gates are shown and not judged."`
	JSON  bool   `name:"json" help:"Print one JSON line instead of the tables."`
	Seed  uint64 `help:"Seed of every choice (default: the clock)."`
}

func (o *options) complete() {
	if o.Seed == 0 {
		o.Seed = uint64(time.Now().UnixNano())
	}
}

// Limits of a smoke run.
const (
	quickRecords = 5_000
	quickAgree   = 100
)

// Bounds of what a record may cost.
const (
	oneCallerGate   = 1.0 / 3 // of zerolog and of zap buffered
	manyCallersGate = 1.0 / 2
	textGate        = 1.1 // of the fastest synchronous peer
	// allocGate is none: fewer than one call in a hundred, since the process has
	// other goroutines than those that log.
	allocGate = 0.01
)

// Run measures, prints, and fails when a gate is missed or A/A never agrees.
func (c *CostCommand) Run(ctx context.Context) error {
	c.complete()
	if c.Quick {
		c.MinRounds, c.MaxRounds, c.Records, c.Agree = 1, 1, quickRecords, quickAgree
	}
	report, err := c.measure(ctx)
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	if err = conclude(os.Stdout, report, report.judge(c.Agree), c.JSON, c.Quick); err != nil {
		return fmt.Errorf("log: %w", err)
	}
	return nil
}

func (c *CostCommand) measure(ctx context.Context) (*costReport, error) {
	kinds, err := pickKinds(c.Kinds)
	if err != nil {
		return nil, err
	}
	again := kinds[0]
	again.name += againSuffix
	kinds = append(kinds, again)
	report := newCostReport(c.Seed, c.Records, c.Callers, kinds)
	v := visitor{parent: c.Dir, records: c.Records}
	for round, order := range ratio.Schedule(c.Seed, len(report.Costs), c.MaxRounds) {
		for _, i := range order {
			if err := ctx.Err(); err != nil {
				return report, err
			}
			cost := &report.Costs[i]
			seen, err := v.drive(cost.kind, cost.Callers)
			if err != nil {
				return report, err
			}
			cost.Visits = append(cost.Visits, seen)
		}
		report.progress(round+1, c.MaxRounds)
		if round+1 >= c.MinRounds && report.agrees(c.Agree) {
			break
		}
	}
	return report, nil
}

// progress tells on stderr how far the run is.
func (r *costReport) progress(round, most int) {
	fmt.Fprintf(os.Stderr, "round %d of at most %d, A/A", round, most)
	for _, callers := range r.cells() {
		fmt.Fprintf(os.Stderr, " %.3f", ratio.Median(r.control(callers)))
	}
	fmt.Fprintln(os.Stderr)
}
