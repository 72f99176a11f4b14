package record

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

const (
	// HeadBytes is the size of what stands before the payload.
	HeadBytes = 36

	// MaxBytes is the size of the largest record, head included. Append
	// panics beyond it, and Parse refuses it.
	MaxBytes = 256 << 10

	// MaxFields is how many fields a record may have. PayloadSize and
	// AppendPayload leave out those beyond it, and Decode refuses them.
	MaxFields = 1024
)

var (
	// ErrShort says that the record goes on behind the bytes at hand.
	ErrShort = errors.New("record: more bytes needed")

	// ErrCorrupt says that the bytes are no record that Append made.
	ErrCorrupt = errors.New("record: corrupt")
)

// Flags tell what is special about a record.
type Flags uint8

const (
	// FlagTrace says that the payload begins with a trace and a span id.
	FlagTrace Flags = 1 << iota

	// FlagTombstone marks the record that stands for one whose writer died
	// while it wrote.
	FlagTombstone

	// FlagDropped marks the record that counts those dropped before it.
	FlagDropped

	// FlagCut says that message or fields were shortened to fit.
	FlagCut

	allFlags = FlagTrace | FlagTombstone | FlagDropped | FlagCut
)

// Head is what is known of a record without reading its payload.
type Head struct {
	Index   uint64 // without a gap from 1 on
	Time    int64  // ns since 1970, UTC
	Session uint64 // 0 = none
	Level   Level
	Flags   Flags
	Type    Type
}

// Record is a whole record. After Decode its strings are those of the View's bytes and live as long as these.
type Record struct {
	Head
	Trace   [16]byte // zeros = none
	Span    [8]byte
	Message string
	Fields  []Field
}

// castagnoli is the table of CRC-32C, for which most processors have an instruction.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Append appends the record of a head and the payload that AppendPayload made, checksum included. What Parse would
// refuse is corrected in h itself: a level that is none becomes Info, or System when it is above it, an unknown flag is
// cleared, a type from MaxTypes on becomes TypeSystem. It panics when the record is larger than MaxBytes.
func Append(dst []byte, h *Head, payload []byte) []byte {
	size := HeadBytes + len(payload)
	if size > MaxBytes {
		panic(fmt.Sprintf("record: %d bytes, the most is %d", size, MaxBytes))
	}
	h.correct()
	start := len(dst)
	var head [HeadBytes]byte
	binary.LittleEndian.PutUint32(head[0:], uint32(size))
	binary.LittleEndian.PutUint64(head[8:], h.Index)
	binary.LittleEndian.PutUint64(head[16:], uint64(h.Time))
	binary.LittleEndian.PutUint64(head[24:], h.Session)
	head[32], head[33] = byte(h.Level), byte(h.Flags)
	binary.LittleEndian.PutUint16(head[34:], uint16(h.Type))
	dst = append(append(dst, head[:]...), payload...)
	record := dst[start:]
	binary.LittleEndian.PutUint32(record[4:], crc32.Checksum(record[8:], castagnoli))
	return dst
}

func (h *Head) correct() {
	if h.Level == 0 {
		h.Level = Info
	}
	h.Level = min(h.Level, System)
	h.Flags &= allFlags
	if h.Type >= MaxTypes {
		h.Type = TypeSystem
	}
}

// View is a record in its bytes. It is valid as long as these are not changed.
type View struct {
	Head
	Payload []byte // within the bytes that Parse was given
}

// Size is the number of bytes of the record, head included: where the next one begins.
func (v View) Size() int { return HeadBytes + len(v.Payload) }

// Parse reads the record at the front of b and checks its length, its checksum and its head. ErrShort says that b ends
// before the record does; ErrCorrupt that no record begins here, or a damaged one.
func Parse(b []byte) (View, error) {
	v, err := ParseUnchecked(b)
	if err == nil && crc32.Checksum(b[8:v.Size()], castagnoli) != binary.LittleEndian.Uint32(b[4:]) {
		return View{}, ErrCorrupt
	}
	return v, err
}

// Hop reads what a search for one session looks at in every record it passes: its size, index and session. A size of 0 says
// that b does not begin with a whole record, or that its length cannot be. Nothing else is checked.
func Hop(b []byte) (size int, index, session uint64) {
	if len(b) < HeadBytes {
		return 0, 0, 0
	}
	length := binary.LittleEndian.Uint32(b)
	if length < HeadBytes || length > MaxBytes || uint64(length) > uint64(len(b)) {
		return 0, 0, 0
	}
	return int(length), binary.LittleEndian.Uint64(b[8:]), binary.LittleEndian.Uint64(b[24:])
}

// ParseUnchecked is Parse without the checksum, for bytes that were checked, or are when something is found in them. It
// never reads past b either.
func ParseUnchecked(b []byte) (View, error) {
	if len(b) < 4 {
		return View{}, ErrShort
	}
	size := binary.LittleEndian.Uint32(b)
	if size < HeadBytes || size > MaxBytes {
		return View{}, ErrCorrupt
	}
	if uint64(len(b)) < uint64(size) {
		return View{}, ErrShort
	}
	b = b[:size:size]
	kind := binary.LittleEndian.Uint16(b[34:])
	v := View{Payload: b[HeadBytes:]}
	v.Index = binary.LittleEndian.Uint64(b[8:])
	v.Time = int64(binary.LittleEndian.Uint64(b[16:]))
	v.Session = binary.LittleEndian.Uint64(b[24:])
	v.Level, v.Flags, v.Type = Level(b[32]), Flags(b[33]), Type(kind)
	if !v.Level.valid() || v.Flags&^allFlags != 0 || kind >= MaxTypes {
		return View{}, ErrCorrupt
	}
	return v, nil
}
