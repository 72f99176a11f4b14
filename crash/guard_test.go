package crash_test

import (
	"context"
	"runtime"
	"slices"
	"testing"
	"time"

	"vitrine/crash"
)

func TestGuardCatchesAndGoesOn(t *testing.T) {
	if !crash.Guard(func() { panic("caught") }) {
		t.Error("a panic was not told")
	}
	if crash.Guard(func() {}) {
		t.Error("a panic was told where there was none")
	}
	done := make(chan struct{})
	crash.Go(context.Background(), func(context.Context) {
		defer close(done)
		panic("caught")
	})
	<-done
}

func TestGoexitGoesThroughGuard(t *testing.T) {
	returned, done := false, make(chan struct{})
	go func() { // ends at once
		defer close(done)
		crash.Guard(runtime.Goexit)
		returned = true
	}()
	<-done
	if returned {
		t.Error("Guard returned")
	}
}

func TestGuardAllocatesNothing(t *testing.T) {
	work := func() {}
	if n := testing.AllocsPerRun(1000, func() { crash.Guard(work) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

var counted int

//go:noinline
func count() { counted++ }

//go:noinline
func call(fn func()) (panicked bool) {
	fn()
	return false
}

// maxGuard is the most that Guard may cost over a plain call, in nanoseconds.
const maxGuard = 15

// BenchmarkGuard measures Guard beside a plain call: both in turn in slices too short to be interrupted often, of which the
// medians count. It fails when Guard costs more than it may.
func BenchmarkGuard(b *testing.B) {
	var plain, guard []float64
	for b.Loop() {
		plain, guard = append(plain, slice(call)), append(guard, slice(crash.Guard))
	}
	p, g := median(plain), median(guard)
	b.ReportMetric(p, "plain-ns")
	b.ReportMetric(g, "guard-ns")
	b.ReportMetric(g-p, "over-ns")
	b.ReportMetric(testing.AllocsPerRun(1000, func() { crash.Guard(count) }), "allocs")
	b.ReportMetric(0, "ns/op") // of both slices together: it says nothing
	if g-p > maxGuard && !raceEnabled {
		b.Errorf("Guard costs %.1f ns over a plain call, want at most %d", g-p, maxGuard)
	}
}

// slice returns the nanoseconds of a call among many.
func slice(run func(func()) bool) float64 {
	const calls = 10_000
	began := time.Now()
	for range calls {
		run(count)
	}
	return float64(time.Since(began).Nanoseconds()) / calls
}

func median(of []float64) float64 {
	slices.Sort(of)
	return of[len(of)/2]
}

func BenchmarkGuardedPanic(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		crash.Guard(func() { panic("again") })
	}
}
