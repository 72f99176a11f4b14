//go:build linux

package logs

import (
	"fmt"
	"io"

	"vitrine/servers/bench/ratio"
)

// findReport is every answer.
type findReport struct {
	Seed    uint64       `json:"seed"`
	Records uint64       `json:"records"`
	Forms   []formReport `json:"forms"`
}

// formReport is one form of the data.
type formReport struct {
	Form    string   `json:"form"`
	Data    int64    `json:"data_bytes"`
	Index   int64    `json:"index_bytes"`
	Answers []answer `json:"answers"`
}

// answer is what one kind of question got.
type answer struct {
	Name string `json:"question"`
	Runs []run  `json:"runs"`
}

// run is one question, answered.
type run struct {
	Millis float64 `json:"ms"`
	Hits   int64   `json:"hits"`
	Blocks int     `json:"blocks"`
	Lines  int64   `json:"grep_lines"` // that grep found, asked the same
	Grep   float64 `json:"grep_ms"`
}

func (f *formReport) answer(name string) *answer {
	for i := range f.Answers {
		if f.Answers[i].Name == name {
			return &f.Answers[i]
		}
	}
	f.Answers = append(f.Answers, answer{Name: name})
	return &f.Answers[len(f.Answers)-1]
}

func (a *answer) column(figure func(run) float64) []float64 {
	values := make([]float64, len(a.Runs))
	for i, one := range a.Runs {
		values[i] = figure(one)
	}
	return values
}

func (a *answer) millis() []float64 { return a.column(func(r run) float64 { return r.Millis }) }

// faster is how many times sooner than grep the answers came, each beside its own.
func (a *answer) faster() []float64 {
	return a.column(func(r run) float64 { return r.Grep / r.Millis })
}

// wrong counts the records that were found and not by grep, or the reverse.
func (a *answer) wrong() (n int64) {
	for _, r := range a.Runs {
		n += max(r.Hits-r.Lines, r.Lines-r.Hits)
	}
	return n
}

// share is the indexes' part of the data, in percent.
func (f *formReport) share() float64 { return 100 * float64(f.Index) / float64(max(1, f.Data)) }

func (r *findReport) judge() (all gates) {
	for i := range r.Forms {
		f := &r.Forms[i]
		for j := range f.Answers {
			a := &f.Answers[j]
			name := f.Form + ", " + a.Name + ": "
			if bound, ok := map[string]float64{"index": indexGate, "session": sessionGate}[a.Name]; ok {
				g := atMost(name+"ms", ratio.Median(a.millis()), bound)
				g.Spread = spread(a.millis())
				all = append(all, g)
			}
			faster := atLeast(name+"times faster than grep", ratio.Median(a.faster()), fasterGate)
			faster.Spread = spread(a.faster())
			all = append(all, faster, atMost(name+"records more or less than grep", float64(a.wrong()), 0),
				atLeast(name+"records", float64(a.Runs[0].Hits), 1))
		}
		all = append(all, atMost(f.Form+", indexes: % of the data", f.share(), indexBytesGate))
	}
	return all
}

func (r *findReport) table(w io.Writer) error {
	for i := range r.Forms {
		f := &r.Forms[i]
		fmt.Fprintf(w, "%s: %d records, %.1f MB of data uncompressed, %.2f MB of indexes (%.3f %%)\n",
			f.Form, r.Records, float64(f.Data)/1e6, float64(f.Index)/1e6, f.share())
		table := newTable(w)
		fmt.Fprintln(table, "question\tms\tquartiles\thits\tblocks read\tgrep ms\ttimes faster\t")
		for j := range f.Answers {
			a := &f.Answers[j]
			fmt.Fprintf(table, "%s\t%.2f\t%s\t%.0f\t%.0f\t%.0f\t%.0f\t\n", a.Name, ratio.Median(a.millis()), spread(a.millis()),
				ratio.Median(a.column(func(o run) float64 { return float64(o.Hits) })),
				ratio.Median(a.column(func(o run) float64 { return float64(o.Blocks) })),
				ratio.Median(a.column(func(o run) float64 { return o.Grep })), ratio.Median(a.faster()))
		}
		fmt.Fprintln(table)
		if err := table.Flush(); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "medians; opening included, each question asked once before; grep: over the text of the same records, right before; seed %d\n", r.Seed)
	return err
}
