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
	rest := unsafe.String(unsafe.SliceData(v.Payload), len(v.Payload))
	if v.Flags&FlagTrace != 0 {
		if len(rest) < traceBytes {
			return ErrCorrupt
		}
		rest = rest[traceBytes:]
	}
	if len(rest) == 0 {
		return nil
	}
	ok := true
	if r.Message, rest, ok = cutText(rest); !ok {
		return ErrCorrupt
	}
	return r.decodeFields(rest)
}

func (r *Record) decodeFields(rest string) error {
	ok := true
	for len(rest) > 0 {
		if len(r.Fields) == MaxFields {
			return ErrCorrupt
		}
		r.Fields = append(r.Fields, Field{})
		if rest, ok = r.Fields[len(r.Fields)-1].decode(rest); !ok {
			r.Fields = r.Fields[:len(r.Fields)-1]
			return ErrCorrupt
		}
	}
	return nil
}

// decode reads a field from the front of s into f, which is zero, and gives what is behind it.
func (f *Field) decode(s string) (rest string, ok bool) {
	if f.Key, s, ok = cutText(s); !ok || s == "" {
		return "", false
	}
	f.kind, s = Kind(s[0]), s[1:]
	switch f.kind {
	case KindString, KindJSON, KindError:
		f.text, s, ok = cutText(s)
	case KindInt, KindDuration:
		f.num, s, ok = cutUvarint(s)
		f.num = unzigzag(f.num)
	case KindUint:
		f.num, s, ok = cutUvarint(s)
	case KindFloat, KindTime:
		f.num, s, ok = cutUint64(s)
	case KindBool:
		if s == "" || s[0] > 1 {
			return "", false
		}
		f.num, s = uint64(s[0]), s[1:]
	default:
		return "", false
	}
	return s, ok
}

// cutText reads a length and so many bytes from the front of s.
func cutText(s string) (text, rest string, ok bool) {
	var n uint64
	if s != "" && s[0] < 0x80 {
		n, s = uint64(s[0]), s[1:]
	} else if n, s, ok = cutLongUvarint(s); !ok {
		return "", "", false
	}
	if n > uint64(len(s)) {
		return "", "", false
	}
	return s[:n], s[n:], true
}

// cutUvarint reads a varint from the front of s.
func cutUvarint(s string) (x uint64, rest string, ok bool) {
	if s != "" && s[0] < 0x80 {
		return uint64(s[0]), s[1:], true
	}
	return cutLongUvarint(s)
}

// cutLongUvarint is cutUvarint for any size.
func cutLongUvarint(s string) (x uint64, rest string, ok bool) {
	x, n := binary.Uvarint(unsafe.Slice(unsafe.StringData(s), len(s)))
	if n <= 0 {
		return 0, "", false
	}
	return x, s[n:], true
}

func cutUint64(s string) (x uint64, rest string, ok bool) {
	if len(s) < 8 {
		return 0, "", false
	}
	return binary.LittleEndian.Uint64(unsafe.Slice(unsafe.StringData(s), 8)), s[8:], true
}

// Trace gives the trace and span id, zeros when the record has none.
func (v View) Trace() (trace [16]byte, span [8]byte) {
	if v.Flags&FlagTrace != 0 && len(v.Payload) >= traceBytes {
		copy(trace[:], v.Payload)
		copy(span[:], v.Payload[16:])
	}
	return trace, span
}
