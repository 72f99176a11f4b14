//go:build linux

package logs

import (
	"fmt"
	"io"
	"strings"

	"vitrine/servers/bench/ratio"
)

// costReport is what records cost.
type costReport struct {
	Seed    uint64 `json:"seed"`
	Records int    `json:"records"`
	Cells   []cell `json:"cells"`
}

// cell is all loggers with one number of callers; the last is the first again.
type cell struct {
	Callers int    `json:"callers"`
	Costs   []cost `json:"loggers"`
}

// cost is one logger in a cell: one visit a round.
type cost struct {
	Name   string  `json:"name"`
	Visits []visit `json:"visits"`
	kind   kind
}

func newCell(callers int, kinds []kind) cell {
	c := cell{Callers: callers}
	for _, k := range kinds {
		c.Costs = append(c.Costs, cost{Name: k.name, kind: k})
	}
	return c
}

// column takes one figure out of every round; nil for a logger that did not run.
func (c *cost) column(figure func(visit) float64) []float64 {
	if c == nil {
		return nil
	}
	values := make([]float64, len(c.Visits))
	for i, v := range c.Visits {
		values[i] = figure(v)
	}
	return values
}

func (c *cost) nanos() []float64 { return c.column(func(v visit) float64 { return v.Nanos }) }

func (c *cell) find(name string) *cost {
	for i := range c.Costs {
		if c.Costs[i].Name == name {
			return &c.Costs[i]
		}
	}
	return nil
}

// control divides what was measured twice, round by round.
func (c *cell) control() []float64 {
	again := &c.Costs[len(c.Costs)-1]
	return ratio.Of(again.nanos(), c.find(strings.TrimSuffix(again.Name, againSuffix)).nanos())
}

// fastest is the synchronous peer with the least median.
func (c *cell) fastest() *cost {
	var best *cost
	for i := range c.Costs {
		one := &c.Costs[i]
		if one.kind.class == classSynchronous && (best == nil || ratio.Median(one.nanos()) < ratio.Median(best.nanos())) {
			best = one
		}
	}
	return best
}

// judge holds ours to its gates; what did not run is not judged.
func (r *costReport) judge(agree float64) (all gates) {
	for i := range r.Cells {
		c := &r.Cells[i]
		bound := oneCallerGate
		if c.Callers > 1 {
			bound = manyCallersGate
		}
		for _, peer := range []string{zerologSync, zapBuffered} {
			all = c.compare(all, c.find(oursBinary), c.find(peer), bound)
		}
		if c.Callers == 1 {
			all = c.compare(all, c.find(oursText), c.fastest(), textGate)
		}
		all = append(all, c.agreement(agree))
		all = append(all, c.frugal()...)
	}
	return all
}

func (c *cell) compare(all gates, over, under *cost, bound float64) gates {
	if over == nil || under == nil {
		return all
	}
	rounds := ratio.Of(over.nanos(), under.nanos())
	g := atMost(fmt.Sprintf("%s / %s, %s", over.Name, under.Name, callersText(c.Callers)), ratio.Median(rounds), bound)
	g.Spread = spread(rounds)
	g.Quiet = number(ratio.Quantile(over.nanos(), .25) / ratio.Quantile(under.nanos(), .25))
	return append(all, g)
}

// agreement is the control as a gate: without it no time means anything.
func (c *cell) agreement(limit float64) gate {
	rounds := c.control()
	off := ratio.Median(rounds) - 1
	g := atMost("A/A off by, "+callersText(c.Callers), max(off, -off), limit)
	g.Spread = spread(rounds)
	return g
}

// frugal are the gates on allocations, and on calls that were refused.
func (c *cell) frugal() (all gates) {
	for i := range c.Costs {
		one := &c.Costs[i]
		if one.kind.class != classOurs || strings.HasSuffix(one.Name, againSuffix) {
			continue
		}
		name := fmt.Sprintf("%s, %s: ", one.Name, callersText(c.Callers))
		all = append(all,
			atMost(name+"allocations", ratio.Median(one.column(func(v visit) float64 { return v.Allocs })), allocGate),
			atMost(name+"refused calls", one.refused(), 0))
	}
	return all
}

func (c *cost) refused() (sum float64) {
	for _, v := range c.Visits {
		sum += float64(v.Refused)
	}
	return sum
}

// table prints every cell.
func (r *costReport) table(w io.Writer) error {
	for i := range r.Cells {
		c := &r.Cells[i]
		fmt.Fprintf(w, "%s, %d records a visit; medians of %d rounds\n", callersText(c.Callers), r.Records, len(c.Costs[0].Visits))
		if err := c.table(w); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "cpu: of the whole process, other goroutines included; quiet: ratio of the lower quartiles; seed %d\n", r.Seed)
	return err
}

func (c *cell) table(w io.Writer) error {
	ours := c.find(oursBinary).nanos()
	table := newTable(w)
	fmt.Fprintln(table, "logger\tns/record\tquartiles\tcpu ns\tallocs\tB/record\t/ ours\t")
	for i := range c.Costs {
		one := &c.Costs[i]
		fmt.Fprintf(table, "%s\t%.0f\t%s\t%.0f\t%.2f\t%.0f\t%s\t\n", one.Name, ratio.Median(one.nanos()), whole(one.nanos()),
			ratio.Median(one.column(func(v visit) float64 { return v.CPU })),
			ratio.Median(one.column(func(v visit) float64 { return v.Allocs })),
			ratio.Median(one.column(func(v visit) float64 { return v.Bytes })),
			times(ratio.Median(ratio.Of(one.nanos(), ours))))
	}
	fmt.Fprintln(table)
	return table.Flush()
}

// spread prints the quartiles of ratios, the lower and the upper.
func spread(rounds []float64) string {
	return fmt.Sprintf("%.3f .. %.3f", ratio.Quantile(rounds, .25), ratio.Quantile(rounds, .75))
}

// whole prints the quartiles of times.
func whole(values []float64) string {
	return fmt.Sprintf("%.0f .. %.0f", ratio.Quantile(values, .25), ratio.Quantile(values, .75))
}

// times prints a ratio, and a dash where there is nothing to divide by.
func times(v float64) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", v)
}

func callersText(n int) string {
	if n == 1 {
		return "1 caller"
	}
	return fmt.Sprintf("%d callers", n)
}
