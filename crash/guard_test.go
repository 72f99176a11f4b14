package crash_test

import (
	"context"
	"testing"

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
func call(fn func()) { fn() }

func BenchmarkPlainCall(b *testing.B) {
	for b.Loop() {
		call(count)
	}
}

func BenchmarkGuard(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		crash.Guard(count)
	}
}

func BenchmarkGuardedPanic(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		crash.Guard(func() { panic("again") })
	}
}
