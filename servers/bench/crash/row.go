//go:build linux

package crash

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"vitrine/crash/provoke"
	"vitrine/servers/bench/ratio"
)

// row is what came of one class.
type row struct {
	Class    string    `json:"class"`
	Runs     int       `json:"runs"`
	Complete int       `json:"complete"` // runs of which nothing was missing
	Bundles  int       `json:"bundles"`
	Reasons  int       `json:"reasons"`
	Cores    int       `json:"cores"` // opened, with all that they must show
	Statuses int       `json:"statuses"`
	Bare     int       `json:"status"` // exit status without capture
	Text     []float64 `json:"text_ms"`
	Whole    []float64 `json:"complete_ms"`
	Note     string    `json:"note,omitempty"` // why there is no core, or less to see in it
	NoCore   bool      `json:"no_core,omitempty"`
}

func newRow(class *provoke.Class, runs, bare int) *row {
	return &row{
		Class: class.Name, Runs: runs, Bare: bare, NoCore: class.NoCore != "", Note: cmp.Or(class.NoCore, class.NoPanicker, class.NoStack),
	}
}

// count adds one run, its core excepted, and says what differs from the process without capture.
func (r *row) count(class *provoke.Class, o *provoke.Outcome) (missing []string) {
	if o.Status == r.Bare {
		r.Statuses++
	} else {
		missing = append(missing, fmt.Sprintf("exit status %d, without capture %d", o.Status, r.Bare))
	}
	if o.Meta == nil {
		return missing
	}
	r.Bundles++
	if strings.Contains(o.Meta.Reason, class.Reason) && o.Meta.Class == class.Is {
		r.Reasons++
	}
	r.Text = append(r.Text, float64(o.Meta.Timings.TextMS))
	r.Whole = append(r.Whole, float64(o.Meta.Timings.CompleteMS))
	return missing
}

// printRows prints the table and what it needs to be understood.
func printRows(w io.Writer, rows []*row) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "class\tbundles\treason\tcore in dlv\texit status\ttext ms\tcomplete ms\t")
	var notes []string
	for _, r := range rows {
		core := fmt.Sprintf("%d/%d", r.Cores, r.Runs)
		if r.NoCore {
			core = "none"
		}
		if r.Note != "" {
			core += " " + mention(&notes, r.Note)
		}
		fmt.Fprintf(table, "%s\t%d/%d\t%d/%d\t%s\t%d/%d (%d)\t%.0f\t%.0f\t\n", r.Class, r.Bundles, r.Runs, r.Reasons, r.Runs, core,
			r.Statuses, r.Runs, r.Bare, ratio.Median(r.Text), ratio.Median(r.Whole))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for i, note := range notes {
		fmt.Fprintf(w, "(%d) %s\n", i+1, note)
	}
	_, err := fmt.Fprintln(w, "core in dlv: the panicker is the current goroutine, its stack holds the function that died, runtime.gopanic shows the value where it\n"+
		"panicked, player 42 is in memory; text and complete are medians from the first byte of the crash, by the monitor's clock")
	return err
}

// mention numbers a note, the same one alike.
func mention(notes *[]string, note string) string {
	i := slices.Index(*notes, note)
	if i < 0 {
		i = len(*notes)
		*notes = append(*notes, note)
	}
	return fmt.Sprintf("(%d)", i+1)
}
