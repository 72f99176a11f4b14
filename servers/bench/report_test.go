package main

import (
	"strings"
	"testing"
)

// sampleReport has one cell, two rounds, the second on a slower machine.
func sampleReport() *peersReport {
	cell := newCellReport(1000, 16, 32, []string{"std", "netpoll", "vitrine", "vitrine again"})
	for i, cpu := range []float64{1.0, 1.5, 0.7, 0.7} {
		cell.Servers[i].Runs = []loadResult{{ServerCPU: cpu}, {ServerCPU: 2 * cpu}}
	}
	cell.summarize()
	return &peersReport{Cells: []cellReport{cell}}
}

func TestReportJudgesTheGatesOfItsCells(t *testing.T) {
	r := sampleReport()
	r.judge([]gate{
		{16, "vitrine", "std", 0.72, 0.66},
		{16, "vitrine", "netpoll", 0.40, 0},
		{16, "vitrine", "c", 1.22, 0},
		{1, "vitrine", "std", 0.1, 0},
	}, 0.02)
	want := []string{verdictGate, verdictMissed, verdictNotRun, "A/A"}
	if len(r.Gates) != len(want) {
		t.Fatalf("%d verdicts, want %d", len(r.Gates), len(want))
	}
	for i, g := range r.Gates {
		if g.Verdict != want[i] {
			t.Errorf("%s / %s: %q, want %q", g.Subject, g.Baseline, g.Verdict, want[i])
		}
	}
	if missed := r.missed(); len(missed) != 1 || !strings.Contains(missed[0], "vitrine / netpoll at depth 16 is 0.467, gate 0.40") {
		t.Errorf("missed %q", missed)
	}
}

func TestReportRejectsFiguresWithoutAgreement(t *testing.T) {
	r := sampleReport()
	r.Cells[0].Servers[3].Runs[0].ServerCPU *= 1.1
	r.judge(nil, 0.02)
	if missed := r.missed(); len(missed) != 1 || !strings.Contains(missed[0], "vitrine again / vitrine at depth 16 is 1.050, A/A") {
		t.Errorf("missed %q", missed)
	}
}

func TestReportPrintsEveryServerAndRatio(t *testing.T) {
	var text strings.Builder
	r := sampleReport()
	r.judge(gates, 0.02)
	if err := r.print(&text, false); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"vitrine again", "/ netpoll", "0.467", "0.700 .. 0.700", "A/A", "not run"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
}
