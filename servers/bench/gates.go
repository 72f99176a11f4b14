package main

import "math"

// Names the gates speak of.
const (
	subjectKind = "vitrine"
	gatherKind  = "vitrine-gather"
	againSuffix = " again"
	cName       = "c"
)

// gate bounds one ratio of server CPU per message. Gate must hold, goal is
// where the engine is going; 0 is no goal.
type gate struct {
	depth      int
	subject    string
	baseline   string
	gate, goal float64
}

// gates is the table of what is judged. A row whose servers did not run is
// reported as not run; "c" is an external echo in C, given with --extern.
var gates = []gate{
	{16, subjectKind, "std", 0.72, 0.66},
	{16, subjectKind, "netpoll", 0.55, 0.50},
	{16, subjectKind, cName, 1.22, 1.12},
	{16, subjectKind, gatherKind, 1.10, 0},
	{1, subjectKind, "std", 0.78, 0},
	{1, subjectKind, "netpoll", 0.70, 0},
	{1, subjectKind, cName, 1.12, 1.05},
}

// Verdicts on a gate.
const (
	verdictGoal    = "goal"
	verdictGate    = "gate"
	verdictMissed  = "MISSED"
	verdictNotRun  = "not run"
	verdictAgree   = "A/A"
	verdictControl = "A/A DISAGREES"
)

// judge compares a median ratio with its gate and goal; NaN is not run.
func (g gate) judge(ratio float64) string {
	switch {
	case math.IsNaN(ratio):
		return verdictNotRun
	case ratio > g.gate:
		return verdictMissed
	case g.goal > 0 && ratio <= g.goal:
		return verdictGoal
	}
	return verdictGate
}
