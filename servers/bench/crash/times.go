//go:build linux

package crash

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"vitrine/crash/bundle"
	"vitrine/crash/provoke"
	"vitrine/servers/bench/ratio"
)

// TimesCommand is the crashtimes subcommand: how long the dying and the living wait.
type TimesCommand struct {
	Crashes int    `default:"50" help:"Deaths of a small process."`
	Large   int    `default:"50" help:"Deaths of one with a heap."`
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
	figures, err := c.ours(ctx, v)
	if err != nil {
		return nil, err
	}
	delve, gcore := &figure{Name: "dlv attach, dump: standstill"}, &figure{Name: "gcore: standstill"}
	for range c.Peers {
		err := standstill(delve, v, func() error { return c.delve(ctx, v.PID()) })
		if err == nil {
			err = standstill(gcore, v, func() error { return c.gcore(ctx, v.PID()) })
		}
		if err != nil {
			return nil, err
		}
	}
	return append(figures, delve, gcore), nil
}

// ours has the monitor take pictures: how long the server stood by the monitor's clock and by its own, and beside it how long the
// kernel takes for the fork that a picture is, and how late the server's clock is when nothing happens.
func (c *TimesCommand) ours(ctx context.Context, v *provoke.Victim) ([]*figure, error) {
	young := &figure{Name: fmt.Sprintf("live, %d MB, just started: stopped", c.HeapMB)}
	for range youngPictures {
		if err := picture(young, v); err != nil {
			return nil, fmt.Errorf("live report: %w", err)
		}
	}
	stop := &figure{Name: fmt.Sprintf("live, %d MB: stopped", c.HeapMB), Gate: stopGate}
	fork := &figure{Name: "fork(2) of the same server"}
	gap := &figure{Name: "live, until the bundle is there: standstill"}
	idle := &figure{Name: "nothing happens for a second: standstill"}
	for range c.Live {
		if err := settle(ctx, v.PID()); err != nil {
			return nil, fmt.Errorf("wait for huge pages: %w", err)
		}
		if err := standstill(gap, v, func() error { return picture(stop, v) }); err != nil {
			return nil, fmt.Errorf("live report: %w", err)
		}
		took, err := v.Fork()
		if err != nil {
			return nil, err
		}
		fork.add(took)
		if err := standstill(idle, v, func() error { return nothing(ctx) }); err != nil {
			return nil, err
		}
	}
	return []*figure{young, stop, fork, gap, idle}, nil
}

// youngPictures are taken before the server has moved its memory onto huge pages.
const youngPictures = 3

// settle waits until the server has moved its memory onto huge pages: until it has as many as six seconds before. A server has done
// so when it has run for a while; what it writes during a picture comes apart.
func settle(ctx context.Context, pid int) error {
	var before [6]int64
	for i := 0; ; i++ {
		huge, err := hugeKB(pid)
		if err != nil {
			return err
		}
		fmt.Fprintf(os.Stderr, "\r%d MB on huge pages ", huge>>10)
		if huge == before[i%len(before)] && huge > 0 || i == settleLimit {
			fmt.Fprintln(os.Stderr)
			return nil
		}
		before[i%len(before)] = huge
		if err := nothing(ctx); err != nil {
			return err
		}
	}
}

// settleLimit is how many seconds settle waits.
const settleLimit = 120

// hugeKB returns how much of a process's memory is on huge pages, from proc(5).
func hugeKB(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(text)) {
		if value, ok := strings.CutPrefix(line, "AnonHugePages:"); ok {
			return strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		}
	}
	return 0, errors.New("no AnonHugePages in smaps_rollup")
}

// picture has the server report a panic, and notes how long the monitor stopped it.
func picture(stop *figure, v *provoke.Victim) error {
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
}

func nothing(ctx context.Context) error {
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
	}
	return ctx.Err()
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
