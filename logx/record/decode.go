package record

import (
	"encoding/binary"
	"unsafe"
)

// Decode reads the whole record into r. Its strings are views of the record's bytes: they are valid as long as these
// are neither changed nor reused. r.Fields is reused, so nothing is allocated when it has room. After an error, always
// ErrCorrupt, r holds what was read before it.
func (v View) Decode(r *Record) error {
	r.Head, r.Message, r.Fields = v.Head, "", r.Fields[:0]
	r.Trace, r.Span = v.Trace()
	c := cursor{rest: v.Payload}
	if v.Flags&FlagTrace != 0 && c.take(traceBytes) == nil {
		return ErrCorrupt
	}
	if len(c.rest) > 0 {
		r.Message = c.text()
	}
	for len(c.rest) > 0 && !c.bad {
		if len(r.Fields) == MaxFields {
			return ErrCorrupt
		}
		r.Fields = append(r.Fields, Field{})
		c.field(&r.Fields[len(r.Fields)-1])
	}
	if c.bad {
		return ErrCorrupt
	}
	return nil
}

// Trace gives the trace and span id, zeros when the record has none.
func (v View) Trace() (trace [16]byte, span [8]byte) {
	if v.Flags&FlagTrace != 0 && len(v.Payload) >= traceBytes {
		copy(trace[:], v.Payload)
		copy(span[:], v.Payload[16:])
	}
	return trace, span
}

// cursor reads a payload. Once it is bad, rest is empty.
type cursor struct {
	rest []byte
	bad  bool
}

func (c *cursor) fail() { c.rest, c.bad = nil, true }

// take gives the next n bytes, nil when there are fewer.
func (c *cursor) take(n uint64) []byte {
	if n > uint64(len(c.rest)) {
		c.fail()
		return nil
	}
	b := c.rest[:n]
	c.rest = c.rest[n:]
	return b
}

func (c *cursor) uvarint() uint64 {
	x, n := binary.Uvarint(c.rest)
	if n <= 0 {
		c.fail()
		return 0
	}
	c.rest = c.rest[n:]
	return x
}

func (c *cursor) text() string {
	b := c.take(c.uvarint())
	return unsafe.String(unsafe.SliceData(b), len(b))
}

func (c *cursor) byte() byte {
	if b := c.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) u64() uint64 {
	if b := c.take(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (c *cursor) field(f *Field) {
	f.Key = c.text()
	f.kind = Kind(c.byte())
	switch f.kind {
	case KindString, KindJSON, KindError:
		f.text = c.text()
	case KindInt, KindDuration:
		f.num = unzigzag(c.uvarint())
	case KindUint:
		f.num = c.uvarint()
	case KindFloat, KindTime:
		f.num = c.u64()
	case KindBool:
		if f.num = uint64(c.byte()); f.num > 1 {
			c.fail()
		}
	default:
		c.fail()
	}
}
