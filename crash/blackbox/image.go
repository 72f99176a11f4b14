package blackbox

import (
	"hash/crc32"
	"sync/atomic"
	"unsafe"
)

// What a box holds at most. The layout of the file follows from it.
const (
	MaxLoops      = 256       // loops at a time
	MaxLoopName   = 47        // bytes of a loop's name
	MaxNotes      = 64        // notes kept, the newest over the oldest
	MaxNote       = 240       // bytes of a note
	MaxMetrics    = 64 << 10  // bytes of the metrics
	MaxExcluded   = 64 << 10  // excluded ranges at a time
	MaxRangeBytes = 1 << 30   // bytes of one excluded range
	MaxBuild      = 128       // bytes of Header.Build
	MaxName       = 64        // bytes of Header.Name
	Monitors      = 2         // processes that Step counts for
	fileBytes     = 1_224_704 // of every box

	headerBytes = 4096
	version     = 1
	magic       = 0x31584f4252544956 // "VITRBOX1" read as a little-endian word
)

// image is the memory of a box, on the heap or mapped from its file, and the
// layout of that file; doc.go draws it.
type image struct {
	header   header
	live     live
	loops    [MaxLoops]loopSlot
	notes    [MaxNotes]noteSlot
	metrics  [2]half
	excluded [MaxExcluded]rangeSlot
}

// header is fixed after Create.
type header struct {
	magic       uint64
	version     uint32
	headerBytes uint32
	fileBytes   uint64
	pid         uint32
	_           uint32
	started     int64
	boot        uint64
	buildLen    uint16
	nameLen     uint16
	crc         uint32
	_           uint64
	build       [MaxBuild]byte
	name        [MaxName]byte
}

// live is the rest of the header page: words that change.
type live struct {
	steps       [Monitors]stepSlot // each written by its monitor
	closed      atomic.Uint64      // written by Close
	excludedEnd atomic.Uint64      // only grows
	refused     atomic.Uint64
	notesCut    atomic.Uint64
	metricsCut  atomic.Uint64
	panics      atomic.Uint64
	deadman     atomic.Int64 // written by Deadman
	due         atomic.Int64 // the same
	_           [headerBytes - 448]byte
}

type stepSlot struct {
	count atomic.Uint64
	_     [56]byte
}

// loopSlot is one loop: a cache line of its own, since its owner writes it twice
// a turn.
type loopSlot struct {
	count atomic.Uint64 // written by the loop's goroutine
	used  atomic.Uint32 // 1 = in use; set last, guarded by Box.mu
	size  uint32        // bytes of name; guarded by Box.mu
	name  [48]byte      // guarded by Box.mu
}

// noteSlot is one note; guarded by Box.mu.
type noteSlot struct {
	text stamp
	body [MaxNote]byte
}

// half is one of the two copies of the metrics; guarded by Box.mu.
type half struct {
	text stamp
	cut  atomic.Uint64
	_    [4096 - 24]byte
	body [MaxMetrics]byte
}

// rangeSlot is one excluded range; written by the owner of its key.
type rangeSlot struct {
	size atomic.Uint64 // 0 = none
	addr atomic.Uint64
}

// stamp says which text stands in the body behind it, and whether it is whole.
type stamp struct {
	number atomic.Uint64 // 0 = none; set last
	size   uint32
	crc    uint32
}

// The layout is the one drawn: any index but 0 does not compile.
var (
	_ = [1]byte{}[unsafe.Offsetof(image{}.live)-256]
	_ = [1]byte{}[unsafe.Offsetof(image{}.loops)-headerBytes]
	_ = [1]byte{}[unsafe.Offsetof(image{}.notes)-20480]
	_ = [1]byte{}[unsafe.Offsetof(image{}.metrics)-36864]
	_ = [1]byte{}[unsafe.Offsetof(image{}.excluded)-176128]
	_ = [1]byte{}[unsafe.Sizeof(image{})-fileBytes]
)

// take takes the text out: whoever looks from now on finds none.
func (s *stamp) take() { s.number.Store(0) }

// put says that text, which stands at the front of the body, is whole.
func (s *stamp) put(number uint64, text []byte) {
	s.size = uint32(len(text))
	s.crc = textCRC(number, text)
	s.number.Store(number)
}

// whole returns the text that stands in body and its number; nil and 0 when
// there is none, damaged when it is not what put left.
func (s *stamp) whole(body []byte) (text []byte, number uint64, damaged bool) {
	number = s.number.Load()
	if number == 0 {
		return nil, 0, false
	}
	size := s.size
	if int64(size) > int64(len(body)) || s.crc != textCRC(number, body[:size]) {
		return nil, 0, true
	}
	return body[:size], number, false
}

// textCRC is the CRC-32C of text, begun with its number: a text under another
// number does not pass.
func textCRC(number uint64, text []byte) uint32 {
	return crc32.Update(uint32(number), crc32.MakeTable(crc32.Castagnoli), text)
}

// bytes returns the file that the image is.
func (m *image) bytes() []byte { return unsafe.Slice((*byte)(unsafe.Pointer(m)), fileBytes) }

// headerCRC covers the header, the CRC itself aside.
func (m *image) headerCRC() uint32 {
	table, b := crc32.MakeTable(crc32.Castagnoli), m.bytes()
	return crc32.Update(crc32.Update(0, table, b[:52]), table, b[64:256])
}
