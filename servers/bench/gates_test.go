package main

import (
	"math"
	"testing"

	"vitrine/servers/bench/ratio"
)

func TestGateVerdicts(t *testing.T) {
	g := gate{gate: 0.72, goal: 0.66}
	for ratio, want := range map[float64]string{0.5: verdictGoal, 0.66: verdictGoal, 0.7: verdictGate, 0.72: verdictGate, 0.721: verdictMissed} {
		if got := g.judge(ratio); got != want {
			t.Errorf("%v is %q, want %q", ratio, got, want)
		}
	}
	if got := g.judge(math.NaN()); got != verdictNotRun {
		t.Errorf("no ratio is %q", got)
	}
	if got := (gate{gate: 1}).judge(0.1); got != verdictGate {
		t.Errorf("without a goal %q", got)
	}
}

func TestComparisonSeparatesRatioFromControl(t *testing.T) {
	r := summarizeAB([]float64{100, 200, 100}, []float64{104, 208, 104}, []float64{106, 212, 106})
	if math.Abs(r.Ratio-1.05) > 1e-9 || math.Abs(r.Control-106./104) > 1e-9 || r.Rounds != 3 {
		t.Errorf("%+v", r)
	}
	if !ratio.Agrees(r.Control, 0.02) || ratio.Agrees(r.Control, 0.01) {
		t.Errorf("A/A of %v: within 0.02 is %v, within 0.01 is %v", r.Control, ratio.Agrees(r.Control, 0.02), ratio.Agrees(r.Control, 0.01))
	}
}
