//go:build linux

package logs

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"vitrine/logx"
	"vitrine/logx/query"
	"vitrine/logx/record"
	"vitrine/servers/bench/ratio"
)

// KillCommand is the logkill subcommand: what SIGKILL takes with it.
type KillCommand struct {
	Runs    int      `default:"50" help:"Kills of each logger."`
	Kinds   []string `default:"ours,zap-buffered,phuslu-async,zerolog-diode" help:"Loggers to kill."`
	Callers []int    `default:"1,4" help:"Goroutines that log, in turn."`
	Least   uint64   `default:"50000" help:"Returned calls before a kill, at least."`
	Most    uint64   `default:"400000" help:"Returned calls before a kill, at most; between them at random."`
	Dir     string   `type:"path" help:"Where temporary directories are made (default: the system's place)."`
	options
}

// A smoke run.
const (
	quickRuns  = 2
	quickLeast = 2_000
	quickMost  = 5_000
)

// Run kills, counts, prints, and fails when ours lost something, or no peer did.
func (c *KillCommand) Run(ctx context.Context) error {
	c.complete()
	if c.Quick {
		c.Runs, c.Least, c.Most = quickRuns, quickLeast, quickMost
	}
	report, err := c.measure(ctx)
	if err != nil {
		return fmt.Errorf("logkill: %w", err)
	}
	if err = conclude(os.Stdout, report, report.judge(), c.JSON, c.Quick); err != nil {
		return fmt.Errorf("logkill: %w", err)
	}
	return nil
}

func (c *KillCommand) check() error {
	if c.Most < c.Least || c.Most >= maxCalls {
		return fmt.Errorf("from %d to %d returned calls", c.Least, c.Most)
	}
	if len(c.Callers) == 0 {
		return errors.New("no number of callers")
	}
	return nil
}

func (c *KillCommand) measure(ctx context.Context) (*killReport, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	kinds, err := pickKinds(c.Kinds)
	if err != nil {
		return nil, err
	}
	report := &killReport{Seed: c.Seed, Deaths: make([]deaths, len(kinds))}
	random := newRandom(c.Seed, 1)
	for run, order := range ratio.Schedule(c.Seed, len(kinds), c.Runs) {
		for _, i := range order {
			d := &report.Deaths[i]
			d.Name, d.class = kinds[i].name, kinds[i].class
			one, err := c.kill(ctx, kinds[i], c.Callers[run%len(c.Callers)], random)
			if err != nil {
				return report, fmt.Errorf("%s: %w", kinds[i].name, err)
			}
			d.Runs = append(d.Runs, one)
		}
		fmt.Fprintf(os.Stderr, "kill %d of %d\n", run+1, c.Runs)
	}
	return report, nil
}

// kill starts one child, kills it, and looks for what it had logged.
func (c *KillCommand) kill(ctx context.Context, k kind, callers int, random *rand.Rand) (death, error) {
	parent, err := os.MkdirTemp(c.Dir, "vitrine-kill-")
	if err != nil {
		return death{}, err
	}
	defer os.RemoveAll(parent)
	dir := filepath.Join(parent, "log")
	if err = os.Mkdir(dir, 0o750); err != nil {
		return death{}, err
	}
	v, err := startVictim(ctx, k.name, dir, filepath.Join(parent, "calls"), callers)
	if err != nil {
		return death{}, err
	}
	returned, err := v.killAfter(c.Least + random.Uint64N(c.Most-c.Least+1))
	if err != nil {
		return death{}, err
	}
	d := death{Callers: callers, Returned: sum(returned)}
	t := newTally(callers)
	if k.class == classOurs {
		err = d.recover(ctx, dir, t)
	} else {
		err = noteFiles(dir, t)
	}
	d.count(t, returned)
	return d, err
}

// count takes over what a tally found.
func (d *death) count(t *tally, returned []uint64) {
	d.Lost = t.lost(returned)
	d.Duplicates += t.duplicates
	d.Strange += t.strange + t.disordered + t.unborn(returned)
}

// recover opens the dead one's log again, which brings over what was accepted,
// and reads it all.
func (d *death) recover(ctx context.Context, dir string, t *tally) error {
	start := time.Now()
	l, err := logx.Open(logx.Config{Dir: dir, NoCompress: true})
	if err != nil {
		return fmt.Errorf("recover: %w", err)
	}
	d.Recovery = float64(time.Since(start)) / 1e6
	if err = l.Close(); err != nil {
		return fmt.Errorf("close what was recovered: %w", err)
	}
	verified, err := query.Verify(ctx, dir, nil)
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	d.Gaps, d.Corrupt = verified.GapCount, verified.Corrupted+int(verified.Lost)
	d.Tombstones, d.Duplicates, d.Strange = verified.Tombstones, verified.Duplicated, verified.Pending
	_, err = query.Search(ctx, dir, query.Query{}, func(r *record.Record, _ *record.Types) bool {
		if r.Flags&(record.FlagTombstone|record.FlagDropped) == 0 && r.Message == message {
			t.note(r.Session, fieldX(r))
		}
		return true
	})
	return err
}

// fieldX is the number of the call in a record, -1 without one.
func fieldX(r *record.Record) int64 {
	for _, f := range r.Fields {
		if f.Key == "x" {
			return f.Int()
		}
	}
	return -1
}

// noteFiles reads all a peer has left.
func noteFiles(dir string, t *tally) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, entry := range entries {
		if entry.Type().IsRegular() {
			err = errors.Join(err, noteFile(filepath.Join(dir, entry.Name()), t))
		}
	}
	return err
}

func noteFile(path string, t *tally) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return t.noteLines(f)
}
