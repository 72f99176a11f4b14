package pool

import (
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"

	"vitrine/core/lockfree"
)

// A Slot names one slot of a pool: chunk in the upper bits, place in the
// chunk in the lower 6. It is a plain number, means nothing to another pool,
// and may be kept in memory that the garbage collector does not scan.
type Slot uint32

// Limits.
const (
	batchSlots = 64             // slots in a chunk, and what caches trade at once
	cacheSlots = 2 * batchSlots // the most a cache holds

	batchShift = 6
	batchMask  = batchSlots - 1
	cacheMask  = cacheSlots - 1

	// slotAlign keeps two slots out of one cache line.
	slotAlign = 64

	maxCapacity  = 1 << 30
	maxChunkSize = 1 << 40
)

// Config says what a pool holds. There are no defaults.
type Config struct {
	Name     string // in errors and reports
	SlotSize int    // bytes, from 1 up
	Capacity int    // slots, the most there will ever be; rounded up to a multiple of 64, at most 1<<30
}

// validate reports every bad field at once.
func (c Config) validate() error {
	var size, capacity error
	if c.SlotSize < 1 || c.SlotSize > maxChunkSize/batchSlots {
		size = fmt.Errorf("slot size %d bytes not in 1..%d", c.SlotSize, int64(maxChunkSize/batchSlots))
	}
	if c.Capacity < 1 || c.Capacity > maxCapacity {
		capacity = fmt.Errorf("capacity %d slots not in 1..%d", c.Capacity, maxCapacity)
	}
	return joinFields(c.Name, size, capacity)
}

// Pool owns the slots. Its own methods may be called from any goroutine;
// slots are taken and given back through a Cache or through Shared.
//
// Slots come in chunks of 64 contiguous slots, allocated when no free slot is
// left and never freed. A chunk brings along a batch, the place in which 64
// free slots travel between caches:
//
//	chunks   +---------+---------+---------+-----+
//	         | chunk 0 | chunk 1 |   nil   | ... |   64 x stride bytes each, never scanned
//	         +---------+---------+---------+-----+
//	batches  +---------+---------+---------+-----+
//	         | batch 0 | batch 1 |   nil   | ... |   64 slot numbers each
//	         +---------+---------+---------+-----+
//
//	full     stack of the batches that hold 64 free slots
//	empty    stack of the batches that hold nothing
//
// A batch is owned by the stack it is on, or by the goroutine that took it
// off until it puts it on the other. Batches that hold slots hold different
// ones, so there are never more of them than chunks: who has 64 free slots
// to give back always finds an empty batch.
type Pool struct {
	name     string // fixed after New
	slotSize int    // fixed after New
	stride   int    // fixed after New: slotSize rounded up to slotAlign

	chunks  []atomic.Pointer[byte]  // fixed after New; each element is set once
	batches []atomic.Pointer[batch] // fixed after New; each element is set once, before its chunk is used

	full      *lockfree.Stack // of batch numbers
	empty     *lockfree.Stack // of batch numbers
	fullCount atomic.Int64    // batches on full, or about to be
	allocated atomic.Int64    // chunks
	exhausted atomic.Uint64   // Gets that found no slot

	shared Shared

	mu     sync.Mutex
	loose  []Slot   // guarded by mu: fewer than 64 free slots, of caches that were closed
	caches []*Cache // guarded by mu: those not yet closed

	audit audit // empty without the invariants tag
}

type batch [batchSlots]Slot

// New returns a pool that has allocated no slot yet, only its tables: 24
// bytes per 64 slots of capacity. The error names every bad field.
func New(c Config) (*Pool, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	n := (c.Capacity + batchMask) / batchSlots
	p := &Pool{
		name:     c.Name,
		slotSize: c.SlotSize,
		stride:   (c.SlotSize + slotAlign - 1) &^ (slotAlign - 1),
		chunks:   make([]atomic.Pointer[byte], n),
		batches:  make([]atomic.Pointer[batch], n),
		full:     lockfree.NewStack(n),
		empty:    lockfree.NewStack(n),
		loose:    make([]Slot, 0, 2*batchSlots),
	}
	p.shared.cache = p.NewCache()
	return p, nil
}

// Bytes returns the memory of a slot: length and capacity are the slot size.
// What it holds is what its last owner left there. It belongs to the owner of
// the slot and must not be touched once the slot was put back. Any goroutine
// may call it; it takes two loads and does not block.
func (p *Pool) Bytes(s Slot) []byte {
	if invariants {
		p.auditUse(s)
	}
	return p.memory(s)
}

// memory is Bytes without the check.
func (p *Pool) memory(s Slot) []byte {
	base := p.chunks[s>>batchShift].Load()
	place := int(s&batchMask) * p.stride
	return unsafe.Slice((*byte)(unsafe.Add(unsafe.Pointer(base), place)), p.slotSize)
}

// Shared returns the handle for goroutines that have no cache of their own.
func (p *Pool) Shared() *Shared {
	return &p.shared
}
