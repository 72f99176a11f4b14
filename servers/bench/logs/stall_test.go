//go:build linux

package logs

import (
	"context"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestWritesWaitForTheEndOfAStall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := &stall{start: start, every: time.Second, lasts: 300 * time.Millisecond}
		w := stalledWriter{io.Discard, s}
		for _, step := range []struct {
			before, want time.Duration // of the clock: before the write, and when it is done
		}{
			{0, 300 * time.Millisecond},
			{0, 300 * time.Millisecond},
			{600 * time.Millisecond, 900 * time.Millisecond},
			{200 * time.Millisecond, 1300 * time.Millisecond},
		} {
			time.Sleep(step.before)
			if _, err := w.Write(nil); err != nil {
				t.Fatal(err)
			}
			if got := time.Since(start); got != step.want {
				t.Errorf("done at %v, want %v", got, step.want)
			}
		}
		if got := s.blocks.Load(); got != 2 {
			t.Errorf("%d writes waited, want 2", got)
		}
	})
}

func TestSlowCallsAreCounted(t *testing.T) {
	var p paced
	calls := 0
	err := p.drive(context.Background(), func(*event) bool {
		if calls++; calls == 10 {
			<-time.After(2 * slowCall)
		}
		return calls != 11
	}, 1000, 50*time.Millisecond)
	if err != nil || p.Calls != 50 || calls != 50 || p.Refused != 1 {
		t.Fatalf("%v, %d calls, %+v", err, calls, p)
	}
	// The machine may add to what is certain.
	if p.Slow < 1 || p.Asleep < 1 || p.Longest < 10 || len(p.Median) != 1 {
		t.Errorf("%+v", p)
	}
}

func TestPacedCallsEndWithTheirContext(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	stop()
	var p paced
	if err := p.drive(ctx, func(*event) bool { return true }, 1, time.Hour); err == nil {
		t.Error("no error")
	}
}

func TestStallRuns(t *testing.T) {
	c := StallCommand{Kinds: []string{oursBinary, oursText, zerologSync}, Rate: 5_000, Dir: t.TempDir(), options: options{Quick: true, Seed: 1}}
	if err := c.Run(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestStallsAreJudged(t *testing.T) {
	report := func(control, peer int, ours contestant) *stallReport {
		ours.Name, ours.class = oursBinary, classOurs
		return &stallReport{Contestants: []*contestant{
			{Name: controlName, class: classControl, paced: paced{Slow: control}},
			{Name: zerologSync, class: classSynchronous, paced: paced{Slow: peer}},
			&ours,
		}}
	}
	for name, c := range map[string]struct {
		control, peer int
		ours          contestant
		want          string // of the error; empty: all gates hold
	}{
		"as it should be":       {0, 12, contestant{Blocked: 5}, ""},
		"noise hits both":       {2, 12, contestant{Blocked: 5, paced: paced{Slow: 2}}, ""},
		"a call is slow":        {0, 12, contestant{Blocked: 5, paced: paced{Slow: 1}}, "ours: calls over 5 ms is 1"},
		"a call waits":          {0, 12, contestant{Blocked: 5, Waits: 1}, "ours: waits for room is 1"},
		"a record is dropped":   {0, 12, contestant{Blocked: 5, Drops: 1}, "ours: dropped is 1"},
		"our disk never stalls": {0, 12, contestant{}, "ours: writes that stalled is 0"},
		"no peer is held up":    {0, 0, contestant{Blocked: 5}, "synchronous peers: calls over 5 ms is 0"},
	} {
		err := report(c.control, c.peer, c.ours).judge().judge()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
