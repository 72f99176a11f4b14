package record

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf8"
)

// traceBytes is the size of a trace id and a span id.
const traceBytes = 16 + 8

// maxVarint is the size of the largest varint.
const maxVarint = binary.MaxVarintLen64

// fieldBound is what a field takes at most beside its key and its text: their lengths or its value, and its kind.
const fieldBound = 2*maxVarint + 1

// sizeUvarint is the number of bytes of a varint: one per 7 bits.
func sizeUvarint(x uint64) int { return (9*bits.Len64(x|1) + 64) >> 6 }

func zigzag(x uint64) uint64   { return x<<1 ^ uint64(int64(x)>>63) }
func unzigzag(x uint64) uint64 { return x>>1 ^ -(x & 1) }

func sizeText(s string) int { return sizeUvarint(uint64(len(s))) + len(s) }

// size is the number of bytes of a field in a payload.
func (f *Field) size() int {
	n := sizeText(f.Key) + 1
	switch f.kind {
	case KindInt, KindDuration:
		return n + sizeUvarint(zigzag(f.num))
	case KindUint:
		return n + sizeUvarint(f.num)
	case KindFloat, KindTime:
		return n + 8
	case KindBool:
		return n + 1
	default:
		return n + sizeText(f.text)
	}
}

// PayloadSize is the number of bytes that AppendPayload appends for the same arguments. It may be more than a record
// can hold: see Fit. Fields beyond MaxFields are not counted.
func PayloadSize(trace bool, message string, fields []Field) int {
	n := sizeText(message)
	if trace {
		n += traceBytes
	}
	for i := range fields[:min(len(fields), MaxFields)] {
		n += fields[i].size()
	}
	return n
}

// PayloadBound is at least PayloadSize and costs a fraction of it: for a caller that has room to spare.
func PayloadBound(trace bool, message string, fields []Field) int {
	n := maxVarint + len(message)
	if trace {
		n += traceBytes
	}
	for i := range fields[:min(len(fields), MaxFields)] {
		n += fieldBound + len(fields[i].Key) + len(fields[i].text)
	}
	return n
}

// AppendPayload appends message and fields as a payload, exactly PayloadSize bytes, and allocates nothing when dst has
// room for them; it writes nothing behind them either. Trace and span go before them when trace is not nil, and the
// head must then have FlagTrace; a nil span is zeros. Fields beyond MaxFields are left out: the head should then have
// FlagCut.
func AppendPayload(dst []byte, trace *[16]byte, span *[8]byte, message string, fields []Field) []byte {
	start, i := len(dst), len(dst)
	b := dst[:cap(dst)]
	if len(b)-i < traceBytes+maxVarint+len(message) {
		b = room(b, i, start, trace != nil, message, fields)
	}
	if trace != nil {
		i += copy(b[i:], trace[:])
		if span != nil {
			copy(b[i:], span[:])
		} else {
			clear(b[i : i+8])
		}
		i += 8
	}
	i = putText(b, i, message)
	for k := range fields[:min(len(fields), MaxFields)] {
		f := &fields[k]
		if len(b)-i < fieldBound+len(f.Key)+len(f.text) {
			b = room(b, i, start, trace != nil, message, fields)
		}
		i = f.put(b, i)
	}
	return b[:i]
}

// room gives b, of which the bytes before i are used, with room for the whole payload that begins at start. It is asked
// only where the room may be too small, so that in a buffer with plenty the size is never computed.
func room(b []byte, i, start int, trace bool, message string, fields []Field) []byte {
	if end := start + PayloadSize(trace, message, fields); end > len(b) {
		b = slices.Grow(b[:i], end-i)
		return b[:cap(b)]
	}
	return b
}

// put writes the field at b[i:], which has room, and gives the index behind it.
func (f *Field) put(b []byte, i int) int {
	i = putText(b, i, f.Key)
	b[i] = byte(f.kind)
	i++
	switch f.kind {
	case KindInt, KindDuration:
		return putUvarint(b, i, zigzag(f.num))
	case KindUint:
		return putUvarint(b, i, f.num)
	case KindFloat, KindTime:
		binary.LittleEndian.PutUint64(b[i:], f.num)
		return i + 8
	case KindBool:
		b[i] = byte(f.num)
		return i + 1
	default:
		return putText(b, i, f.text)
	}
}

func putText(b []byte, i int, s string) int {
	i = putUvarint(b, i, uint64(len(s)))
	return i + copy(b[i:], s)
}

// putUvarint is binary.PutUvarint, small enough to be inlined.
func putUvarint(b []byte, i int, x uint64) int {
	for ; x >= 0x80; i++ {
		b[i] = byte(x) | 0x80
		x >>= 7
	}
	b[i] = byte(x)
	return i + 1
}

// Fit shortens a message and its fields so that their payload has at most limit bytes, and tells whether it had to: the
// head should then have FlagCut. Fields go first, whole ones from the last on, then the end of the message, never half
// a rune. It copies nothing. A limit too small for an empty message counts as one that is not.
func Fit(limit int, trace bool, message string, fields []Field) (string, []Field, bool) {
	limit = max(limit, 0)
	cut := len(fields) > MaxFields
	fields = fields[:min(len(fields), MaxFields)]
	size := PayloadSize(trace, message, fields)
	for size > limit && len(fields) > 0 {
		last := len(fields) - 1
		size -= fields[last].size()
		fields, cut = fields[:last], true
	}
	if size <= limit {
		return message, fields, cut
	}
	room := max(0, limit-(size-sizeText(message)))
	return cutMessage(message, room-sizeUvarint(uint64(room))), fields, true
}

// cutMessage gives the first n bytes of s, or up to three fewer where they would end within a rune.
func cutMessage(s string, n int) string {
	if n >= len(s) {
		return s
	}
	for end := n; end > 0 && end > n-utf8.UTFMax; end-- {
		if utf8.RuneStart(s[end]) {
			return s[:end]
		}
	}
	return s[:max(n, 0)]
}
