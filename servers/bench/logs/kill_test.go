//go:build linux

package logs

import (
	"context"
	"strings"
	"testing"
)

func TestKillRuns(t *testing.T) {
	c := KillCommand{
		Kinds: []string{oursBinary, zapBuffered, "phuslu-async", "zerolog-diode"}, Callers: []int{1, 4}, Dir: t.TempDir(),
		options: options{Quick: true, Seed: 1},
	}
	if err := c.Run(context.Background()); err != nil {
		t.Error(err)
	}
}

// A killed child of ours is checked in full, whatever the smoke run prints.
func TestKilledLogKeepsWhatItHadAccepted(t *testing.T) {
	k, err := findKind(oursBinary)
	if err != nil {
		t.Fatal(err)
	}
	c := KillCommand{Least: 2_000, Most: 20_000, Dir: t.TempDir()}
	random := newRandom(1, 1)
	for _, callers := range []int{1, 4} {
		d, err := c.kill(context.Background(), k, callers, random)
		if err != nil {
			t.Fatal(err)
		}
		if d.Returned < c.Least || d.Lost != 0 || d.Gaps != 0 || d.Duplicates != 0 || d.Corrupt != 0 || d.Strange != 0 {
			t.Errorf("%d callers: %+v", callers, d)
		}
	}
}

func TestChildThatEndsByItselfIsReported(t *testing.T) {
	c := KillCommand{Least: 1, Most: 1, Dir: t.TempDir()}
	_, err := c.kill(context.Background(), kind{name: "none"}, 1, newRandom(1, 1))
	if err == nil || !strings.Contains(err.Error(), "ended by itself") {
		t.Errorf("error %v", err)
	}
}

func TestDeathsAreJudged(t *testing.T) {
	report := func(ours, peer death) *killReport {
		return &killReport{Deaths: []deaths{
			{Name: oursBinary, class: classOurs, Runs: []death{{Returned: 10}, ours}},
			{Name: zapBuffered, class: classBuffered, Runs: []death{{Returned: 10}, peer}},
		}}
	}
	for name, c := range map[string]struct {
		ours, peer death
		want       string // of the error; empty: all gates hold
	}{
		"as it should be":        {death{Tombstones: 1}, death{Lost: 5}, ""},
		"ours lost one":          {death{Lost: 1}, death{Lost: 5}, "ours: lost is 1"},
		"ours has a gap":         {death{Gaps: 1}, death{Lost: 5}, "ours: gaps is 1"},
		"ours has one twice":     {death{Duplicates: 1}, death{Lost: 5}, "ours: duplicates is 1"},
		"ours is corrupt":        {death{Corrupt: 1}, death{Lost: 5}, "ours: corrupt is 1"},
		"ours has a strange one": {death{Strange: 1}, death{Lost: 5}, "ours: strange is 1"},
		"nobody loses anything":  {death{}, death{}, "all peers: lost is 0"},
	} {
		err := report(c.ours, c.peer).judge().judge()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
