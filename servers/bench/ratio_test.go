package main

import (
	"math"
	"reflect"
	"slices"
	"testing"
)

func TestScheduleVisitsEachOncePerRound(t *testing.T) {
	orders := schedule(1, 5, 50)
	different := make(map[string]bool)
	for _, order := range orders {
		if sorted := slices.Sorted(slices.Values(order)); !reflect.DeepEqual(sorted, []int{0, 1, 2, 3, 4}) {
			t.Fatalf("round visits %v", order)
		}
		different[string(rune('0'+order[0]))] = true
	}
	if len(different) != 5 {
		t.Errorf("only %d servers ever come first", len(different))
	}
	if !reflect.DeepEqual(orders, schedule(1, 5, 50)) {
		t.Error("the same seed gives another schedule")
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 2}, 2}, {[]float64{4, 1, 3, 2}, 2.5}} {
		if got := median(c.values); got != c.want {
			t.Errorf("median of %v is %v, want %v", c.values, got, c.want)
		}
	}
}

func TestQuantileLiesBetweenValues(t *testing.T) {
	for q, want := range map[float64]float64{0: 1, .25: 2, .3: 2.2, 1: 5} {
		if got := quantile([]float64{5, 1, 4, 2, 3}, q); math.Abs(got-want) > 1e-9 {
			t.Errorf("quantile %v is %v, want %v", q, got, want)
		}
	}
}

func TestRatiosAreTakenRoundByRound(t *testing.T) {
	// The second round ran on a machine half as fast: its ratio is the same.
	got := ratios([]float64{1, 2, 1}, []float64{2, 4, 2})
	if !reflect.DeepEqual(got, []float64{.5, .5, .5}) {
		t.Errorf("ratios %v", got)
	}
}

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
	if !agrees(r.Control, 0.02) || agrees(r.Control, 0.01) {
		t.Errorf("A/A of %v: within 0.02 is %v, within 0.01 is %v", r.Control, agrees(r.Control, 0.02), agrees(r.Control, 0.01))
	}
}
