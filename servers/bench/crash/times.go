//go:build linux

package crash

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/tabwriter"
	"time"

	"vitrine/crash/bundle"
	"vitrine/crash/provoke"
	"vitrine/servers/bench/ratio"
)

// TimesCommand is the crashtimes subcommand: how long the dying and the living wait.
type TimesCommand struct {
	Crashes int    `default:"50" help:"Deaths of a small process."`
	Large   int    `default:"5" help:"Deaths of one with a heap."`
	Live    int    `default:"10" help:"Pictures of a server that lives, with that heap."`
	Peers   int    `default:"2" help:"Dumps of the same server by dlv and by gcore, each; 0 = leave them out."`
	HeapMB  int64  `name:"heap-mb" default:"500" help:"That heap: half random bytes, half players full of pointers."`
	Dir     string `type:"path" default:"var/crash-times" help:"Where bundles are."`
	Gcore   string `default:"gcore" help:"gcore, of gdb."`
	JSON    bool   `name:"json" help:"Print one JSON line instead of the table."`
	tools
}

// The gates, all of medians.
const (
	textGate  = 20.0 // ms
	wholeGate = 3000.0
	stopGate  = 10.0
)

// Run measures, prints, and fails when a gate is missed.
func (c *TimesCommand) Run(ctx context.Context) error {
	if err := os.RemoveAll(c.Dir); err != nil {
		return err
	}
	figures, err := c.measure(ctx)
	if err != nil {
		return fmt.Errorf("crashtimes: %w", err)
	}
	if c.JSON {
		err = json.NewEncoder(os.Stdout).Encode(figures)
	} else {
		err = printFigures(os.Stdout, figures)
	}
	for _, f := range figures {
		if err == nil && !f.held() {
			err = fmt.Errorf("gate missed: %s has a median of %.1f ms, the gate is %.0f", f.Name, f.median(), f.Gate)
		}
	}
	return err
}

// figure is what was measured of one thing, in milliseconds.
type figure struct {
	Name   string    `json:"name"`
	Values []float64 `json:"ms"`
	Gate   float64   `json:"gate_ms,omitempty"` // of the median; 0 = none
}

func (f *figure) median() float64 { return ratio.Median(f.Values) }
func (f *figure) held() bool      { return f.Gate == 0 || len(f.Values) > 0 && f.median() <= f.Gate }

func (f *figure) add(d time.Duration) { f.Values = append(f.Values, float64(d.Microseconds())/1000) }

func printFigures(w io.Writer, figures []*figure) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "milliseconds\tn\tmedian\tp95\tmax\tgate\t")
	for _, f := range figures {
		if len(f.Values) == 0 {
			continue
		}
		verdict := "none"
		switch {
		case f.Gate > 0 && f.held():
			verdict = fmt.Sprintf("<= %.0f: held", f.Gate)
		case f.Gate > 0:
			verdict = fmt.Sprintf("<= %.0f: MISSED", f.Gate)
		}
		fmt.Fprintf(table, "%s\t%d\t%.1f\t%.1f\t%.1f\t%s\t\n", f.Name, len(f.Values), f.median(),
			ratio.Quantile(f.Values, 0.95), ratio.Quantile(f.Values, 1), verdict)
	}
	return table.Flush()
}

// measure takes all figures, one after the other.
func (c *TimesCommand) measure(ctx context.Context) ([]*figure, error) {
	deaths, err := c.deaths(ctx, "small process", c.Crashes, 0)
	if err != nil {
		return nil, err
	}
	deaths[0].Gate = textGate
	large, err := c.deaths(ctx, fmt.Sprintf("%d MB", c.HeapMB), c.Large, c.HeapMB<<20)
	if err != nil {
		return nil, err
	}
	large[1].Gate = wholeGate
	live, err := c.live(ctx)
	return append(append(deaths, large...), live...), err
}

// deaths lets processes panic, and returns how long it took to their text and to their whole bundle.
func (c *TimesCommand) deaths(ctx context.Context, what string, times int, heap int64) ([]*figure, error) {
	text, whole := &figure{Name: what + ": text on disk"}, &figure{Name: what + ": whole bundle"}
	for i := range times {
		dir := filepath.Join(c.Dir, "death")
		o, err := provoke.Run(ctx, provoke.Options{Class: "goroutine", Dir: dir, Heap: heap, Wait: time.Minute})
		if err != nil {
			return nil, err
		}
		if len(o.Missing) > 0 {
			return nil, fmt.Errorf("death %d of a %s: missing: %q", i+1, what, o.Missing)
		}
		text.add(time.Duration(o.Meta.Timings.TextMS) * time.Millisecond)
		whole.add(time.Duration(o.Meta.Timings.CompleteMS) * time.Millisecond)
		if err := os.RemoveAll(dir); err != nil {
			return nil, err
		}
		fmt.Fprintf(os.Stderr, "\r%s: %d of %d ", what, i+1, times)
	}
	fmt.Fprintln(os.Stderr)
	return []*figure{text, whole}, nil
}

// live has pictures taken of one server that goes on, by us and by the peers.
func (c *TimesCommand) live(ctx context.Context) ([]*figure, error) {
	v, err := provoke.Start(ctx, provoke.Options{
		Class: "panic", Dir: filepath.Join(c.Dir, "live"), Heap: c.HeapMB << 20, Wait: time.Minute, Stderr: os.Stderr,
	})
	if err != nil {
		return nil, err
	}
	defer v.Close()
	if _, err := v.Gap(); err != nil {
		return nil, err
	}
	figures, err := c.ours(v)
	if err != nil {
		return nil, err
	}
	for range c.Peers {
		for i, dump := range []func(context.Context, int) error{c.delve, c.gcore} {
			if len(figures) < 3+i {
				figures = append(figures, &figure{Name: []string{"dlv attach, dump: longest standstill", "gcore: longest standstill"}[i]})
			}
			if err := standstill(figures[2+i], v, func() error { return dump(ctx, v.PID()) }); err != nil {
				return nil, err
			}
		}
	}
	return figures, nil
}

// ours has the monitor take pictures: how long the server stood by the monitor's clock and by its own.
func (c *TimesCommand) ours(v *provoke.Victim) ([]*figure, error) {
	stop := &figure{Name: fmt.Sprintf("live, %d MB: stopped", c.HeapMB), Gate: stopGate}
	gap := &figure{Name: "the same by the server's clock: longest standstill"}
	for range c.Live {
		err := standstill(gap, v, func() error {
			if err := v.Provoke(); err != nil {
				return err
			}
			e, err := v.Next()
			if err != nil {
				return err
			}
			m, err := e.Meta()
			if err != nil {
				return err
			}
			if m.Core.State != bundle.CoreWritten {
				return fmt.Errorf("core is %s: %s", m.Core.State, m.Core.Why)
			}
			stop.add(time.Duration(m.Timings.StopUS) * time.Microsecond)
			return nil
		})
		if err != nil {
			return nil, fmt.Errorf("live report: %w", err)
		}
	}
	return []*figure{stop, gap}, nil
}

// standstill adds the longest time for which the server did not run while something was done.
func standstill(f *figure, v *provoke.Victim, do func() error) error {
	if _, err := v.Gap(); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	gap, err := v.Gap()
	f.add(gap)
	fmt.Fprintf(os.Stderr, "%s: %v\n", f.Name, gap.Round(time.Millisecond/10))
	return err
}
