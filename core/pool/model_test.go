package pool

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
)

// owners is the model of a pool: each slot has no owner or one.
type owners struct {
	t     *testing.T
	pool  *Pool
	taken []atomic.Bool // by slot
}

func (o *owners) take(s Slot) {
	if o.taken[s].Swap(true) {
		o.t.Errorf("slot %d was handed out to two owners", s)
	}
	// Not atomic: the race detector sees it if two goroutines own the slot
	// or if the pool hands it over without ordering.
	b := o.pool.Bytes(s)
	for i := range b {
		b[i]++
	}
}

func (o *owners) drop(s Slot) {
	b := o.pool.Bytes(s)
	for i := range b {
		b[i]--
	}
	if !o.taken[s].Swap(false) {
		o.t.Errorf("slot %d was dropped and had no owner", s)
	}
}

// TestConcurrentUseAgreesWithTheModel lets workers take slots, pass them on
// to each other, put them back and replace their caches, with fewer slots
// than they want.
func TestConcurrentUseAgreesWithTheModel(t *testing.T) {
	const workers, steps, capacity = 4, 4000, 640
	p := newPool(t, 16, capacity)
	o := &owners{t: t, pool: p, taken: make([]atomic.Bool, capacity)}
	passed := make(chan Slot, capacity)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(w)))
			work(o, r, steps, passed)
		})
	}
	wg.Wait()
	close(passed)
	for s := range passed {
		o.drop(s)
		p.Shared().Put(s)
	}
	checkWhole(t, o)
}

// work is one worker. What it owns at the end it puts back.
func work(o *owners, r *rand.Rand, steps int, passed chan Slot) {
	c := o.pool.NewCache()
	var mine []Slot
	get := [...]func() (Slot, bool){func() (Slot, bool) { return c.Get() }, o.pool.Shared().Get}
	put := [...]func(Slot){func(s Slot) { c.Put(s) }, o.pool.Shared().Put}
	last := func() Slot {
		i := r.IntN(len(mine))
		s := mine[i]
		mine[i], mine = mine[len(mine)-1], mine[:len(mine)-1]
		return s
	}
	for range steps {
		switch k := r.IntN(100); {
		case k < 45:
			for range r.IntN(8) {
				if s, ok := get[k/40](); ok {
					o.take(s)
					mine = append(mine, s)
				}
			}
		case k < 80:
			for range min(len(mine), r.IntN(8)) {
				s := last()
				o.drop(s)
				put[k/76](s)
			}
		case k < 90 && len(mine) > 0:
			passed <- last()
		case k < 98:
			select {
			case s := <-passed:
				mine = append(mine, s)
			default:
			}
		case k == 98:
			c.Publish()
			if got := o.pool.Stats(); got.InUse > got.Allocated || got.Allocated > got.Capacity {
				o.t.Errorf("Stats = %+v", got)
			}
		case k == 99:
			c.Close()
			c = o.pool.NewCache()
		}
	}
	for len(mine) > 0 {
		s := last()
		o.drop(s)
		c.Put(s)
	}
	c.Close()
}

// checkWhole checks that no slot was lost: all can be taken, each once.
func checkWhole(t *testing.T, o *owners) {
	t.Helper()
	if got := o.pool.Stats(); got.InUse != 0 || len(got.Cached) != 1 {
		t.Fatalf("everything was put back, Stats = %+v", got)
	}
	h := o.pool.Shared()
	for n := range len(o.taken) {
		s, ok := h.Get()
		if !ok {
			t.Fatalf("%d of %d slots are left", n, len(o.taken))
		}
		o.take(s)
	}
	if s, ok := h.Get(); ok {
		t.Fatalf("slot %d beyond the capacity", s)
	}
}
