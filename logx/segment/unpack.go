package segment

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/bits"

	"vitrine/logx/record"
)

// unpacker reads the entries of a group of the packed index, one after the other. It belongs to one goroutine.
type unpacker struct {
	entries []byte      // what is left of them
	last    packedEntry // the one before, with the number of the next; First and Offset where the group begins, before the first
	at      int         // of the next filter
	bad     bool
}

// next gives the next block, and where its filter stands. The error is ErrCorrupt for a block that no writer can have made.
func (u *unpacker) next() (e packedEntry, at int, err error) {
	flags, levels := u.byte(), u.byte()
	count, length := u.varint()+int64(u.last.Count), u.uvarint()^BlockBytes
	least := u.varint() + u.last.MaxTime>>tickBits
	span := u.uvarint()
	types := u.last.Types
	if flags&packedSameTypes == 0 {
		types = u.uvarint()
	}
	columns, solutions := u.varint()+int64(u.last.columns), int(flags&packedSolutions)
	needle, crc, hidden := u.sight(flags & packedNeedle >> needleShift)
	const ticks = 1 << (63 - tickBits)
	if u.bad || length >= MaxBlockBytes || count <= 0 || count > int64(length)/record.HeadBytes ||
		least < -ticks || least >= ticks || span >= 2*ticks || least+int64(span) >= ticks ||
		columns < 0 || columns > maxRibbonColumns || solutions > maxSolutions {
		return e, 0, fmt.Errorf("%w: entry %d cannot be", ErrCorrupt, u.last.number)
	}
	e = packedEntry{columns: int(columns), solutions: solutions, needle: needle, sum: crc, hidden: hidden, Block: Block{
		First: u.last.End(), Count: uint32(count), Offset: uint32(u.last.end()), Length: uint32(length), Types: types,
		MinTime: least << tickBits, MaxTime: (least+int64(span))<<tickBits | (1<<tickBits - 1),
		Levels: record.Levels(levels), number: u.last.number,
	}}
	if e.end() > 1<<32 || e.End() < e.First {
		return e, 0, fmt.Errorf("%w: entry %d cannot be", ErrCorrupt, e.number)
	}
	at = u.at
	u.at += e.filterBytes()
	u.last = e
	u.last.number++
	return e, at, nil
}

// sight reads what is known of the frame.
func (u *unpacker) sight(code byte) (needle int, crc uint32, hidden []byte) {
	if code == 0 {
		return 0, 0, nil
	}
	if len(u.entries) < 5 || len(u.entries) < 5+int(u.entries[4]) {
		u.bad = true
		return 0, 0, nil
	}
	n := 5 + int(u.entries[4])
	crc, hidden = order.Uint32(u.entries), u.entries[5:n]
	u.entries = u.entries[n:]
	return int(code) + minNeedle - 1, crc, hidden
}

func (u *unpacker) byte() byte {
	if len(u.entries) == 0 {
		u.bad = true
		return 0
	}
	b := u.entries[0]
	u.entries = u.entries[1:]
	return b
}

func (u *unpacker) uvarint() uint64 {
	v, n := binary.Uvarint(u.entries)
	u.skip(n)
	return v
}

func (u *unpacker) varint() int64 {
	v, n := binary.Varint(u.entries)
	u.skip(n)
	return v
}

// skip passes over an integer of n bytes.
func (u *unpacker) skip(n int) {
	if n <= 0 {
		u.bad, n = true, 0
	}
	u.entries = u.entries[n:]
}

// hides tells whether a session of the block may not be seen in its frame, by its mix.
func (e *packedEntry) hides(hash uint64) bool {
	return e.needle == 0 || bytes.IndexByte(e.hidden, mark(hash)) >= 0
}

// asker asks the filters of a packed index for one session. It belongs to one goroutine.
type asker struct{ row row }

// group tells whether the session may be in a group, by the bytes of its filter and ribbonSlack more. One that cannot be
// right says "maybe", and so does one without bytes.
//
//	0 | solutions u8 | ribbons u8 | columns of each u16 | the ribbons, each in whole bytes |
func (a *asker) group(b []byte, size int) bool {
	if size < 2 {
		return true
	}
	solutions, shards := int(b[0]), int(b[1])
	at := 2 + 2*shards
	if solutions > maxSolutions || shards == 0 || at > size {
		return true
	}
	high, low := bits.Mul64(a.row.hash, uint64(shards))
	for i := range int(high) {
		at += (int(order.Uint16(b[2+2*i:]))*solutions + 7) / 8
	}
	columns := int(order.Uint16(b[2+2*high:]))
	if columns > maxRibbonColumns || at+(columns*solutions+7)/8 > size {
		return true
	}
	r := a.row
	r.hash = low
	return r.passes(b[at:], columns, solutions)
}

// block tells whether the session may be in a block, by the filters of a group and ribbonSlack bytes more. The caller has
// seen that the filter is among them.
func (a *asker) block(filters []byte, at int, e *packedEntry) bool {
	return e.columns > 0 && a.row.passes(filters[at:], e.columns, e.solutions)
}
