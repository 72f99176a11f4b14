package crash

import (
	"runtime/debug"
	"testing"

	"vitrine/crash/monitor"
	"vitrine/crash/probe"
)

// A monitor that comes later and may not trace changes nothing of how a crash ends; one that may is believed.
func TestPtraceOnceAllowedStaysSo(t *testing.T) {
	t.Setenv("GOTRACEBACK", "single")
	t.Cleanup(func() { debug.SetTraceback("single") })
	keeps := probe.Capabilities{CoreKind: probe.CoreFile, CorePattern: "core", CoreLimit: probe.NoCoreLimit, CoreLimitKnown: true}
	const refused = "operation not permitted"
	for _, test := range []struct {
		results []string
		aborts  bool
	}{
		{[]string{probe.Yes, refused}, false},
		{[]string{refused, refused}, true},
		{[]string{refused, probe.Yes}, false},
		{[]string{refused, probe.Yes, refused}, false},
	} {
		warned := 0
		p := &Process{can: keeps, tried: make(chan struct{}), cfg: Config{Notify: func(Event) { warned++ }}}
		for _, result := range test.results {
			p.ready(&monitor.Ready{Ptrace: result})
		}
		if can := p.Capabilities(); can.Aborts != test.aborts || (can.Ptrace == probe.Yes) == test.aborts {
			t.Errorf("%q: aborts %v, ptrace %q, want aborts %v", test.results, can.Aborts, can.Ptrace, test.aborts)
		}
		if last := test.results[len(test.results)-1]; p.ptrace != last {
			t.Errorf("%q: notes %q", test.results, p.ptrace)
		}
		if warned == 0 {
			t.Errorf("%q: no word of the refusal", test.results)
		}
	}
}
