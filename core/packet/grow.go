package packet

import (
	"unsafe"

	"vitrine/core/pool"
)

// grow makes room for n more bytes, or reports that there will be none: the
// packet has failed, or does so now. It is the way of every write that finds
// too little room, so that the checks cost the others nothing.
//
//go:noinline
func (p *Packet) grow(n uintptr) bool {
	if !p.writable("write") || p.failure != none {
		return false
	}
	classes := p.chunk().pool.classes
	if room := p.start + classes[p.class].size - p.cursor; n <= room {
		p.limit = p.cursor + room // it was shared, and is no longer
		return true
	}
	if n > classes[len(classes)-1].size {
		return p.fail(tooLong)
	}
	class, ok := p.chunk().pool.fit(p.cursor - p.start + n)
	if !ok {
		return p.fail(tooLong)
	}
	s, ok := classes[class].slots.Shared().Get()
	if !ok {
		return p.fail(exhausted)
	}
	if old, large := p.move(class, s); old > 0 {
		classes[old].slots.Shared().Put(large)
	}
	return true
}

// fail makes every later write fail too.
func (p *Packet) fail(f failure) bool {
	p.failure = f
	p.limit = p.cursor
	return false
}

// move copies the payload to a slot of a larger class and returns the slot it
// leaves, with class 0 when that is the header's own.
func (p *Packet) move(class uint8, s pool.Slot) (old uint8, large pool.Slot) {
	c := &p.chunk().pool.classes[class]
	storage := c.slots.Bytes(s)
	n := copy(storage, p.Payload())
	if invariants {
		p.scribble()
	}
	old, large = p.class, p.large
	p.class, p.large = class, s
	p.start = uintptr(unsafe.Pointer(unsafe.SliceData(storage)))
	p.cursor = p.start + uintptr(n)
	p.limit = p.start + c.size
	return old, large
}

// shrink returns a dead packet to its own slot, and the larger one it leaves;
// class 0 when there is none.
func (p *Packet) shrink() (class uint8, large pool.Slot) {
	if p.class == 0 {
		return 0, 0
	}
	if invariants {
		p.scribble()
	}
	class, large = p.class, p.large
	p.class = 0
	p.start = p.chunk().pool.address(0, p.slot)
	p.cursor, p.limit = p.start, p.start
	return class, large
}
