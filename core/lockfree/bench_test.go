package lockfree

import (
	"fmt"
	"runtime"
	"runtime/metrics"
	"sync"
	"testing"
	"time"
)

// benchCells is the number of elements in each free list and queue.
const benchCells = 1024

// peers returns the contenders in a fixed order.
func peers() []struct {
	name string
	make func() peer
} {
	stack := func(l sync.Locker) peer { return &lockedStack{lock: l, idx: indexes(benchCells)} }
	ring := func(l sync.Locker) peer { return &lockedRing{lock: l, cells: make([]int, benchCells)} }
	return []struct {
		name string
		make func() peer
	}{
		{"stack/lock-free", func() peer { return stackPeer{fullStack(NewStack(benchCells))} }},
		{"stack/spin", func() peer { return stack(new(spinLock)) }},
		{"stack/mutex", func() peer { return stack(new(sync.Mutex)) }},
		{"queue/lock-free", func() peer { return queuePeer{NewMPMC[int](benchCells)} }},
		{"queue/spin", func() peer { return ring(new(spinLock)) }},
		{"queue/mutex", func() peer { return ring(new(sync.Mutex)) }},
		{"channel", func() peer {
			c := make(chanPeer, benchCells+64) // one place for each goroutine between its two halves
			for i := range uint32(benchCells) {
				c <- i
			}
			return c
		}},
	}
}

// BenchmarkContention takes an element and puts one back, on g goroutines.
//
//	ns/op     average of a turn
//	max-ms    longest turn, from a second pass in which every turn is timed
//	csw/Mop   context switches of the process's threads per million turns
//	gsw/Mop   goroutine switches per million turns (sampled by the runtime)
func BenchmarkContention(b *testing.B) {
	for _, p := range peers() {
		for _, g := range []int{1, 2, 8, 64} {
			b.Run(fmt.Sprintf("%s/g=%d", p.name, g), func(b *testing.B) {
				shared := p.make()
				turns := b.N/g + 1
				threads, goroutines := threadSwitches(), goroutineSwitches()
				b.ResetTimer()
				together(g, func() {
					for range turns {
						shared.turn()
					}
				})
				b.StopTimer()
				perMillion := 1e6 / float64(g*turns)
				b.ReportMetric(float64(threadSwitches()-threads)*perMillion, "csw/Mop")
				b.ReportMetric(float64(goroutineSwitches()-goroutines)*perMillion, "gsw/Mop")
				b.ReportMetric(longest(g, turns, shared).Seconds()*1e3, "max-ms")
			})
		}
	}
}

// together runs f on g goroutines and waits for all.
func together(g int, f func()) {
	var wg sync.WaitGroup
	for range g {
		wg.Go(f)
	}
	wg.Wait()
}

// longest returns the longest of turns turns on each of g goroutines.
func longest(g, turns int, shared peer) (worst time.Duration) {
	var mu sync.Mutex
	together(g, func() {
		var own time.Duration
		for range turns {
			start := time.Now()
			shared.turn()
			own = max(own, time.Since(start))
		}
		mu.Lock()
		worst = max(worst, own)
		mu.Unlock()
	})
	return worst
}

// goroutineSwitches returns about how many times a goroutine that was ready
// got a processor. The runtime counts one in eight.
func goroutineSwitches() (n uint64) {
	const sampled = 8
	s := []metrics.Sample{{Name: "/sched/latencies:seconds"}}
	metrics.Read(s)
	for _, c := range s[0].Value.Float64Histogram().Counts {
		n += c * sampled
	}
	return n
}

// BenchmarkMachine tells how much of its time a thread that never sleeps
// does not get. Above 5 % only ratios within one run mean anything, and
// longest turns mean nothing.
func BenchmarkMachine(b *testing.B) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const gap = 50 * time.Microsecond
	var lost, worst time.Duration
	for last := time.Now(); b.Loop(); {
		now := time.Now()
		if d := now.Sub(last); d > gap {
			lost += d
			worst = max(worst, d)
		}
		last = now
	}
	b.ReportMetric(100*lost.Seconds()/b.Elapsed().Seconds(), "lost-%")
	b.ReportMetric(worst.Seconds()*1e3, "max-ms")
}

// BenchmarkTransfer moves elements from one goroutine to another; the figure
// is per element.
func BenchmarkTransfer(b *testing.B) {
	for _, n := range []int{1, 32} {
		for _, q := range []struct {
			name string
			queue
		}{
			{"SPSC", NewSPSC[int](benchCells)},
			{"MPSC", NewMPSC[int](benchCells)},
			{"MPMC", NewMPMC[int](benchCells)},
		} {
			b.Run(fmt.Sprintf("%s/batch=%d", q.name, n), func(b *testing.B) { transfer(b, q, n) })
		}
	}
	b.Run("channel", func(b *testing.B) {
		c := make(chan int, benchCells)
		go func() {
			for i := range b.N {
				c <- i
			}
		}()
		for range b.N {
			<-c
		}
	})
}

func transfer(b *testing.B, q queue, batch int) {
	total := (b.N + batch - 1) / batch * batch
	var wg sync.WaitGroup
	wg.Go(func() {
		vs := make([]int, batch)
		for sent := 0; sent < total; {
			n := q.PushN(vs)
			if sent += n; n == 0 {
				runtime.Gosched()
			}
		}
	})
	dst := make([]int, batch)
	for got := 0; got < total; {
		n := q.PopN(dst[:min(batch, total-got)])
		if got += n; n == 0 {
			runtime.Gosched()
		}
	}
	wg.Wait()
}
