package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"strings"
	"text/tabwriter"

	"vitrine/servers/bench/ratio"
)

// peersReport is the outcome of all cells.
type peersReport struct {
	Seed       uint64       `json:"seed"`
	LoadBefore float64      `json:"load_average_before"`
	LoadAfter  float64      `json:"load_average_after"`
	Cells      []cellReport `json:"cells"`
	Gates      []gateReport `json:"gates"`
}

// cellReport is one shape on all servers.
type cellReport struct {
	Conns   int            `json:"conns"`
	Depth   int            `json:"depth"`
	Size    int            `json:"size"`
	Servers []serverReport `json:"servers"`
}

// serverReport is one server in one cell: medians over the rounds.
type serverReport struct {
	Name        string             `json:"name"`
	CPU         float64            `json:"cpu_us"` // of the server, per message
	Rate        float64            `json:"messages_per_second"`
	P99         float64            `json:"p99_us"`
	Busy        float64            `json:"busy"` // 1 = one core
	LoadBusy    float64            `json:"load_busy"`
	IdlePerConn float64            `json:"idle_bytes_per_conn"`
	Ratios      map[string]float64 `json:"ratios"` // baseline -> median of the rounds' CPU ratios
	Runs        []loadResult       `json:"runs"`   // one a round
}

// gateReport is one ratio and what the table says of it.
type gateReport struct {
	Depth    int       `json:"depth"`
	Subject  string    `json:"subject"`
	Baseline string    `json:"baseline"`
	Rounds   []float64 `json:"rounds"`
	Median   float64   `json:"median"` // 0 when not run
	Quiet    float64   `json:"quiet"`  // of the costs' lower quartiles: the rounds least disturbed
	Gate     float64   `json:"gate,omitempty"`
	Goal     float64   `json:"goal,omitempty"`
	Verdict  string    `json:"verdict"`
}

// column takes one figure out of every round.
func (s *serverReport) column(figure func(loadResult) float64) []float64 {
	values := make([]float64, len(s.Runs))
	for i, r := range s.Runs {
		values[i] = figure(r)
	}
	return values
}

func (s *serverReport) cpu() []float64 {
	return s.column(func(r loadResult) float64 { return r.ServerCPU })
}

// summarize fills in the medians once all rounds are there.
func (c *cellReport) summarize() {
	for i := range c.Servers {
		s := &c.Servers[i]
		s.CPU = ratio.Median(s.cpu())
		s.Rate = ratio.Median(s.column(func(r loadResult) float64 { return r.MessagesPerSecond }))
		s.P99 = ratio.Median(s.column(func(r loadResult) float64 { return r.P99 }))
		s.Busy = ratio.Median(s.column(func(r loadResult) float64 { return r.ServerBusy }))
		s.LoadBusy = ratio.Median(s.column(func(r loadResult) float64 { return r.LoadBusy }))
		s.IdlePerConn = ratio.Median(s.column(func(r loadResult) float64 { return r.IdlePerConn }))
		s.Ratios = make(map[string]float64)
		for _, name := range c.baselines() {
			s.Ratios[name] = ratio.Median(ratio.Of(s.cpu(), c.server(name).cpu()))
		}
	}
}

// add notes what one round saw of a server.
func (c *cellReport) add(server int, r loadResult) {
	c.Servers[server].Runs = append(c.Servers[server].Runs, r)
}

// baselines names the servers that others are compared with: all but ours.
func (c *cellReport) baselines() []string {
	var names []string
	for _, s := range c.Servers {
		if !strings.HasPrefix(s.Name, subjectKind) && !strings.HasSuffix(s.Name, againSuffix) {
			names = append(names, s.Name)
		}
	}
	return names
}

// server finds a server by name, nil when it did not run.
func (c *cellReport) server(name string) *serverReport {
	for i := range c.Servers {
		if c.Servers[i].Name == name {
			return &c.Servers[i]
		}
	}
	return nil
}

// judge fills in the gates of the table and each cell's A/A control.
func (r *peersReport) judge(table []gate, limit float64) {
	for i := range r.Cells {
		cell := &r.Cells[i]
		for _, g := range table {
			if g.depth == cell.Depth {
				r.Gates = append(r.Gates, cell.compare(g))
			}
		}
		r.Gates = append(r.Gates, cell.control(limit))
	}
}

