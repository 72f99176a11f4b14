//go:build linux

package logs

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"vitrine/servers/bench/ratio"
)

// costReport is what records cost, all loggers with each number of callers.
type costReport struct {
	Seed    uint64 `json:"seed"`
	Records int    `json:"records"`
	Costs   []cost `json:"costs"`
}

// cost is one logger with one number of callers: one visit a round.
type cost struct {
	Name    string  `json:"name"`
	Callers int     `json:"callers"`
	Visits  []visit `json:"visits"`
	kind    kind
}

func newCostReport(seed uint64, records int, callers []int, kinds []kind) *costReport {
	r := &costReport{Seed: seed, Records: records}
	for _, n := range callers {
		for _, k := range kinds {
			r.Costs = append(r.Costs, cost{Name: k.name, Callers: n, kind: k})
		}
	}
	return r
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

func (r *costReport) find(name string, callers int) *cost {
	for i := range r.Costs {
		if c := &r.Costs[i]; c.Name == name && c.Callers == callers {
			return c
		}
	}
	return nil
}

// cells returns the numbers of callers.
func (r *costReport) cells() []int {
	var cells []int
	for _, c := range r.Costs {
		if !slices.Contains(cells, c.Callers) {
			cells = append(cells, c.Callers)
		}
	}
	return cells
}

// control divides what was measured twice, round by round.
func (r *costReport) control(callers int) []float64 {
	for i := range r.Costs {
		if name, twice := strings.CutSuffix(r.Costs[i].Name, againSuffix); twice && r.Costs[i].Callers == callers {
			return ratio.Of(r.Costs[i].nanos(), r.find(name, callers).nanos())
		}
	}
	return nil
}

// agrees tells whether the controls of all cells do.
func (r *costReport) agrees(limit float64) bool {
	return !slices.ContainsFunc(r.cells(), func(callers int) bool {
		return !ratio.Agrees(ratio.Median(r.control(callers)), limit)
	})
}

// fastest is the synchronous peer with the least median.
func (r *costReport) fastest(callers int) *cost {
	var best *cost
	for i := range r.Costs {
		c := &r.Costs[i]
		if c.kind.class != classSynchronous || c.Callers != callers {
			continue
		}
		if best == nil || ratio.Median(c.nanos()) < ratio.Median(best.nanos()) {
			best = c
		}
	}
	return best
}

// judge holds ours to its gates; what did not run is not judged.
func (r *costReport) judge(agree float64) gates {
	var all gates
	for _, callers := range r.cells() {
		bound := oneCallerGate
		if callers > 1 {
			bound = manyCallersGate
		}
		for _, peer := range []string{zerologSync, zapBuffered} {
			all = r.compare(all, r.find(oursBinary, callers), r.find(peer, callers), bound)
		}
		if callers == 1 {
			all = r.compare(all, r.find(oursText, callers), r.fastest(callers), textGate)
		}
		all = append(all, r.agreement(callers, agree))
	}
	return append(all, r.frugal()...)
}

func (r *costReport) compare(all gates, over, under *cost, bound float64) gates {
	if over == nil || under == nil {
		return all
	}
	rounds := ratio.Of(over.nanos(), under.nanos())
	g := atMost(fmt.Sprintf("%s / %s, %s", over.Name, under.Name, callersText(over.Callers)), ratio.Median(rounds), bound)
	g.Spread = spread(rounds)
	return append(all, g)
}

// agreement is the control as a gate: without it no time means anything.
func (r *costReport) agreement(callers int, limit float64) gate {
	rounds := r.control(callers)
	g := atMost(fmt.Sprintf("A/A off by, %s", callersText(callers)), max(ratio.Median(rounds)-1, 1-ratio.Median(rounds)), limit)
	g.Spread = spread(rounds)
	return g
}

// frugal are the gates on allocations, and on calls that were refused.
func (r *costReport) frugal() (all gates) {
	for i := range r.Costs {
		c := &r.Costs[i]
		if c.kind.class != classOurs || strings.HasSuffix(c.Name, againSuffix) {
			continue
		}
		name := fmt.Sprintf("%s, %s: ", c.Name, callersText(c.Callers))
		all = append(all,
			atMost(name+"allocations", ratio.Median(c.column(func(v visit) float64 { return v.Allocs })), allocGate),
			atMost(name+"refused calls", c.dropped(), 0))
	}
	return all
}

func (c *cost) dropped() (sum float64) {
	for _, v := range c.Visits {
		sum += float64(v.Dropped)
	}
	return sum
}

// table prints every cell.
func (r *costReport) table(w io.Writer) error {
	for _, callers := range r.cells() {
		ours := r.find(oursBinary, callers).nanos()
		fmt.Fprintf(w, "%s, %d records a visit; medians of %d rounds\n", callersText(callers), r.Records, len(r.Costs[0].Visits))
		table := newTable(w)
		fmt.Fprintln(table, "logger\tns/record\tquartiles\tcpu ns\tallocs\tB/record\t/ ours\t")
		for i := range r.Costs {
			c := &r.Costs[i]
			if c.Callers != callers {
				continue
			}
			fmt.Fprintf(table, "%s\t%.0f\t%s\t%.0f\t%.2f\t%.0f\t%s\t\n", c.Name, ratio.Median(c.nanos()), whole(c.nanos()),
				ratio.Median(c.column(func(v visit) float64 { return v.CPU })),
				ratio.Median(c.column(func(v visit) float64 { return v.Allocs })),
				ratio.Median(c.column(func(v visit) float64 { return v.Bytes })),
				times(ratio.Median(ratio.Of(c.nanos(), ours))))
		}
		fmt.Fprintln(table)
		if err := table.Flush(); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "cpu: of the whole process, other goroutines included; seed %d\n", r.Seed)
	return err
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
