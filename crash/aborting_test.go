package crash

import (
	"testing"

	"vitrine/crash/probe"
)

// The exit status of a crash changes only where the kernel's core is all that can be had, and wanted.
func TestCrashesAbortOnlyForTheKernelsCore(t *testing.T) {
	t.Setenv("GOTRACEBACK", "all")
	keeps := probe.Capabilities{CoreKind: probe.CoreFile, CorePattern: "core", CoreLimit: probe.NoCoreLimit, CoreLimitKnown: true}
	none := probe.Capabilities{CoreKind: probe.CoreFile, CorePattern: "core", CoreLimitKnown: true}
	hidden := keeps
	hidden.Undumpable = true
	for name, test := range map[string]struct {
		config Config
		can    probe.Capabilities
		tested string
		want   bool
	}{
		"traced":                         {Config{}, keeps, probe.Yes, false},
		"refused":                        {Config{}, keeps, "operation not permitted", true},
		"refused, the kernel keeps none": {Config{}, none, "operation not permitted", false},
		"refused, not dumpable":          {Config{}, hidden, "operation not permitted", false},
		"refused, not wanted":            {Config{NoKernelCore: true}, keeps, "operation not permitted", false},
		"refused, no cores at all":       {Config{NoCores: true}, keeps, "operation not permitted", false},
	} {
		can := test.config.aborting(test.can.Tested(test.tested))
		if can.Aborts != test.want || can.Values()["kernel_core"] != map[bool]float64{true: 1}[test.want] {
			t.Errorf("%s: aborts %v, gauges %v, want %v", name, can.Aborts, can.Values(), test.want)
		}
	}
	t.Setenv("GOTRACEBACK", "crash")
	if can := (Config{NoKernelCore: true}).aborting(keeps.Tested(probe.Yes)); !can.Aborts {
		t.Error("the environment asks for SIGABRT, and that is denied")
	}
}
