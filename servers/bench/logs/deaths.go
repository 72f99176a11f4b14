//go:build linux

package logs

import (
	"fmt"
	"io"

	"vitrine/servers/bench/ratio"
)

// killReport is what was found after all kills.
type killReport struct {
	Seed   uint64   `json:"seed"`
	Deaths []deaths `json:"loggers"`
}

// deaths are those of one logger.
type deaths struct {
	Name  string  `json:"name"`
	Runs  []death `json:"runs"`
	class class
}

// death is one kill and what was found after it.
type death struct {
	Callers    int     `json:"callers"`
	Returned   uint64  `json:"returned"`
	Lost       uint64  `json:"lost"` // had returned and is not there
	Duplicates uint64  `json:"duplicates"`
	Strange    uint64  `json:"strange"` // no call's, out of its caller's order, or of a call that had not begun
	Gaps       int     `json:"gaps"`    // in the index; of ours
	Corrupt    int     `json:"corrupt"`
	Tombstones uint64  `json:"tombstones"` // indexes of calls that were under way
	Recovery   float64 `json:"recovery_ms"`
}

// total adds one figure of all runs.
func (d *deaths) total(figure func(death) float64) (sum float64) {
	for _, one := range d.Runs {
		sum += figure(one)
	}
	return sum
}

func (d *deaths) lost() float64 { return d.total(func(o death) float64 { return float64(o.Lost) }) }
func (d *deaths) returned() float64 {
	return d.total(func(o death) float64 { return float64(o.Returned) })
}

// harmed counts the runs that lost something.
func (d *deaths) harmed() float64 {
	return d.total(func(o death) float64 {
		if o.Lost > 0 {
			return 1
		}
		return 0
	})
}

// judge holds ours to nothing lost, and the harness to finding losses at all.
func (r *killReport) judge() (all gates) {
	peers, lost := 0, 0.0
	for i := range r.Deaths {
		d := &r.Deaths[i]
		if d.class != classOurs {
			peers, lost = peers+1, lost+d.lost()
			continue
		}
		all = append(all,
			atMost(d.Name+": lost", d.lost(), 0),
			atMost(d.Name+": gaps", d.total(func(o death) float64 { return float64(o.Gaps) }), 0),
			atMost(d.Name+": duplicates", d.total(func(o death) float64 { return float64(o.Duplicates) }), 0),
			atMost(d.Name+": corrupt", d.total(func(o death) float64 { return float64(o.Corrupt) }), 0),
			atMost(d.Name+": strange", d.total(func(o death) float64 { return float64(o.Strange) }), 0))
	}
	if peers > 0 {
		all = append(all, atLeast("all peers: lost", lost, 1))
	}
	return all
}

func (r *killReport) table(w io.Writer) error {
	table := newTable(w)
	fmt.Fprintln(table, "logger\tkills\treturned calls\tlost\tlost %\tkills with loss\tduplicates\tgaps\tstrange\ttombstones\trecovery ms\t")
	for i := range r.Deaths {
		d := &r.Deaths[i]
		fmt.Fprintf(table, "%s\t%d\t%.0f\t%.0f\t%.3f\t%.0f\t%.0f\t%.0f\t%.0f\t%.0f\t%.1f\t\n", d.Name, len(d.Runs), d.returned(), d.lost(),
			100*d.lost()/max(d.returned(), 1), d.harmed(),
			d.total(func(o death) float64 { return float64(o.Duplicates) }),
			d.total(func(o death) float64 { return float64(o.Gaps) }),
			d.total(func(o death) float64 { return float64(o.Strange) }),
			d.total(func(o death) float64 { return float64(o.Tombstones) }),
			d.recovery())
	}
	fmt.Fprintln(table)
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "recovery: opening after the kill, median; seed %d\n", r.Seed)
	return err
}

func (d *deaths) recovery() float64 {
	values := make([]float64, len(d.Runs))
	for i, one := range d.Runs {
		values[i] = one.Recovery
	}
	return ratio.Median(values)
}
