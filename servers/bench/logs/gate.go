//go:build linux

package logs

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// Verdicts on a gate.
const (
	verdictHeld   = "gate"
	verdictMissed = "MISSED"
	verdictSmoke  = "not judged"
)

// gate is one figure and the bound it is held to.
type gate struct {
	Name    string  `json:"name"`
	Value   float64 `json:"value"`
	Bound   string  `json:"bound"` // <= or >=
	Limit   float64 `json:"limit"`
	Spread  string  `json:"quartiles,omitempty"` // of the rounds, where there are some
	Quiet   string  `json:"quiet,omitempty"`     // the same of the rounds least disturbed
	Verdict string  `json:"verdict"`
}

func atMost(name string, value, limit float64) gate  { return newGate(name, value, "<=", limit) }
func atLeast(name string, value, limit float64) gate { return newGate(name, value, ">=", limit) }

func newGate(name string, value float64, bound string, limit float64) gate {
	g := gate{Name: name, Value: value, Bound: bound, Limit: limit, Verdict: verdictMissed}
	if bound == "<=" && value <= limit || bound == ">=" && value >= limit {
		g.Verdict = verdictHeld
	}
	return g
}

// gates are all of a command.
type gates []gate

// smoke takes the verdicts back.
func (gs gates) smoke() {
	for i := range gs {
		gs[i].Verdict = verdictSmoke
	}
}

// judge names what is missed.
func (gs gates) judge() error {
	var missed []string
	for _, g := range gs {
		if g.Verdict == verdictMissed {
			missed = append(missed, fmt.Sprintf("%s is %s, want %s %s", g.Name, number(g.Value), g.Bound, number(g.Limit)))
		}
	}
	if len(missed) > 0 {
		return fmt.Errorf("gate missed: %s", strings.Join(missed, "; "))
	}
	return nil
}

func (gs gates) print(w io.Writer) error {
	table := newTable(w)
	fmt.Fprintln(table, "gate\tfigure\tbound\tquartiles\tquiet\tverdict\t")
	for _, g := range gs {
		fmt.Fprintf(table, "%s\t%s\t%s %s\t%s\t%s\t%s\t\n",
			g.Name, number(g.Value), g.Bound, number(g.Limit), g.Spread, g.Quiet, g.Verdict)
	}
	return table.Flush()
}

// outcome is what a command prints.
type outcome interface{ table(io.Writer) error }

// conclude prints an outcome with its gates, or one JSON line, and fails when a
// gate is missed, unless the run was a smoke test.
func conclude(w io.Writer, o outcome, gs gates, asJSON, quick bool) error {
	if quick {
		gs.smoke()
	}
	if asJSON {
		if err := json.NewEncoder(w).Encode(map[string]any{"report": o, "gates": gs}); err != nil {
			return err
		}
		return gs.judge()
	}
	if err := o.table(w); err != nil {
		return err
	}
	if err := gs.print(w); err != nil {
		return err
	}
	return gs.judge()
}

// number prints a figure without more digits than it needs.
func number(v float64) string {
	if v == float64(int64(v)) {
		return fmt.Sprint(int64(v))
	}
	return fmt.Sprintf("%.3f", v)
}

func newTable(w io.Writer) *tabwriter.Writer {
	return tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
}
