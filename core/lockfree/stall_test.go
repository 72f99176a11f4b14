package lockfree

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"
)

const (
	stalls    = 60
	stallTime = 20 * time.Millisecond
	slowTime  = 15 * time.Millisecond
)

// A stallable is one structure seen by two workers: the victim, which calls
// sleep in the middle of every turn, and another.
type stallable struct {
	name string
	make func(sleep func()) (victim, other peer)
}

// stallables returns the contenders. The victim of a lock-free one uses the
// checked copy, and the other the package's own code on the same memory.
func stallables() []stallable {
	return []stallable{
		{"stack/lock-free", func(sleep func()) (victim, other peer) {
			s := fullStack(stackVariants()[""](benchCells)).(*checkedStack)
			return &windowSleeper{stackPeer{s}, beforeSwap, sleep}, stackPeer{(*Stack)(unsafe.Pointer(s))}
		}},
		{"stack/spin", func(sleep func()) (victim, other peer) { return stallLocked(new(spinLock), sleep) }},
		{"stack/mutex", func(sleep func()) (victim, other peer) { return stallLocked(new(sync.Mutex), sleep) }},
		{"queue/lock-free", func(sleep func()) (victim, other peer) {
			q := mpmcVariants()[""](benchCells).(*checkedMPMC[int])
			return &windowSleeper{queuePeer{q}, beforePublish, sleep}, queuePeer{(*MPMC[int])(unsafe.Pointer(q))}
		}},
	}
}

// fullStack gives s every index.
func fullStack[S freeList](s S) S {
	s.PushN(indexes(benchCells))
	return s
}

// windowSleeper falls asleep in the first window of a kind in every turn. It
// is the only one that comes through windows while it exists.
type windowSleeper struct {
	peer
	window window
	sleep  func()
}

func (p *windowSleeper) turn() {
	armed := true
	defer hook(func(w window) {
		if armed && w == p.window {
			armed = false
			p.sleep()
		}
	})()
	p.peer.turn()
}

func stallLocked(l sync.Locker, sleep func()) (victim, other peer) {
	return lockHolder{l, sleep}, &lockedStack{lock: l, idx: indexes(benchCells)}
}

// lockHolder falls asleep with the lock in its hand.
type lockHolder struct {
	sync.Locker
	sleep func()
}

func (h lockHolder) turn() {
	h.Lock()
	h.sleep()
	h.Unlock()
}

// BenchmarkStall is the longest turn in a form that hardly depends on the
// machine: a worker is put to sleep for 20 ms in the middle of an operation,
// 60 times, while another worker takes turns.
//
//	slow/60      turns of the other that took over 15 ms
//	blocked/60   stalls in which the other completed no turn
//
// A lock gives 60 and 60, lock-freedom 0 and 0. A busy machine adds a few to
// slow, for any reason it has, and hardly any to blocked.
func BenchmarkStall(b *testing.B) {
	for _, s := range stallables() {
		b.Run(s.name, func(b *testing.B) {
			slow, blocked := 0, 0
			for b.Loop() {
				n, m := stallTurns(s)
				slow, blocked = slow+n, blocked+m
			}
			b.ReportMetric(float64(slow)/float64(b.N), "slow/60")
			b.ReportMetric(float64(blocked)/float64(b.N), "blocked/60")
		})
	}
}

// stallTurns lets the victim stall 60 times and watches the other.
func stallTurns(s stallable) (slow, blocked int) {
	var turns atomic.Int64 // of the other
	victim, other := s.make(func() {
		before := turns.Load()
		time.Sleep(stallTime) // sleep: the injected stall is what is measured
		// A turn may have been past its last lock when the stall began.
		if turns.Load()-before < 2 {
			blocked++
		}
	})
	var done atomic.Bool
	var wg sync.WaitGroup
	wg.Go(func() {
		defer done.Store(true)
		for range stalls {
			victim.turn()
			time.Sleep(time.Millisecond) // sleep: the other gets its turns between two stalls
		}
	})
	for !done.Load() {
		start := time.Now()
		other.turn()
		turns.Add(1)
		if time.Since(start) > slowTime {
			slow++
		}
	}
	wg.Wait()
	return slow, blocked
}

// TestStackGoesOnWhileAWorkerIsStopped stops an operation in its window and
// runs others in there to their end, which is what lock-free means.
func TestStackGoesOnWhileAWorkerIsStopped(t *testing.T) {
	for _, test := range []struct {
		name string
		act  func(s freeList)
	}{
		{"Push", func(s freeList) { s.Push(4) }},
		{"PushN", func(s freeList) { s.PushN([]uint32{4, 5}) }},
		{"Pop", func(s freeList) { s.Pop() }},
		{"PopN", func(s freeList) { s.PopN(make([]uint32, 2)) }},
		{"PopAll", func(s freeList) { s.PopAll(nil) }},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := stackVariants()[""](6).(*checkedStack)
			s.PushN([]uint32{0, 1, 2, 3})
			turns := 0
			defer hook(func(window) {
				for ; turns < 1000; turns++ {
					(*Stack)(unsafe.Pointer(s)).Push((*Stack)(unsafe.Pointer(s)).PopAll(nil)[0])
				}
			})()
			test.act(s)
			if turns != 1000 {
				t.Fatalf("%d turns in the window, want 1000", turns)
			}
		})
	}
}

// TestMPMCHidesWhatFollowsAnUnpublishedPush holds the queue to what its
// documentation admits.
func TestMPMCHidesWhatFollowsAnUnpublishedPush(t *testing.T) {
	q := mpmcVariants()[""](4).(*checkedMPMC[int])
	plain := (*MPMC[int])(unsafe.Pointer(q))
	undo := hook(func(w window) {
		if w != beforePublish {
			return
		}
		if !plain.Push(2) {
			t.Error("a push failed behind an unpublished one")
		}
		if v, ok := plain.Pop(); ok {
			t.Errorf("Pop = %d although an earlier push is unpublished", v)
		}
	})
	q.Push(1)
	undo()
	for want := 1; want <= 2; want++ {
		if v, ok := q.Pop(); !ok || v != want {
			t.Errorf("Pop = %d, %v, want %d", v, ok, want)
		}
	}
}
