package record

import (
	"encoding/binary"
	"math/bits"
	"slices"
	"unicode/utf8"
)

// traceBytes is the size of a trace id and a span id.
const traceBytes = 16 + 8

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
	if len(fields) > MaxFields {
		fields = fields[:MaxFields]
	}
	for i := range fields {
		n += fields[i].size()
	}
	return n
}

// AppendPayload appends message and fields as a payload, exactly PayloadSize bytes, and allocates nothing when dst has
// room for them. Trace and span go before them when trace is not nil, and the head must then have FlagTrace; a nil span
// is zeros. Fields beyond MaxFields are left out: the head should then have FlagCut.
func AppendPayload(dst []byte, trace *[16]byte, span *[8]byte, message string, fields []Field) []byte {
	if len(fields) > MaxFields {
		fields = fields[:MaxFields]
	}
	dst = slices.Grow(dst, PayloadSize(trace != nil, message, fields))
	if trace != nil {
		dst = append(dst, trace[:]...)
		if span == nil {
			span = new([8]byte)
		}
		dst = append(dst, span[:]...)
	}
	dst = appendString(dst, message)
	for i := range fields {
		dst = fields[i].append(dst)
	}
	return dst
}

func (f *Field) append(dst []byte) []byte {
	dst = append(appendString(dst, f.Key), byte(f.kind))
	switch f.kind {
	case KindInt, KindDuration:
		return binary.AppendUvarint(dst, zigzag(f.num))
	case KindUint:
		return binary.AppendUvarint(dst, f.num)
	case KindFloat, KindTime:
		return binary.LittleEndian.AppendUint64(dst, f.num)
	case KindBool:
		return append(dst, byte(f.num))
	default:
		return appendString(dst, f.text)
	}
}

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// Fit shortens a message and its fields so that their payload has at most limit bytes, and tells whether it had to: the
// head should then have FlagCut. Fields go first, whole ones from the last on, then the end of the message, never half
// a rune. It copies nothing. A limit too small for an empty message counts as one that is not.
func Fit(limit int, trace bool, message string, fields []Field) (string, []Field, bool) {
	cut := len(fields) > MaxFields
	fields = fields[:min(len(fields), MaxFields)]
	size := PayloadSize(trace, message, fields)
	for size > limit && len(fields) > 0 {
		last := len(fields) - 1
		size -= fields[last].size()
		fields, cut = fields[:last], true
	}
	if size <= limit || message == "" {
		return message, fields, cut
	}
	room := limit - (size - sizeText(message)) - 1
	for room > 0 && sizeUvarint(uint64(room))+room > limit-(size-sizeText(message)) {
		room--
	}
	room = max(room, 0)
	for room > 0 && !utf8.RuneStart(message[room]) {
		room--
	}
	return message[:room], fields, true
}
