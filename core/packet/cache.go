package packet

import (
	"sync/atomic"

	"vitrine/core/pool"
)

// Cache is one goroutine's handle on a Pool: New and Release without a lock.
// It holds at most 128 packets ready, and as many payloads of the second class.
// Packets may be released through another cache than they came from.
type Cache struct {
	pool  *Pool       // fixed
	small *pool.Cache // owned by the cache's goroutine; packets
	next  *pool.Cache // owned by the cache's goroutine; the second class, nil when there is none
}

// cached is how many classes a cache keeps; slots of the larger ones are too
// big to lie about and go through the pool's mutex.
const cached = 2

// NewCache returns a cache for one goroutine, which closes it in the end.
func (p *Pool) NewCache() *Cache {
	c := &Cache{pool: p, small: p.classes[0].slots.NewCache()}
	if len(p.classes) >= cached {
		c.next = p.classes[1].slots.NewCache()
	}
	return c
}

// New returns an empty packet with one reference, owned by the caller. It is
// never nil: at the limit the packet carries ErrExhausted. Owner's goroutine.
func (c *Cache) New() *Packet {
	s, ok := c.small.Get()
	if !ok {
		return c.pool.none
	}
	return c.pool.open(s)
}

// newFor returns a packet with room for size bytes.
func (c *Cache) newFor(size int) *Packet {
	k := c.New()
	if c.next != nil && k.refs == 1 {
		if class, ok := c.pool.fit(uintptr(size)); ok && class == 1 {
			if s, ok := c.next.Get(); ok {
				k.move(class, s)
			}
		}
	}
	return k
}

// Release drops one reference, whichever goroutine or cache the packet came
// from. The caller must not use the packet afterwards. Owner's goroutine.
func (c *Cache) Release(k *Packet) {
	if atomic.LoadInt32(&k.refs) != 1 || k.class != 0 {
		c.release(k)
		return
	}
	k.retire()
	c.small.Put(k.slot)
}

// release is Release for packets that are shared, larger or misused.
func (c *Cache) release(k *Packet) {
	if !k.drop() {
		return
	}
	switch class, large := k.shrink(); {
	case class == 1:
		c.next.Put(large)
	case class > 1:
		c.pool.classes[class].slots.Shared().Put(large)
	}
	k.retire()
	c.small.Put(k.slot)
}

// Publish makes the cached figure readable by Stats. Once per turn, on the
// owner's goroutine.
func (c *Cache) Publish() {
	c.small.Publish()
	if c.next != nil {
		c.next.Publish()
	}
}

// Close gives what the cache holds back to the pool. The cache must not be used
// afterwards; packets in use are not affected.
func (c *Cache) Close() {
	c.small.Close()
	if c.next != nil {
		c.next.Close()
	}
}