func (c *cellReport) compare(g gate) gateReport {
	report := gateReport{Depth: g.depth, Subject: g.subject, Baseline: g.baseline, Gate: g.gate, Goal: g.goal}
	over, under := c.server(g.subject), c.server(g.baseline)
	if over == nil || under == nil {
		report.Verdict = g.judge(math.NaN())
		return report
	}
	report.divide(over, under)
	report.Verdict = g.judge(report.Median)
	return report
}

// divide fills in the ratio of two servers.
func (g *gateReport) divide(over, under *serverReport) {
	g.Rounds = ratio.Of(over.cpu(), under.cpu())
	g.Median = ratio.Median(g.Rounds)
	g.Quiet = ratio.Quantile(over.cpu(), .25) / ratio.Quantile(under.cpu(), .25)
}

// control compares the server that ran twice, which is the last, with itself.
func (c *cellReport) control(limit float64) gateReport {
	again := &c.Servers[len(c.Servers)-1]
	first := c.server(strings.TrimSuffix(again.Name, againSuffix))
	report := gateReport{Depth: c.Depth, Subject: again.Name, Baseline: first.Name, Verdict: verdictAgree}
	report.divide(again, first)
	if !ratio.Agrees(report.Median, limit) {
		report.Verdict = verdictControl
	}
	return report
}

// missed names the gates that do not hold, and the cells whose figures decide
// nothing because the same server differs from itself.
func (r *peersReport) missed() []string {
	var names []string
	for _, g := range r.Gates {
		text := fmt.Sprintf("%s / %s at depth %d is %.3f", g.Subject, g.Baseline, g.Depth, g.Median)
		switch g.Verdict {
		case verdictMissed:
			names = append(names, fmt.Sprintf("%s, gate %.2f", text, g.Gate))
		case verdictControl:
			names = append(names, text+", A/A")
		}
	}
	return names
}

// print writes the tables, or one JSON line.
func (r *peersReport) print(w io.Writer, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(r)
	}
	for i := range r.Cells {
		if err := r.Cells[i].print(w); err != nil {
			return err
		}
	}
	if err := printGates(w, r.Gates); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "quiet: ratio of the lower quartiles of the costs; seed %d, load average %.2f before, %.2f after\n",
		r.Seed, r.LoadBefore, r.LoadAfter)
	return err
}

func (c *cellReport) print(w io.Writer) error {
	fmt.Fprintf(w, "depth %d, %d connections, %d bytes; medians of %d rounds\n", c.Depth, c.Conns, c.Size, len(c.Servers[0].Runs))
	table := newTable(w)
	fmt.Fprint(table, "server\tcpu us/msg\tmsgs/s\tp99 us\tbusy\tload busy\tidle B/conn\t")
	for _, name := range c.baselines() {
		fmt.Fprintf(table, "/ %s\t", name)
	}
	fmt.Fprintln(table)
	for _, s := range c.Servers {
		fmt.Fprintf(table, "%s\t%.3f\t%.0f\t%.0f\t%.2f\t%.2f\t%.0f\t", s.Name, s.CPU, s.Rate, s.P99, s.Busy, s.LoadBusy, s.IdlePerConn)
		for _, name := range c.baselines() {
			fmt.Fprintf(table, "%.3f\t", s.Ratios[name])
		}
		fmt.Fprintln(table)
	}
	fmt.Fprintln(table)
	return table.Flush()
}

func printGates(w io.Writer, gates []gateReport) error {
	table := newTable(w)
	fmt.Fprintln(table, "depth\tcpu of\tover\tmedian\tgate\tgoal\tverdict\tquartiles\tquiet\t")
	for _, g := range gates {
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", g.Depth, g.Subject, g.Baseline,
			figure(g.Median), figure(g.Gate), figure(g.Goal), g.Verdict, spread(g.Rounds), figure(g.Quiet))
	}
	fmt.Fprintln(table)
	return table.Flush()
}

func newTable(w io.Writer) *tabwriter.Writer {
	return tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
}

// figure prints a ratio, and a dash for none.
func figure(v float64) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf("%.3f", v)
}

// spread prints the quartiles of the rounds, the lower and the upper.
func spread(rounds []float64) string {
	if len(rounds) == 0 {
		return "-"
	}
	return fmt.Sprintf("%.3f .. %.3f", ratio.Quantile(rounds, .25), ratio.Quantile(rounds, .75))
}

func newCellReport(conns, depth, size int, names []string) cellReport {
	cell := cellReport{Conns: conns, Depth: depth, Size: size, Servers: make([]serverReport, len(names))}
	for i, name := range names {
		cell.Servers[i].Name = name
	}
	return cell
}
