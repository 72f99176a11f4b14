package pool

import "slices"

// Stats are a pool's figures at about one moment. Slots that caches took or
// put back since they last published count as before.
type Stats struct {
	Name      string
	Capacity  uint64 // slots there may be at most
	Allocated uint64 // slots there are
	InUse     uint64 // slots out of the pool: neither in the pool nor in a cache
	Exhausted uint64 // Gets refused since New
	Cached    []int  // slots in each cache as last published: Shared's first, then in the order of NewCache
}

// Stats returns the pool's figures. Any goroutine may call it; it takes the
// pool's mutex.
func (p *Pool) Stats() Stats {
	p.mu.Lock()
	defer p.mu.Unlock()
	free := p.fullCount.Load()*batchSlots + int64(len(p.loose))
	cached := make([]int, len(p.caches))
	for i, c := range p.caches {
		cached[i] = int(c.published.Load())
		free += int64(cached[i])
	}
	allocated := p.allocated.Load() * batchSlots
	return Stats{
		Name:      p.name,
		Capacity:  uint64(len(p.chunks)) * batchSlots,
		Allocated: uint64(allocated),
		InUse:     uint64(max(0, allocated-free)),
		Exhausted: p.exhausted.Load(),
		Cached:    cached,
	}
}

// forget drops a closed cache from the figures. The caller holds mu.
func (p *Pool) forget(c *Cache) {
	if i := slices.Index(p.caches, c); i >= 0 {
		p.caches = slices.Delete(p.caches, i, i+1)
	}
}
