package main

import "vitrine/servers/bench/ratio"

// The three servers of a comparison.
const (
	abBase = iota
	abTest
	abAgain
	abServers
)

// abReport is the outcome: CPU of the server's process, and its ratios by round.
type abReport struct {
	Seed    uint64             `json:"seed"`
	Rounds  int                `json:"rounds"`
	CPU     [abServers]float64 `json:"cpu_ns"` // per packet, median: base, test, test again
	Ratio   float64            `json:"ratio"`  // both tests' mean over the base, median
	Control float64            `json:"aa"`     // test again over test, median
	Verdict string             `json:"verdict"`
}

// summarizeAB reduces the rounds' costs; each slice has one figure a round.
func summarizeAB(base, test, again []float64) abReport {
	both := make([]float64, len(test))
	for i := range both {
		both[i] = (test[i] + again[i]) / 2
	}
	return abReport{
		Rounds:  len(base),
		CPU:     [abServers]float64{ratio.Median(base), ratio.Median(test), ratio.Median(again)},
		Ratio:   ratio.Median(ratio.Of(both, base)),
		Control: ratio.Median(ratio.Of(again, test)),
	}
}
