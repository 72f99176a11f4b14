package lockfree

import (
	"fmt"
	"slices"
	"testing"
)

// queue is what the three queues, and the copies made for the checks, have
// in common.
type queue interface {
	Push(int) bool
	Pop() (int, bool)
	PushN([]int) int
	PopN([]int) int
	Len() int
	Cap() int
}

func eachQueue(t *testing.T, f func(t *testing.T, make func(capacity int) queue)) {
	for name, make := range map[string]func(int) queue{
		"MPMC": func(c int) queue { return NewMPMC[int](c) },
		"MPSC": func(c int) queue { return NewMPSC[int](c) },
		"SPSC": func(c int) queue { return NewSPSC[int](c) },
	} {
		t.Run(name, func(t *testing.T) { f(t, make) })
	}
}

func TestQueueAgreesWithASlice(t *testing.T) {
	eachQueue(t, func(t *testing.T, newQueue func(int) queue) {
		for _, capacity := range []int{2, 4, 64} {
			q, want, next := newQueue(capacity), []int{}, 1
			buf := make([]int, capacity+2)
			for step := range 5000 {
				switch k := step * 7 % (capacity + 3); step % 4 {
				case 0:
					vs := buf[:k%len(buf)]
					for i := range vs {
						vs[i] = next + i
					}
					n := q.PushN(vs)
					if fits := min(len(vs), capacity-len(want)); n != fits {
						t.Fatalf("PushN of %d onto %d = %d, want %d", len(vs), len(want), n, fits)
					}
					want = append(want, vs[:n]...)
					next += n
				case 1:
					if ok := q.Push(next); ok != (len(want) < capacity) {
						t.Fatalf("Push onto %d of %d = %v", len(want), capacity, ok)
					} else if ok {
						want = append(want, next)
						next++
					}
				case 2:
					v, ok := q.Pop()
					if ok != (len(want) > 0) || ok && v != want[0] {
						t.Fatalf("Pop = %d, %v with %v waiting", v, ok, want)
					}
					want = want[min(1, len(want)):]
				case 3:
					dst := buf[:k%len(buf)]
					n := q.PopN(dst)
					if has := min(len(dst), len(want)); n != has || !slices.Equal(dst[:n], want[:n]) {
						t.Fatalf("PopN of %d = %v with %v waiting", len(dst), dst[:n], want)
					}
					want = want[n:]
				}
				if q.Len() != len(want) || q.Cap() != capacity {
					t.Fatalf("Len, Cap = %d, %d, want %d, %d", q.Len(), q.Cap(), len(want), capacity)
				}
			}
		}
	})
}

func TestQueueRefusesACapacityThatIsNotAPowerOfTwo(t *testing.T) {
	eachQueue(t, func(t *testing.T, newQueue func(int) queue) {
		for _, capacity := range []int{-2, 0, 1, 3, 6, 100} {
			t.Run(fmt.Sprint(capacity), func(t *testing.T) {
				mustPanic(t, func() { newQueue(capacity) })
			})
		}
	})
}

func TestQueueDoesNotAllocate(t *testing.T) {
	eachQueue(t, func(t *testing.T, newQueue func(int) queue) {
		q, buf := newQueue(8), make([]int, 4)
		got := testing.AllocsPerRun(100, func() {
			q.Push(1)
			q.PushN(buf)
			q.Pop()
			q.PopN(buf)
		})
		if got != 0 {
			t.Fatalf("%v allocations, want 0", got)
		}
	})
}

func TestQueueKeepsNoReferenceToWhatWasTaken(t *testing.T) {
	vs, dst := []*int{new(int), new(int), new(int)}, make([]*int, 2)
	mpmc, mpsc, spsc := NewMPMC[*int](4), NewMPSC[*int](4), NewSPSC[*int](4)
	for range 3 { // Round the ring, so that PopN wraps.
		mpmc.PushN(vs)
		mpmc.Pop()
		mpmc.PopN(dst)
		mpsc.PushN(vs)
		mpsc.Pop()
		mpsc.PopN(dst)
		spsc.PushN(vs)
		spsc.Pop()
		spsc.PopN(dst)
	}
	for i := range 4 {
		if mpmc.cells[i].value != nil || mpsc.cells[i].value != nil || spsc.cells[i] != nil {
			t.Fatalf("cell %d still refers to what was popped", i)
		}
	}
}
