package pool

import "sync/atomic"

// Cache is one goroutine's handle on a pool. Get and Put work on slots it
// keeps to itself, without atomics; once per 64 slots or fewer it trades a
// batch with the pool.
//
// All methods belong to the owning goroutine; ownership may pass on if that
// itself synchronizes. A slot taken from one cache may be put into any other
// cache of the same pool. Close ends it.
type Cache struct {
	pool *Pool            // fixed after NewCache
	n    int              // owned by the goroutine: how many of slots are free
	held [cacheSlots]Slot // owned by the goroutine: held[:n] are free, held[n-1] was put last

	_ [64]byte

	published atomic.Int64 // n as of the last Publish

	_ [64]byte
}

// NewCache returns an empty cache for one goroutine. Any goroutine may call
// it; it takes the pool's mutex.
func (p *Pool) NewCache() *Cache {
	c := &Cache{pool: p}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.caches = append(p.caches, c)
	return c
}

// Get takes a free slot, the one put back last if there is one. It returns
// false, and counts that, if all slots of the capacity are in use or held by
// other caches, each of which holds at most 128.
//
// It does not block, unless neither this cache nor the pool has a free slot:
// then it takes the pool's mutex to allocate 64. What the slot's memory holds
// is left over from its last owner.
func (c *Cache) Get() (s Slot, ok bool) {
	if c.n == 0 && !c.refill() {
		return
	}
	c.n--
	if invariants {
		c.pool.auditGet(c.held[c.n])
	}
	return c.held[c.n&cacheMask], true
}

// Put gives a slot back. The caller must own it and not use it afterwards.
// It never blocks and always has room: the 129th slot sends 64 to the pool.
func (c *Cache) Put(s Slot) {
	if invariants {
		c.pool.auditPut(s)
	}
	if c.n == cacheSlots {
		c.spill()
	}
	c.held[c.n&cacheMask] = s
	c.n++
}

// Get and Put are as small as the compiler's limit for inlining allows, which
// is worth a third of their time; refill and spill are what they leave out.

// refill gets up to 64 slots for an empty cache.
func (c *Cache) refill() bool {
	c.n = c.pool.take(c.held[:batchSlots])
	if c.n == 0 {
		c.pool.exhausted.Add(1)
	}
	return c.n > 0
}

// spill gives the older half of a full cache to the pool, so that the slots
// whose memory is still warm stay here.
//
//go:noinline
func (c *Cache) spill() {
	c.pool.give(c.held[:batchSlots])
	c.n = copy(c.held[:], c.held[batchSlots:])
}

// Publish makes the number of slots this cache holds readable for Stats.
// Call it once per turn.
func (c *Cache) Publish() {
	c.published.Store(int64(c.n))
}

// Close gives every slot back to the pool and ends the cache. It takes the
// pool's mutex. Closing a closed cache does nothing more.
func (c *Cache) Close() {
	p := c.pool
	p.mu.Lock()
	defer p.mu.Unlock()
	if c.n >= batchSlots {
		c.n -= batchSlots
		p.give(c.held[c.n : c.n+batchSlots])
	}
	if c.n == batchSlots {
		p.give(c.held[:batchSlots])
		c.n = 0
	}
	p.giveLoose(c.held[:c.n])
	c.n = 0
	c.Publish()
	p.forget(c)
}
