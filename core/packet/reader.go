package packet

import (
	"encoding/binary"
	"math"
	"unsafe"

	"vitrine/core/flight"
)

// Reader reads a received payload from front to back. It belongs to one
// goroutine, usually a worker, which resets it for every packet; a handler may
// use it until it returns. The zero Reader reads an empty payload.
//
// A read past the end fails the reader: that read and all later ones return
// zero or nothing, and Err tells. Nothing panics on any input, and nothing but
// UTF8, UTF16 and Clone allocates or copies.
//
//	0 <= off <= len(b)
type Reader struct {
	b      []byte // lent by Reset
	off    int    // of the first unread byte
	failed bool

	pool  *Pool  // what Clone takes from; nil until Bind
	cache *Cache // instead of pool; nil unless UseCache
	ref   flight.Ref
	ext   *Ext
}

// NewReader returns a reader of b, which it neither copies nor changes.
func NewReader(b []byte) *Reader { return &Reader{b: b} }

// Reset starts anew with b and without an error. What Bind and UseCache set
// stays.
func (r *Reader) Reset(b []byte) {
	r.b = b
	r.off = 0
	r.failed = false
}

// Receive is Reset for a packet that came in under the record ref.
func (r *Reader) Receive(b []byte, ref flight.Ref) {
	r.b = b
	r.off = 0
	r.failed = false
	r.ref = ref
}

// Bind sets where Clone takes packets from, and what Trace and Ext answer. ext
// may be nil; it is lent until the next Bind.
func (r *Reader) Bind(p *Pool, ref flight.Ref, ext *Ext) {
	r.pool, r.ref, r.ext = p, ref, ext
}

// UseCache lets Clone take packets from the cache of the reader's goroutine, so
// without a lock, instead of the pool that Bind sets. nil ends that.
func (r *Reader) UseCache(c *Cache) { r.cache = c }

// Len returns the number of unread bytes, 0 after an error.
func (r *Reader) Len() int { return len(r.b) - r.off }

// Err returns ErrShort when a read went past the end, else nil.
func (r *Reader) Err() error {
	if r.failed {
		return ErrShort
	}
	return nil
}

// U8 reads one byte.
func (r *Reader) U8() uint8 {
	b := r.b[r.off:]
	if len(b) < 1 {
		r.fail()
		return 0
	}
	r.off++
	return b[0]
}

// U16 reads two bytes.
func (r *Reader) U16() uint16 {
	b := r.b[r.off:]
	if len(b) < 2 {
		r.fail()
		return 0
	}
	r.off += 2
	return binary.LittleEndian.Uint16(b)
}

// U32 reads four bytes.
func (r *Reader) U32() uint32 {
	b := r.b[r.off:]
	if len(b) < 4 {
		r.fail()
		return 0
	}
	r.off += 4
	return binary.LittleEndian.Uint32(b)
}

// U64 reads eight bytes.
func (r *Reader) U64() uint64 {
	b := r.b[r.off:]
	if len(b) < 8 {
		r.fail()
		return 0
	}
	r.off += 8
	return binary.LittleEndian.Uint64(b)
}

// I8 reads one byte.
func (r *Reader) I8() int8 { return int8(r.U8()) }

// I16 reads two bytes.
func (r *Reader) I16() int16 { return int16(r.U16()) }

// I32 reads four bytes.
func (r *Reader) I32() int32 { return int32(r.U32()) }

// I64 reads eight bytes.
func (r *Reader) I64() int64 { return int64(r.U64()) }

// F32 reads four bytes, IEEE 754.
func (r *Reader) F32() float32 { return math.Float32frombits(r.U32()) }

// F64 reads eight bytes, IEEE 754.
func (r *Reader) F64() float64 { return math.Float64frombits(r.U64()) }

// Bytes reads n bytes as a view of the payload, valid until the handler
// returns, whose capacity is its length; nil after an error, which a negative n
// is too.
func (r *Reader) Bytes(n int) []byte {
	if uint(n) > uint(r.Len()) {
		r.fail()
		return nil
	}
	if r.failed {
		return nil
	}
	b := r.b[r.off : r.off+n : r.off+n]
	r.off += n
	return b
}

// Rest reads everything unread, as Bytes would.
func (r *Reader) Rest() []byte { return r.Bytes(r.Len()) }

// Skip reads n bytes and forgets them. It returns the reader.
func (r *Reader) Skip(n int) *Reader {
	r.Bytes(n)
	return r
}

func (r *Reader) fail() {
	r.off = len(r.b)
	r.failed = true
}

// Get reads one value of a named type into v, as the method of its size would.
func Get[T Fixed](r *Reader, v *T) *Reader {
	switch unsafe.Sizeof(*v) {
	case 1:
		*(*uint8)(unsafe.Pointer(v)) = r.U8()
	case 2:
		*(*uint16)(unsafe.Pointer(v)) = r.U16()
	case 4:
		*(*uint32)(unsafe.Pointer(v)) = r.U32()
	default:
		*(*uint64)(unsafe.Pointer(v)) = r.U64()
	}
	return r
}
