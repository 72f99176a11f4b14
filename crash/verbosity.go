package crash

import (
	"cmp"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
)

// The numbers of goroutines, and of the bytes of their stacks, above which tracebacks say less: they take seconds, in which the
// process stands still.
const (
	systemGoroutines = 5_000
	systemStacks     = 32 << 20
	allGoroutines    = 50_000
	allStacks        = 128 << 20
)

// level returns how much a traceback says. A GOTRACEBACK of the environment that says more is added by the runtime.
func level(goroutines int, stacks uint64) string {
	switch {
	case goroutines <= systemGoroutines && stacks <= systemStacks:
		return fullTraceback
	case goroutines <= allGoroutines && stacks <= allStacks:
		return "all"
	}
	return "single"
}

// setTraceback has the runtime tell of a crash as much as there is time for. Where the kernel's core takes the place of ours it tells
// all, however long that takes, since the runtime aborts at that level alone.
func (p *Process) setTraceback() {
	p.levels.Lock()
	defer p.levels.Unlock()
	word := level(runtime.NumGoroutine(), stackBytes())
	if p.Capabilities().Aborts {
		word = "crash"
	}
	debug.SetTraceback(word)
}

// resetTraceback has the runtime do as it does by itself.
func resetTraceback() { debug.SetTraceback(cmp.Or(os.Getenv("GOTRACEBACK"), "single")) }

// stackBytes returns the memory of all goroutines' stacks.
func stackBytes() uint64 {
	sample := []metrics.Sample{{Name: "/memory/classes/heap/stacks:bytes"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 0
	}
	return sample[0].Value.Uint64()
}
