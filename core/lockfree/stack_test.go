package lockfree

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestStackReturnsTheNewestFirst(t *testing.T) {
	s := NewStack(8)
	s.Push(3)
	s.PushN([]uint32{5, 6, 7})
	s.PushN(nil)
	s.Push(0)
	dst := make([]uint32, 3)
	if n := s.PopN(dst); n != 3 || !slices.Equal(dst, []uint32{0, 5, 6}) {
		t.Fatalf("PopN = %d %v, want 3 [0 5 6]", n, dst)
	}
	if diff := cmp.Diff([]uint32{9, 7, 3}, s.PopAll([]uint32{9})); diff != "" {
		t.Fatalf("PopAll (-want +got):\n%s", diff)
	}
	if i, ok := s.Pop(); ok || !s.Empty() {
		t.Fatalf("Pop on an empty stack = %d, %v", i, ok)
	}
	if n := s.PopN(dst); n != 0 {
		t.Fatalf("PopN on an empty stack = %d", n)
	}
}

func TestStackHoldsEveryIndexItWasMadeFor(t *testing.T) {
	s := NewStack(100)
	for i := range uint32(100) {
		s.Push(i)
	}
	for want := uint32(100); want > 0; want-- {
		if got, ok := s.Pop(); !ok || got != want-1 {
			t.Fatalf("Pop = %d, %v, want %d", got, ok, want-1)
		}
	}
}

func TestStackSurvivesTheWrapOfItsTag(t *testing.T) {
	s := NewStack(4)
	s.head.Store(^uint64(indexMask))
	s.PushN([]uint32{0, 1, 2, 3})
	for want := range uint32(4) {
		if got, ok := s.Pop(); !ok || got != want {
			t.Fatalf("Pop = %d, %v, want %d", got, ok, want)
		}
	}
	if !s.Empty() {
		t.Fatal("the stack is not empty after its last index")
	}
}

func TestStackRefusesABadCapacity(t *testing.T) {
	for _, capacity := range []int{-1, 0, MaxIndexes + 1} {
		mustPanic(t, func() { NewStack(capacity) })
	}
}

func TestStackRefusesAForeignIndex(t *testing.T) {
	s := NewStack(2)
	mustPanic(t, func() { s.Push(2) })
	mustPanic(t, func() { s.PushN([]uint32{2, 0}) })
	if !s.Empty() {
		t.Fatal("a refused index changed the stack")
	}
}

func TestStackDoesNotAllocate(t *testing.T) {
	s, dst := NewStack(8), make([]uint32, 8)
	got := testing.AllocsPerRun(100, func() {
		s.Push(1)
		s.PushN([]uint32{2, 3})
		s.Pop()
		s.PopN(dst[:1])
		dst = s.PopAll(dst[:0])
	})
	if got != 0 {
		t.Fatalf("%v allocations, want 0", got)
	}
}

func mustPanic(t *testing.T, f func()) {
	t.Helper()
	defer func() {
		t.Helper()
		if recover() == nil {
			t.Fatal("no panic")
		}
	}()
	f()
}
