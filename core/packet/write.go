package packet

import "unsafe"

// The writers append one value, little-endian, and return the packet. They are
// written out so that each one is inlined: one comparison, one store. After an
// error they do nothing. The store is the host's own, hence host.go.

// U8 appends one byte.
func (p *Packet) U8(v uint8) *Packet {
	if p.limit-p.cursor >= 1 || p.grow(1) {
		*(*uint8)(*(*unsafe.Pointer)(unsafe.Pointer(&p.cursor))) = v
		p.cursor += 1
	}
	return p
}

// U16 appends two bytes.
func (p *Packet) U16(v uint16) *Packet {
	if p.limit-p.cursor >= 2 || p.grow(2) {
		*(*uint16)(*(*unsafe.Pointer)(unsafe.Pointer(&p.cursor))) = v
		p.cursor += 2
	}
	return p
}

// U32 appends four bytes.
func (p *Packet) U32(v uint32) *Packet {
	if p.limit-p.cursor >= 4 || p.grow(4) {
		*(*uint32)(*(*unsafe.Pointer)(unsafe.Pointer(&p.cursor))) = v
		p.cursor += 4
	}
	return p
}

// U64 appends eight bytes.
func (p *Packet) U64(v uint64) *Packet {
	if p.limit-p.cursor >= 8 || p.grow(8) {
		*(*uint64)(*(*unsafe.Pointer)(unsafe.Pointer(&p.cursor))) = v
		p.cursor += 8
	}
	return p
}

// I8 appends one byte.
func (p *Packet) I8(v int8) *Packet {
	if p.limit-p.cursor >= 1 || p.grow(1) {
		*(*int8)(*(*unsafe.Pointer)(unsafe.Pointer(&p.cursor))) = v
		p.cursor += 1
	}
	return p
}

// I16 appends two bytes.
func (p *Packet) I16(v int16) *Packet {
	if p.limit-p.cursor >= 2 || p.grow(2) {
		*(*int16)(*(*unsafe.Pointer)(unsafe.Pointer(&p.cursor))) = v
		p.cursor += 2
	}
	return p
}

// I32 appends four bytes.
func (p *Packet) I32(v int32) *Packet {
	if p.limit-p.cursor >= 4 || p.grow(4) {
		*(*int32)(*(*unsafe.Pointer)(unsafe.Pointer(&p.cursor))) = v
		p.cursor += 4
	}
	return p
}

// I64 appends eight bytes.
func (p *Packet) I64(v int64) *Packet {
	if p.limit-p.cursor >= 8 || p.grow(8) {
		*(*int64)(*(*unsafe.Pointer)(unsafe.Pointer(&p.cursor))) = v
		p.cursor += 8
	}
	return p
}

// F32 appends four bytes, IEEE 754.
func (p *Packet) F32(v float32) *Packet {
	if p.limit-p.cursor >= 4 || p.grow(4) {
		*(*float32)(*(*unsafe.Pointer)(unsafe.Pointer(&p.cursor))) = v
		p.cursor += 4
	}
	return p
}

// F64 appends eight bytes, IEEE 754.
func (p *Packet) F64(v float64) *Packet {
	if p.limit-p.cursor >= 8 || p.grow(8) {
		*(*float64)(*(*unsafe.Pointer)(unsafe.Pointer(&p.cursor))) = v
		p.cursor += 8
	}
	return p
}

// Bytes appends b, all of it or, with an error, nothing. b must not be a view
// of the packet itself.
func (p *Packet) Bytes(b []byte) *Packet {
	copy(p.take(uintptr(len(b))), b)
	return p
}

// Extend appends n bytes whose content is undefined and returns them for the
// caller to fill before the next write: one check for a message of many fields
// at fixed offsets. The view's capacity is n; it is nil after an error, which a
// negative n is too.
func (p *Packet) Extend(n int) []byte { return p.take(uintptr(n)) }

// take appends n bytes of whatever was there and returns them for the caller
// to fill, nil after an error.
func (p *Packet) take(n uintptr) []byte {
	if p.limit-p.cursor < n && !p.grow(n) {
		return nil
	}
	b := unsafe.Slice((*byte)(*(*unsafe.Pointer)(unsafe.Pointer(&p.cursor))), n)
	p.cursor += n
	return b
}

// Fixed are the types of one fixed size, and those named after them.
type Fixed interface {
	~uint8 | ~uint16 | ~uint32 | ~uint64 | ~int8 | ~int16 | ~int32 | ~int64 | ~float32 | ~float64
}

// Put appends one value of a named type, as the method of its size would.
func Put[T Fixed](p *Packet, v T) *Packet {
	if p.limit-p.cursor >= unsafe.Sizeof(v) || p.grow(unsafe.Sizeof(v)) {
		*(*T)(*(*unsafe.Pointer)(unsafe.Pointer(&p.cursor))) = v
		p.cursor += unsafe.Sizeof(v)
	}
	return p
}
