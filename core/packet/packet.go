package packet

import (
	"math"
	"sync/atomic"
	"unsafe"

	"vitrine/core/flight"
	"vitrine/core/pool"
)

// Packet is a payload being written, or one that its holders read.
//
// It belongs to the goroutine that holds its only reference. Once Retain has
// added references it is read-only, and any goroutine that holds one may read
// it; writing to it then panics. A packet is handed to another goroutine by
// whatever orders the two (a queue, a channel). Only Retain and Release may be
// called by several holders at once. No method but a write that grows the
// packet and Release takes a lock, and none blocks for longer than that.
//
// start, cursor and limit are numbers, not pointers, so that chunks of headers
// need no scanning. What they address cannot go away: a *Packet keeps its chunk
// alive, the chunk its pool, and the pool all its payloads; and Go does not
// move objects of the heap.
type Packet struct {
	cursor uintptr // the next byte to write; first in the struct, which makes the writers cheap enough to be inlined
	start  uintptr // first byte of the payload
	limit  uintptr // the first byte that must not be written; cursor after an error or Retain

	refs      int32     // atomic, but plain for whoever holds the only reference
	slot      pool.Slot // fixed; in the smallest class, and the handle
	large     pool.Slot // in its class, when class > 0
	class     uint8     // of the payload
	failure   failure
	hasExt    bool
	droppable bool

	trace flight.Ref
	recv  int64
	_     [8]byte
}

// Len returns the number of bytes written.
func (p *Packet) Len() int { return int(p.cursor - p.start) }

// Payload returns the bytes written, as a view that is valid until the next
// write or the release of the caller's reference. Holders must not change it
// once the packet is shared.
func (p *Packet) Payload() []byte {
	if invariants {
		p.mustLive("Payload")
	}
	n := p.cursor - p.start
	return unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&p.start))), n)
}

// Err returns the first error of a write, ErrExhausted for a packet that the
// pool could not give, ErrReleased after the last release, else nil.
func (p *Packet) Err() error { return p.failure.err() }

// Handle names the packet as a plain number, for queues that hold values; the
// pool's At turns it back. It stands for the packet, not for a reference.
func (p *Packet) Handle() uint32 { return uint32(p.slot) }

// SetDroppable marks the packet as one that a full send queue may drop instead
// of ending the session (a position that the next one replaces), and returns
// it. Only before it is shared.
func (p *Packet) SetDroppable() *Packet {
	if p.writable("SetDroppable") {
		p.droppable = true
	}
	return p
}

// Droppable reports whether SetDroppable marked the packet.
func (p *Packet) Droppable() bool { return p.droppable }

// SetTrace stores the record the packet was received under and when that was,
// for whoever handles it on another goroutine. Only before it is shared.
func (p *Packet) SetTrace(ref flight.Ref, recv int64) {
	if p.writable("SetTrace") {
		p.trace, p.recv = ref, recv
	}
}

// Trace returns the record the packet was received under, 0 when there is none.
func (p *Packet) Trace() flight.Ref { return p.trace }

// Recv returns when the packet was received, in ns of flight's clock, 0 when it
// was not.
func (p *Packet) Recv() int64 { return p.recv }

// Retain adds n references, to be dropped by one Release each, and returns the
// packet, which is read-only from then on, until only one is left. The caller
// holds a reference. Once per broadcast. It panics when n is negative.
func (p *Packet) Retain(n int) *Packet {
	if n < 0 || n > math.MaxInt32/2 {
		panic("packet: Retain of a negative or absurd number of references")
	}
	switch refs := atomic.LoadInt32(&p.refs); {
	case n == 0:
	case refs == 1:
		p.limit = p.cursor
		atomic.StoreInt32(&p.refs, 1+int32(n))
	case refs > 1:
		atomic.AddInt32(&p.refs, int32(n))
	default:
		p.misuse("Retain")
	}
	return p
}

// Release drops one reference; the last one returns the packet to its pool. The
// caller must not use the packet afterwards. Any goroutine may call it; the
// last release takes a mutex for a moment.
func (p *Packet) Release() {
	if !p.drop() {
		return
	}
	classes := p.chunk().pool.classes
	if class, large := p.shrink(); class > 0 {
		classes[class].slots.Shared().Put(large)
	}
	p.retire()
	classes[0].slots.Shared().Put(p.slot)
}

// drop gives up one reference and reports whether it was the last. A holder
// that sees 1 is the only one, and nobody else can add any.
func (p *Packet) drop() bool {
	switch refs := atomic.LoadInt32(&p.refs); {
	case refs == 1:
		return true
	case refs > 1:
		return atomic.AddInt32(&p.refs, -1) == 0
	default:
		p.misuse("Release")
		return false
	}
}

// retire makes the header of a packet without references refuse every use.
func (p *Packet) retire() {
	if invariants {
		p.scribble()
	}
	p.refs = 0
	p.failure = released
	p.cursor, p.limit = p.start, p.start
}

// misuse is what a released packet comes to; to the packet of an exhausted
// pool, which never counts references, nothing happens.
func (p *Packet) misuse(operation string) {
	if p.failure == exhausted {
		return
	}
	if invariants {
		panic("packet: " + operation + " of a released packet")
	}
	p.chunk().pool.misused.Add(1)
}

// writable reports whether fields may be set, and panics when others hold the
// packet too.
func (p *Packet) writable(operation string) bool {
	switch refs := atomic.LoadInt32(&p.refs); {
	case refs == 1:
		return true
	case refs > 1:
		panic("packet: " + operation + " of a packet that others hold too")
	default:
		p.misuse(operation)
		return false
	}
}

// chunk returns the chunk that the header lies in.
func (p *Packet) chunk() *chunk {
	place := uintptr(p.slot & chunkMask)
	front := unsafe.Offsetof(chunk{}.headers) + place*unsafe.Sizeof(Packet{})
	return (*chunk)(unsafe.Add(unsafe.Pointer(p), -int(front)))
}
