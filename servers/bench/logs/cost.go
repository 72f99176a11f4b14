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
	report := &costReport{Seed: c.Seed, Records: c.Records}
	for i, callers := range c.Callers {
		if callers < 1 || callers > maxCallers {
			return report, fmt.Errorf("%d callers, from 1 to %d can be", callers, maxCallers)
		}
		cell := newCell(callers, kinds)
		if err := c.rounds(ctx, &cell, c.Seed+uint64(i)); err != nil {
			return report, err
		}
		report.Cells = append(report.Cells, cell)
	}
	return report, nil
}

// rounds adds rounds until A/A agrees or their limit is reached.
func (c *CostCommand) rounds(ctx context.Context, cell *cell, seed uint64) error {
	v := visitor{parent: c.Dir, records: c.Records}
	for round, order := range ratio.Schedule(seed, len(cell.Costs), c.MaxRounds) {
		for _, i := range order {
			if err := ctx.Err(); err != nil {
				return err
			}
			cost := &cell.Costs[i]
			seen, err := v.drive(cost.kind, cell.Callers)
			if err != nil {
				return err
			}
			cost.Visits = append(cost.Visits, seen)
		}
		control := ratio.Median(cell.control())
		fmt.Fprintf(os.Stderr, "%s, round %d of at most %d, A/A %.3f\n", callersText(cell.Callers), round+1, c.MaxRounds, control)
		if round+1 >= c.MinRounds && ratio.Agrees(control, c.Agree) {
			return nil
		}
	}
	return nil
}
