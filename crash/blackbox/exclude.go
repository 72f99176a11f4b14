package blackbox

// Range is memory that a core must not hold.
type Range struct{ Addr, Size uint64 }

// Exclude enters the memory of a secret under key, in place of what the key
// had: three stores. Each key, 0 to MaxExcluded-1, belongs to one goroutine at
// a time, which also calls Include before the memory is used for something
// else. A key beyond the limit, or more than MaxRangeBytes, is refused: the
// answer is false, and the refusal is counted in the file. Size 0 is Include.
//
// Who stops the process reads the ranges before it goes on; see Read.
func (b *Box) Exclude(key uint64, addr, size uintptr) bool {
	if b == nil || !b.owner {
		return false
	}
	if key >= MaxExcluded || uint64(size) > MaxRangeBytes || uint64(addr)+uint64(size) < uint64(addr) {
		b.image.live.refused.Add(1)
		return false
	}
	s := &b.image.excluded[key]
	s.size.Store(0)
	s.addr.Store(uint64(addr))
	b.raise(key + 1)
	s.size.Store(uint64(size))
	return true
}

// Include takes the range of key out again. A key that has none is fine.
func (b *Box) Include(key uint64) {
	if b != nil && b.owner && key < MaxExcluded {
		b.image.excluded[key].size.Store(0)
	}
}

// raise makes end the end of the slots in use, if it is further.
func (b *Box) raise(end uint64) {
	word := &b.image.live.excludedEnd
	for old := word.Load(); old < end; old = word.Load() {
		if word.CompareAndSwap(old, end) {
			return
		}
	}
}
