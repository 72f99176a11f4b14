package pool

import (
	"fmt"
	"runtime"
	"sync"
	"testing"

	"vitrine/core/lockfree"
)

const benchSize = 256 // bytes

// lender is one goroutine's way to borrow memory, where the cost of an
// interface does not matter.
type lender[H any] interface {
	get() H
	put(H)
}

type cacheLender struct {
	*Cache
}

func (l cacheLender) get() Slot {
	s, _ := l.Get()
	l.pool.Bytes(s)[0] = 1
	return s
}

func (l cacheLender) put(s Slot) { l.Put(s) }

type syncLender struct{ *sync.Pool }

func (l syncLender) get() *[benchSize]byte {
	b := l.Get().(*[benchSize]byte)
	b[0] = 1
	return b
}

func (l syncLender) put(b *[benchSize]byte) { l.Put(b) }

type heapLender struct{}

func (heapLender) get() *[benchSize]byte {
	b := new([benchSize]byte)
	b[0] = 1
	return b
}

func (heapLender) put(*[benchSize]byte) {}

func newSyncPool() *sync.Pool {
	return &sync.Pool{New: func() any { return new([benchSize]byte) }}
}

// BenchmarkGetPut takes k slots and puts them back, on g goroutines; the
// figure is per slot. The loops are written out for each contender, since
// being inlined is part of what is compared.
func BenchmarkGetPut(b *testing.B) {
	for _, k := range []int{1, 32} {
		for _, g := range []int{1, 2, 64} {
			name := fmt.Sprintf("k=%d/g=%d/", k, g)
			b.Run(name+"cache", func(b *testing.B) {
				p := newPool(b, benchSize, 1<<16)
				benchGoroutines(b, g, k, func(rounds int) { cacheRounds(p, k, rounds) })
			})
			b.Run(name+"sync.Pool", func(b *testing.B) {
				p := newSyncPool()
				benchGoroutines(b, g, k, func(rounds int) { syncRounds(p, k, rounds) })
			})
		}
	}
}

func benchGoroutines(b *testing.B, goroutines, k int, run func(rounds int)) {
	b.ReportAllocs()
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() { run(b.N/(goroutines*k) + 1) })
	}
	wg.Wait()
}

func cacheRounds(p *Pool, k, rounds int) {
	c, held := p.NewCache(), make([]Slot, k)
	for range rounds {
		for i := range held {
			s, _ := c.Get()
			p.Bytes(s)[0] = 1
			held[i] = s
		}
		for _, s := range held {
			c.Put(s)
		}
	}
	c.Close()
}

func syncRounds(p *sync.Pool, k, rounds int) {
	held := make([]*[benchSize]byte, k)
	for range rounds {
		for i := range held {
			s := p.Get().(*[benchSize]byte)
			s[0] = 1
			held[i] = s
		}
		for _, s := range held {
			p.Put(s)
		}
	}
}

// BenchmarkTransfer takes on one goroutine and puts back on another, through
// a queue in batches of 32.
func BenchmarkTransfer(b *testing.B) {
	b.Run("cache", func(b *testing.B) {
		p := newPool(b, benchSize, 1<<16)
		benchTransfer(b, cacheLender{p.NewCache()}, cacheLender{p.NewCache()})
	})
	b.Run("sync.Pool", func(b *testing.B) {
		p := newSyncPool()
		benchTransfer(b, syncLender{p}, syncLender{p})
	})
	b.Run("heap", func(b *testing.B) {
		benchTransfer(b, heapLender{}, heapLender{})
	})
}

func benchTransfer[H any](b *testing.B, from, to lender[H]) {
	b.ReportAllocs()
	const batch = 32
	q := lockfree.NewSPSC[H](1024)
	total := (b.N + batch) / batch * batch
	var wg sync.WaitGroup
	wg.Go(func() {
		held := make([]H, batch)
		for sent := 0; sent < total; sent += batch {
			for i := range held {
				held[i] = from.get()
			}
			for rest := held; len(rest) > 0; {
				n := q.PushN(rest)
				if rest = rest[n:]; n == 0 {
					runtime.Gosched()
				}
			}
		}
	})
	held := make([]H, batch)
	for got := 0; got < total; {
		n := q.PopN(held)
		if n == 0 {
			runtime.Gosched()
		}
		for _, h := range held[:n] {
			to.put(h)
		}
		got += n
	}
	wg.Wait()
}

// BenchmarkCollect is one garbage collection with a million live packets of
// 64 bytes.
func BenchmarkCollect(b *testing.B) {
	const live = 1 << 20
	b.Run("cache", func(b *testing.B) {
		p := newPool(b, 64, live)
		c := p.NewCache()
		slots := make([]Slot, live)
		for i := range slots {
			slots[i], _ = c.Get()
		}
		for b.Loop() {
			runtime.GC()
		}
		runtime.KeepAlive(slots)
	})
	b.Run("heap", func(b *testing.B) {
		type packet struct {
			_    [56]byte
			next *packet
		}
		packets := make([]*packet, live)
		for i := range packets {
			packets[i] = &packet{next: packets[max(0, i-1)]}
		}
		for b.Loop() {
			runtime.GC()
		}
		runtime.KeepAlive(packets)
	})
}
