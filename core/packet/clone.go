package packet

import "vitrine/core/flight"

// Clone copies what is unread, and the trace and extensions with it, to a
// packet that the caller owns and may keep or hand to another goroutine. The
// reader stays where it is. The packet is never nil: it carries ErrExhausted at
// the pool's limit and ErrTooLong when the payload is longer than the pool's
// MaxSize. Clone panics when neither Bind nor UseCache named a pool.
func (r *Reader) Clone() *Packet {
	p := r.newFor(r.Len())
	p.Bytes(r.b[r.off:])
	if p.failure == none {
		p.trace = r.ref
		if r.ext != nil {
			p.SetExt(*r.ext)
		}
	}
	return p
}

// newFor takes a packet from the cache, else from the pool.
func (r *Reader) newFor(size int) *Packet {
	switch {
	case r.cache != nil:
		return r.cache.newFor(size)
	case r.pool != nil:
		return r.pool.New()
	}
	panic("packet: Clone of a reader without a pool")
}

// Trace returns the record of the packet being read, 0 without one.
func (r *Reader) Trace() flight.Ref { return r.ref }

// Ext returns the extensions of the packet being read, the zero Ext without.
func (r *Reader) Ext() Ext {
	if r.ext == nil {
		return Ext{}
	}
	return *r.ext
}
