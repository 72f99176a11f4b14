//go:build linux

package logs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"vitrine/logx"
	"vitrine/servers/bench/ratio"
)

// StallCommand is the logstall subcommand: who waits while the disk does.
type StallCommand struct {
	Kinds  []string      `default:"ours,zerolog,zap,slog-json,phuslu,zap-buffered,phuslu-async,zerolog-diode" help:"Loggers to drive."`
	Rate   int           `default:"25000" help:"Records a second, on an absolute schedule."`
	For    time.Duration `default:"12s" help:"How long each is driven in all."`
	Window time.Duration `default:"3s" help:"How long at a time; windows come in random order."`
	Every  time.Duration `default:"1s" help:"From the begin of a stall to the next."`
	Lasts  time.Duration `default:"300ms" help:"How long a stall lasts."`
	Dir    string        `type:"path" help:"Where temporary directories are made (default: the system's place)."`
	options
}

// A smoke run.
const (
	quickFor   = 400 * time.Millisecond
	quickEvery = 100 * time.Millisecond
	quickLasts = 30 * time.Millisecond
)

// controlName is the contestant that calls nothing.
const controlName = "no-op"

// Run drives all, prints, and fails when a call of ours waited for the disk.
func (c *StallCommand) Run(ctx context.Context) error {
	c.complete()
	if c.Quick {
		c.For, c.Window, c.Every, c.Lasts = quickFor, quickFor, quickEvery, quickLasts
	}
	report, err := c.measure(ctx)
	if err != nil {
		return fmt.Errorf("logstall: %w", err)
	}
	if err = conclude(os.Stdout, report, report.judge(), c.JSON, c.Quick); err != nil {
		return fmt.Errorf("logstall: %w", err)
	}
	return nil
}

// contestant is a logger on a disk of its own, all of which stall at once.
type contestant struct {
	Name    string `json:"name"`
	Blocked int64  `json:"stalled_writes"`
	Waits   uint64 `json:"waits"` // for room in the ring; of ours
	Drops   uint64 `json:"drops"`
	paced
	class class
	sink  sink
	stall *stall
}

func (c *StallCommand) check() error {
	if c.Lasts >= c.Every || c.Window <= 0 || c.For < c.Window || c.Rate <= 0 {
		return errors.New("a stall lasts less than its period, a window no more than the whole, and the rate is above 0")
	}
	return nil
}

func (c *StallCommand) measure(ctx context.Context) (*stallReport, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	parent, err := os.MkdirTemp(c.Dir, "vitrine-stall-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(parent)
	report := &stallReport{Seed: c.Seed, Rate: c.Rate, Seconds: c.For.Seconds()}
	err = c.open(parent, report)
	if err == nil {
		err = c.windows(ctx, report)
	}
	for _, one := range report.Contestants {
		err = errors.Join(err, one.finish())
	}
	return report, err
}

// open starts all contestants; those before an error are in the report.
func (c *StallCommand) open(parent string, report *stallReport) error {
	kinds, err := pickKinds(c.Kinds)
	if err != nil {
		return err
	}
	none := sink{log: func(*event) bool { return true }, flush: done, close: done}
	report.Contestants = []*contestant{{Name: controlName, class: classControl, sink: none, stall: &stall{}}}
	start := time.Now()
	for _, k := range kinds {
		one := &contestant{Name: k.name, class: k.class, stall: &stall{start: start, every: c.Every, lasts: c.Lasts}}
		dir := filepath.Join(parent, k.name)
		if err = os.Mkdir(dir, 0o750); err != nil {
			return err
		}
		if one.sink, err = k.open(medium{dir: dir, stall: one.stall, ours: logx.Config{NoCompress: true}}); err != nil {
			return fmt.Errorf("open %s: %w", k.name, err)
		}
		report.Contestants = append(report.Contestants, one)
	}
	return nil
}

// windows drives one contestant at a time.
func (c *StallCommand) windows(ctx context.Context, report *stallReport) error {
	rounds := int(c.For / c.Window)
	for round, order := range ratio.Schedule(c.Seed, len(report.Contestants), rounds) {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, rounds)
		for _, i := range order {
			one := report.Contestants[i]
			if err := one.drive(ctx, one.sink.log, c.Rate, c.Window); err != nil {
				return err
			}
		}
	}
	return nil
}

// finish takes the figures and closes.
func (c *contestant) finish() error {
	err := c.sink.flush()
	c.Blocked = c.stall.blocks.Load()
	if c.sink.stats != nil {
		stats := c.sink.stats()
		c.Waits, c.Drops = stats.Waits, sum(stats.Dropped[:])
	}
	if err = errors.Join(err, c.sink.close()); err != nil {
		return fmt.Errorf("finish %s: %w", c.Name, err)
	}
	return nil
}

// stallReport is what all contestants saw.
type stallReport struct {
	Seed        uint64        `json:"seed"`
	Rate        int           `json:"rate"`
	Seconds     float64       `json:"seconds"`
	Contestants []*contestant `json:"loggers"`
}

// noiseTolerance is by how many slow calls ours may exceed the control.
const noiseTolerance = 0

// judge holds ours to the control, and the disk to having stalled.
func (r *stallReport) judge() (all gates) {
	control, peers, slow := 0, 0, 0
	for _, c := range r.Contestants {
		switch c.class {
		case classControl:
			control = c.Slow
		case classSynchronous:
			peers, slow = peers+1, slow+c.Slow
		}
	}
	for _, c := range r.Contestants {
		if c.class == classOurs {
			all = append(all,
				atMost(c.Name+": waits for room", float64(c.Waits), 0),
				atMost(c.Name+": dropped", float64(c.Drops)+float64(c.Refused), 0),
				atMost(c.Name+": calls over 5 ms", float64(c.Slow), float64(control+noiseTolerance)),
				atLeast(c.Name+": writes that stalled", float64(c.Blocked), 1))
		}
	}
	if peers > 0 {
		all = append(all, atLeast("synchronous peers: calls over 5 ms", float64(slow), 1))
	}
	return all
}

func (r *stallReport) table(w io.Writer) error {
	table := newTable(w)
	fmt.Fprintln(table, "logger\tcalls\tover 5 ms\tasleep\tmax ms\tmedian ns\tstalled writes\twaits\tdropped\t")
	for _, c := range r.Contestants {
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%.1f\t%.0f\t%d\t%d\t%d\t\n", c.Name, c.Calls, c.Slow, c.Asleep, c.Longest,
			ratio.Median(c.Median), c.Blocked, c.Waits, c.Drops)
	}
	fmt.Fprintln(table)
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "%d records/s for %.1f s each; asleep: slow calls in which the thread waited, the rest lost its core to the machine; seed %d\n",
		r.Rate, r.Seconds, r.Seed)
	return err
}
