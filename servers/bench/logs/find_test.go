//go:build linux

package logs

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// smallData makes a log of 4 MB in both forms.
func smallData(t *testing.T) *DataCommand {
	t.Helper()
	c := &DataCommand{Dir: t.TempDir(), Bytes: 4e6, Sessions: 300, Alive: 20, Compressed: true, Seed: 1}
	if err := c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	return c
}

func TestAnswersAreThoseOfGrep(t *testing.T) {
	data := smallData(t)
	c := FindCommand{Dir: data.Dir, Rounds: 2, options: options{Seed: 1}}
	report, err := c.measure(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if len(report.Forms) != 2 || report.Records < 30_000 {
		t.Fatalf("%+v", report)
	}
	for _, f := range report.Forms {
		if f.Data < 4e6 || f.Index <= 0 {
			t.Errorf("%s: %d bytes of data, %d of indexes", f.Form, f.Data, f.Index)
		}
		for _, a := range f.Answers {
			for _, r := range a.Runs {
				if r.Hits == 0 || r.Hits != r.Lines {
					t.Errorf("%s, %s: %d records, %d lines", f.Form, a.Name, r.Hits, r.Lines)
				}
			}
		}
	}
	if err = (&FindCommand{Dir: data.Dir, options: options{Quick: true}}).Run(context.Background()); err != nil {
		t.Error(err)
	}
}

func TestCompleteDataIsUsedAgain(t *testing.T) {
	c := smallData(t)
	text := filepath.Join(c.Dir, textFile)
	before, err := os.Stat(text)
	if err != nil {
		t.Fatal(err)
	}
	if err = c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(text); err != nil || !os.SameFile(before, after) || !after.ModTime().Equal(before.ModTime()) {
		t.Errorf("complete data was made again: %v", err)
	}
	c.Again = true
	if err = c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if after, err := os.Stat(text); err != nil || after.ModTime().Equal(before.ModTime()) {
		t.Errorf("data was not made again: %v", err)
	}
	c.Seed, c.Again = 2, false
	if err = c.Run(context.Background()); err != nil {
		t.Fatal(err)
	}
	if m, err := readManifest(filepath.Join(c.Dir, dataDir)); err != nil || m.Seed != 2 {
		t.Errorf("another seed: %+v, %v", m, err)
	}
}

func TestInterruptedDataIsNotComplete(t *testing.T) {
	c := &DataCommand{Dir: t.TempDir(), Bytes: 20e6, Sessions: 300, Alive: 20, Seed: 1}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if err := c.Run(ctx); err == nil {
		t.Fatal("no error")
	}
	if _, err := readManifest(filepath.Join(c.Dir, dataDir)); err == nil {
		t.Error("there is a manifest")
	}
}

func TestFindAsksForDataFirst(t *testing.T) {
	c := FindCommand{Dir: t.TempDir(), options: options{Quick: true}}
	if err := c.Run(context.Background()); err == nil || !strings.Contains(err.Error(), "logdata") {
		t.Errorf("error %v", err)
	}
}

func TestGrepCountsLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(path, []byte("a / 1] b\na / 11] b\na / 1] c\n"), 0o640); err != nil {
		t.Fatal(err)
	}
	for fixed, want := range map[string]int64{" / 1]": 2, " / 11]": 1, " / 2]": 0, "--help": 0} {
		if got, took, err := grep(context.Background(), fixed, path); err != nil || got != want || took <= 0 {
			t.Errorf("%q: %d lines in %v, %v, want %d", fixed, got, took, err, want)
		}
	}
	if _, _, err := grep(context.Background(), "a", path+"x"); err == nil {
		t.Error("a missing file is no error")
	}
}

func TestAnswersAreJudged(t *testing.T) {
	report := func(millis float64, hits, lines, index int64) *findReport {
		return &findReport{Forms: []formReport{{Form: dataDir, Data: 1000, Index: index, Answers: []answer{
			{Name: "index", Runs: []run{{Millis: millis, Hits: hits, Lines: lines, Grep: 1000}}},
		}}}}
	}
	for name, c := range map[string]struct {
		report *findReport
		want   string // of the error; empty: all gates hold
	}{
		"as it should be":    {report(4, 1, 1, 5), ""},
		"slow":               {report(6, 1, 1, 5), "data, index: ms is 6"},
		"hardly faster":      {report(21, 1, 1, 5), "times faster than grep is 47.619"},
		"grep finds more":    {report(4, 1, 2, 5), "more or less than grep is 1"},
		"nothing found":      {report(4, 0, 0, 5), "records is 0, want >= 1"},
		"the index is large": {report(4, 1, 1, 6), "indexes: % of the data is 0.600"},
	} {
		err := c.report.judge().judge()
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
