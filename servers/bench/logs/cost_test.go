//go:build linux

package logs

import (
	"context"
	"strings"
	"testing"
)

// sampleCosts has two rounds, the second on a machine half as fast.
func sampleCosts(text, again float64) *costReport {
	names := map[string]float64{oursBinary: 100, oursText: text, zerologSync: 400, "phuslu": 300, zapBuffered: 250, oursBinary + againSuffix: again}
	var kinds []kind
	for _, name := range []string{oursBinary, oursText, zerologSync, "phuslu", zapBuffered} {
		k, _ := findKind(name)
		kinds = append(kinds, k)
	}
	kinds = append(kinds, kind{name: oursBinary + againSuffix})
	one := newCell(1, kinds)
	for i := range one.Costs {
		ns := names[one.Costs[i].Name]
		one.Costs[i].Visits = []visit{{Nanos: ns}, {Nanos: 2 * ns}}
	}
	return &costReport{Seed: 1, Records: 1000, Cells: []cell{one}}
}

func TestCostsAreJudgedByRatiosOfRounds(t *testing.T) {
	r := sampleCosts(315, 101)
	want := map[string]string{
		"ours / zerolog, 1 caller":      verdictHeld,   // 0.25
		"ours / zap-buffered, 1 caller": verdictMissed, // 0.4
		"ours-text / phuslu, 1 caller":  verdictHeld,   // 1.05, of the fastest
		"A/A off by, 1 caller":          verdictHeld,   // 0.01
		"ours, 1 caller: allocations":   verdictHeld,
	}
	judged := r.judge(0.02)
	for _, g := range judged {
		if verdict, ok := want[g.Name]; ok && verdict != g.Verdict {
			t.Errorf("%+v, want %q", g, verdict)
		}
		delete(want, g.Name)
	}
	if len(want) > 0 {
		t.Errorf("not judged: %v, of %v", want, judged)
	}
}

func TestTextOverTheFastestPeerIsMissed(t *testing.T) {
	err := sampleCosts(340, 101).judge(0.02).judge()
	if err == nil || !strings.Contains(err.Error(), "ours-text / phuslu, 1 caller is 1.133") {
		t.Errorf("error %v", err)
	}
}

func TestCostsWithoutAgreementAreMissed(t *testing.T) {
	r := sampleCosts(300, 110)
	if err := r.judge(0.02).judge(); err == nil || !strings.Contains(err.Error(), "A/A off by") {
		t.Errorf("error %v", err)
	}
}

func TestRefusedCallsAreMissed(t *testing.T) {
	r := sampleCosts(300, 100)
	r.Cells[0].Costs[0].Visits[1].Refused = 3
	if err := r.judge(0.02).judge(); err == nil || !strings.Contains(err.Error(), "refused calls is 3") {
		t.Errorf("error %v", err)
	}
}

func TestCostRuns(t *testing.T) {
	c := CostCommand{Callers: []int{1, 8}, Dir: t.TempDir(), options: options{Quick: true, Seed: 1}}
	if err := c.Run(context.Background()); err != nil {
		t.Error(err)
	}
}
