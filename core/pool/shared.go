package pool

import "sync"

// Shared is a pool's handle for every goroutine that has no Cache: a cache
// behind a mutex. All methods may be called from any goroutine; they block
// only for each other.
type Shared struct {
	mu    sync.Mutex
	cache *Cache // guarded by mu
}

// Get is Cache.Get.
func (h *Shared) Get() (Slot, bool) {
	h.mu.Lock()
	s, ok := h.cache.Get()
	h.cache.Publish()
	h.mu.Unlock()
	return s, ok
}

// Put is Cache.Put.
func (h *Shared) Put(s Slot) {
	h.mu.Lock()
	h.cache.Put(s)
	h.cache.Publish()
	h.mu.Unlock()
}
