package packet

import (
	"errors"
	"fmt"
	"sync/atomic"
	"unsafe"

	"vitrine/core/pool"
)

// Defaults and bounds of Config.
const (
	DefaultMaxSize  = 65535
	DefaultCapacity = 65536

	maxMaxSize  = 1 << 30
	maxCapacity = 1 << 24
)

const (
	chunkShift = 6
	chunkSize  = 1 << chunkShift // headers in a chunk
	chunkMask  = chunkSize - 1
)

// Config of a Pool. The zero value means the defaults.
type Config struct {
	MaxSize  int // bytes in the largest payload; default 65535, at most 1 GiB
	Capacity int // most packets alive at once; default 65536, at most 1<<24; rounded up to a multiple of 64
}

func (c *Config) fill() error {
	if c.MaxSize == 0 {
		c.MaxSize = DefaultMaxSize
	}
	if c.Capacity == 0 {
		c.Capacity = DefaultCapacity
	}
	var bad []error
	if c.MaxSize < 1 || c.MaxSize > maxMaxSize {
		bad = append(bad, fmt.Errorf("max size %d bytes is not within 1 to %d", c.MaxSize, maxMaxSize))
	}
	if c.Capacity < 1 || c.Capacity > maxCapacity {
		bad = append(bad, fmt.Errorf("capacity %d packets is not within 1 to %d", c.Capacity, maxCapacity))
	}
	c.Capacity = (c.Capacity + chunkMask) &^ chunkMask
	return errors.Join(bad...)
}

// Pool owns the memory of packets. It may be used from any goroutine; a worker
// takes a Cache of its own. It is never closed: memory goes with the last
// reference to the pool or to one of its packets.
type Pool struct {
	classes []class                 // fixed after New; ascending size
	headers []atomic.Pointer[chunk] // fixed length; an element is set once. The last is for none.
	none    *Packet                 // fixed after New; what New returns at the limit
	misused atomic.Uint64           // atomic
}

// class is one payload size.
type class struct {
	size  uintptr // bytes
	slots *pool.Pool
}

// chunk holds the headers of 64 neighbouring slots of the smallest class. It
// starts them at byte 56: the allocator puts 8 bytes of its own before objects
// of this size that hold pointers, so each header has a cache line of its own.
type chunk struct {
	pool *Pool                          // fixed; keeps every payload alive that headers point to
	exts atomic.Pointer[[chunkSize]Ext] // set once, by the first SetExt in the chunk
	_    [40]byte                       // headers start at byte 56

	headers [chunkSize]Packet
}

// NewPool returns a pool without any memory allocated but its tables. The error
// names every bad field.
func NewPool(c Config) (*Pool, error) {
	if err := c.fill(); err != nil {
		return nil, fmt.Errorf("packet pool: %w", err)
	}
	p := &Pool{headers: make([]atomic.Pointer[chunk], c.Capacity>>chunkShift+1)}
	for _, size := range classSizes(c.MaxSize) {
		slots, err := pool.New(pool.Config{
			Name:     fmt.Sprintf("packet %d", size),
			SlotSize: size,
			Capacity: c.Capacity,
		})
		if err != nil {
			return nil, fmt.Errorf("packet pool: class of %d bytes: %w", size, err)
		}
		p.classes = append(p.classes, class{size: uintptr(size), slots: slots})
	}
	p.none = &p.chunk(pool.Slot(c.Capacity)).headers[0]
	p.none.failure = exhausted
	return p, nil
}

// classSizes lists the sizes below maxSize and maxSize itself.
func classSizes(maxSize int) []int {
	var sizes []int
	for _, size := range []int{256, 2048, 16384} {
		if size < maxSize {
			sizes = append(sizes, size)
		}
	}
	return append(sizes, maxSize)
}

// New returns an empty packet with one reference, owned by the caller. Any
// goroutine may call it; it takes a mutex for a moment. It is never nil: at the
// limit the packet carries ErrExhausted.
func (p *Pool) New() *Packet {
	s, ok := p.classes[0].slots.Shared().Get()
	if !ok {
		return p.none
	}
	return p.open(s)
}

// Owns reports whether the packet came from this pool: only then its handle means anything here.
func (p *Pool) Owns(k *Packet) bool { return k.chunk().pool == p }

// At returns the packet of a handle that Handle returned. The handle stands for
// the reference that its sender holds: At neither adds one nor checks it.
func (p *Pool) At(handle uint32) *Packet {
	return &p.headers[handle>>chunkShift].Load().headers[handle&chunkMask]
}

// open prepares the header of a slot just taken.
func (p *Pool) open(s pool.Slot) *Packet {
	c := p.headers[s>>chunkShift].Load()
	if c == nil {
		c = p.chunk(s)
	}
	k := &c.headers[s&chunkMask]
	if k.start == 0 {
		k.start = p.address(0, s)
	}
	k.cursor = k.start
	k.limit = k.start + p.classes[0].size
	k.refs = 1
	k.failure = none
	k.hasExt, k.droppable = false, false
	k.trace, k.recv = 0, 0
	return k
}

// chunk returns the headers that s belongs to and makes them when they are
// missing. Several goroutines may do so at once; one of them wins.
func (p *Pool) chunk(s pool.Slot) *chunk {
	c := &chunk{pool: p}
	for i := range c.headers {
		c.headers[i].slot = s&^chunkMask + pool.Slot(i)
		c.headers[i].failure = released
	}
	at := &p.headers[s>>chunkShift]
	if at.CompareAndSwap(nil, c) {
		return c
	}
	return at.Load()
}

// address returns where a slot of a class begins.
func (p *Pool) address(class uint8, s pool.Slot) uintptr {
	return uintptr(unsafe.Pointer(unsafe.SliceData(p.classes[class].slots.Bytes(s))))
}

// fit returns the first class that takes size bytes.
func (p *Pool) fit(size uintptr) (uint8, bool) {
	for i := range p.classes {
		if size <= p.classes[i].size {
			return uint8(i), true
		}
	}
	return 0, false
}

// Stats are the figures of a Pool. Slots in use include those whose owner has
// not published since.
type Stats struct {
	Capacity  uint64 // packets
	Allocated uint64 // packets that memory exists for
	InUse     uint64 // packets alive
	Exhausted uint64 // requests refused, of packets and of larger payloads
	Misused   uint64 // uses after release that were seen and ignored
	Cached    []int  // packets each cache holds ready, as last published

	Classes []pool.Stats // ascending size; the first is the packets themselves
}

// Stats may be called from any goroutine.
func (p *Pool) Stats() Stats {
	var s Stats
	for i := range p.classes {
		c := p.classes[i].slots.Stats()
		s.Classes = append(s.Classes, c)
		s.Exhausted += c.Exhausted
	}
	first := s.Classes[0]
	s.Capacity, s.Allocated, s.InUse = first.Capacity, first.Allocated, first.InUse
	s.Cached = first.Cached
	s.Misused = p.misused.Load()
	return s
}
