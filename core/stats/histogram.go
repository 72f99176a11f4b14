package stats

import (
	"math/bits"
	"sync/atomic"
)

const (
	subBits = 4            // log2 of the buckets per octave
	sub     = 1 << subBits // buckets per octave

	// Buckets is how many buckets a histogram has: they cover all of uint64.
	Buckets = (64 - subBits + 1) * sub

	groups = (Buckets + 63) / 64 // words of the touched bitmap
)

// Histogram counts values in log-linear buckets.
//
// One goroutine owns it and calls Add, AddN and Publish; any goroutine may call
// Snapshot. Nothing in it allocates or blocks. A bucket counts to 2^64.
//
// Publish must cost what changed, not what exists, so Add notes the bucket in a
// bitmap: bit b of touched for the bucket, bit b/64 of dirty for the word.
//
//	dirty (groups bits) -> touched [groups]uint64 -> counts [Buckets]uint64
type Histogram struct {
	dirty   uint64            // owned by the owner
	sum     uint64            // owned by the owner
	max     uint64            // owned by the owner
	touched [groups]uint64    // owned by the owner
	counts  [Buckets]uint64   // owned by the owner
	_       [128]byte         // keeps readers off the owner's last line
	pub     publishedCounters // atomic
}

type publishedCounters struct {
	sum, max atomic.Uint64
	counts   [Buckets]atomic.Uint64
}

// NewHistogram returns an empty histogram (16 KiB).
func NewHistogram() *Histogram { return &Histogram{} }

// Add counts v once. Owner only.
func (h *Histogram) Add(v uint64) { h.AddN(v, 1) }

// AddN counts v n times; n of zero counts nothing. Owner only.
func (h *Histogram) AddN(v, n uint64) {
	b := bucketOf(v)
	h.counts[b] += n
	h.sum += v * n
	if v > h.max && n > 0 {
		h.max = v
	}
	if h.touched[b/64]&(1<<(b%64)) == 0 {
		h.touch(b)
	}
}

func (h *Histogram) touch(b uint) {
	h.touched[b/64] |= 1 << (b % 64)
	h.dirty |= 1 << (b / 64)
}

// Publish makes what was added readable. The owner calls it once per turn; its
// cost is one store for each bucket touched since the last call.
func (h *Histogram) Publish() {
	if h.dirty == 0 {
		return
	}
	// The maximum goes first: readers load it last, so it bounds what they saw.
	if h.pub.max.Load() != h.max {
		h.pub.max.Store(h.max)
	}
	for ; h.dirty != 0; h.dirty &= h.dirty - 1 {
		h.publishGroup(bits.TrailingZeros64(h.dirty))
	}
	h.pub.sum.Store(h.sum)
}

func (h *Histogram) publishGroup(g int) {
	for m := h.touched[g]; m != 0; m &= m - 1 {
		b := g*64 + bits.TrailingZeros64(m)
		h.pub.counts[b].Store(h.counts[b])
	}
	h.touched[g] = 0
}

// Snapshot returns what was published. Any goroutine may call it while the
// owner works. Count is the sum of the buckets read, so quantiles always add
// up; Sum may be of the turn before or after.
func (h *Histogram) Snapshot() Snapshot {
	var s Snapshot
	for b := range s.counts {
		n := h.pub.counts[b].Load()
		s.counts[b] = n
		s.Count += n
	}
	s.Sum, s.Max = h.pub.sum.Load(), h.pub.max.Load()
	return s
}

// bucketOf returns the bucket of v. For v below 2*sub that is v itself; above,
// e octaves up, the top subBits+1 bits of v choose the bucket:
//
//	v = 1 mmmm xxxx...   ->   bucket = e<<subBits + 1mmmm
//	      ^subBits  ^e bits dropped
func bucketOf(v uint64) uint {
	e := uint(bits.Len64(v|sub)) - subBits - 1
	return e<<subBits + uint(v>>e)
}

// bucketLow returns the lowest value that bucket b counts.
func bucketLow(b int) uint64 {
	if b < 2*sub {
		return uint64(b)
	}
	e := uint(b>>subBits) - 1
	return uint64(b-int(e)<<subBits) << e
}

// bucketHigh returns the highest value that bucket b counts.
func bucketHigh(b int) uint64 {
	if b == Buckets-1 {
		return 1<<64 - 1
	}
	return bucketLow(b+1) - 1
}
