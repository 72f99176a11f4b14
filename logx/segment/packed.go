package segment

import (
	"encoding/binary"
	"fmt"
	"io"
)

// Sizes and limits of the packed index.
const (
	packedHeaderBytes = 32
	groupEntryBytes   = 8 + groupParts*8
	trailerBytes      = 32
	trailerSummed     = 16
	groupParts        = 3

	maxPackedEntry  = 2 + 3 + 3 + 10 + 10 + 10 + 3 + 5 + maxHidden
	maxGroupFilter  = 2 + groupCredit/8 + maxShards*(2+1+(ribbonSpare+ribbonTries*ribbonMore)*maxSolutions/8)
	maxBlockFilters = groupBlocks * (blockCredit/8 + 1 + ribbonTries*ribbonMore*maxSolutions/8)
	maxPackedGroup  = maxGroupFilter + groupBlocks*maxPackedEntry + maxBlockFilters
	maxDirectory    = MaxBlocks/groupBlocks*groupEntryBytes + trailerBytes
	maxPackedBytes  = packedHeaderBytes + MaxBlocks/groupBlocks*maxPackedGroup + maxDirectory // 36 MB
)

const (
	packedMagic    = "VTRNIDX2"
	packedEndMagic = "VTRNIDXE"
)

// Parts of a group in the packed index.
const (
	partFilter  = iota // of the group
	partEntries        // of its blocks
	partFilters        // of its blocks
)

// partLimit bounds the length of a part.
func partLimit(kind int) uint32 {
	return [groupParts]uint32{maxGroupFilter, groupBlocks * maxPackedEntry, maxBlockFilters}[kind]
}

// part is the length and the checksum of a part of a group.
type part struct{ length, crc uint32 }

func partOf(b []byte) part { return part{uint32(len(b)), sum(b)} }

// holds tells whether b is the part.
func (p part) holds(b []byte) bool { return sum(b) == p.crc }

// packedGroup is a group as the directory of the packed index tells of it. Little-endian, 32 bytes:
//
//	0 | first index - base u32 | offset in the .log u32 | 3 times: length of the part u32, crc32c of the part u32 |
type packedGroup struct {
	first, offset uint32
	parts         [groupParts]part
	at            int64 // where its parts begin in the file, one behind the other
}

func (g *packedGroup) append(dst []byte) []byte {
	dst = order.AppendUint32(dst, g.first)
	dst = order.AppendUint32(dst, g.offset)
	for _, p := range g.parts {
		dst = order.AppendUint32(dst, p.length)
		dst = order.AppendUint32(dst, p.crc)
	}
	return dst
}

// appendPackedHeader appends the first 32 bytes of a packed index: magic [8], store u64, base u64, bits per block u32,
// group size u32.
func appendPackedHeader(dst []byte, store, base uint64) []byte {
	dst = append(dst, packedMagic...)
	dst = order.AppendUint64(dst, store)
	dst = order.AppendUint64(dst, base)
	dst = order.AppendUint32(dst, blockCredit)
	return order.AppendUint32(dst, groupBlocks)
}

// packedIndex is the directory of a packed index. It never changes. The file, little-endian:
//
//	header, 32 bytes
//	group:      filter | entries | filters of the blocks              for each 256 blocks
//	directory:  32 bytes for each group                               see packedGroup
//	trailer:  0 | groups u32 | blocks u32 | records u32 | end of the last block u32 |
//	         16 | crc32c u32 of header, directory and bytes 0..16 | 0 u32 | "VTRNIDXE" |
type packedIndex struct {
	base    uint64
	groups  []packedGroup
	blocks  int
	records uint32
	end     uint32 // offset after the last block, in the .log
}

// appendEnd appends directory and trailer; header is what the file begins with.
func (x *packedIndex) appendEnd(dst, header []byte) []byte {
	check := append([]byte(nil), header...)
	for i := range x.groups {
		check = x.groups[i].append(check)
	}
	check = order.AppendUint32(check, uint32(len(x.groups)))
	check = order.AppendUint32(check, uint32(x.blocks))
	check = order.AppendUint32(check, x.records)
	check = order.AppendUint32(check, x.end)
	dst = append(dst, check[len(header):]...)
	dst = order.AppendUint32(dst, sum(check))
	dst = order.AppendUint32(dst, 0)
	return append(dst, packedEndMagic...)
}

// openPacked reads header, directory and trailer of a packed index of size bytes. It reads, and allocates, no more than
// these take with MaxBlocks.
func openPacked(r io.ReaderAt, size int64, store, base uint64) (*packedIndex, error) {
	header := make([]byte, packedHeaderBytes, packedHeaderBytes+maxDirectory)
	if _, err := r.ReadAt(header, 0); err != nil {
		return nil, cut(err)
	}
	if err := checkHeader(header, appendPackedHeader(nil, store, base), "index"); err != nil {
		return nil, err
	}
	var end [trailerBytes]byte
	if size < packedHeaderBytes+trailerBytes || size > maxPackedBytes {
		return nil, fmt.Errorf("%w: index of %d bytes", ErrCorrupt, size)
	}
	if _, err := r.ReadAt(end[:], size-trailerBytes); err != nil {
		return nil, cut(err)
	}
	x := &packedIndex{
		base: base, blocks: int(order.Uint32(end[4:])), records: order.Uint32(end[8:]), end: order.Uint32(end[12:]),
	}
	groups := int64(order.Uint32(end[:]))
	start := size - trailerBytes - groups*groupEntryBytes
	if string(end[24:]) != packedEndMagic || x.blocks > MaxBlocks || groups != int64(x.blocks+groupBlocks-1)/groupBlocks ||
		start < packedHeaderBytes {
		return nil, fmt.Errorf("%w: no directory at the end of the index", ErrCorrupt)
	}
	all := header[:packedHeaderBytes+groups*groupEntryBytes+trailerSummed]
	if _, err := r.ReadAt(all[packedHeaderBytes:], start); err != nil {
		return nil, cut(err)
	}
	if sum(all) != order.Uint32(end[16:]) {
		return nil, fmt.Errorf("%w: checksum of the index's directory", ErrCorrupt)
	}
	return x, x.parse(all[packedHeaderBytes:len(all)-trailerSummed], start)
}

// parse reads the directory, which begins at offset start of the file.
func (x *packedIndex) parse(b []byte, start int64) error {
	x.groups = make([]packedGroup, len(b)/groupEntryBytes)
	at := int64(packedHeaderBytes)
	for i := range x.groups {
		g := &x.groups[i]
		e := b[i*groupEntryBytes:]
		g.first, g.offset, g.at = order.Uint32(e), order.Uint32(e[4:]), at
		for kind := range g.parts {
			p := part{order.Uint32(e[8+8*kind:]), order.Uint32(e[12+8*kind:])}
			if p.length > partLimit(kind) {
				return fmt.Errorf("%w: part %d of group %d has %d bytes", ErrCorrupt, kind, i, p.length)
			}
			g.parts[kind] = p
			at += int64(p.length)
		}
		if i == 0 && g.first != 0 || i > 0 && (g.first <= x.groups[i-1].first || g.offset <= x.groups[i-1].offset) {
			return fmt.Errorf("%w: group %d of the index does not follow", ErrCorrupt, i)
		}
	}
	if at != start {
		return fmt.Errorf("%w: the groups of the index do not fill it", ErrCorrupt)
	}
	return nil
}

// count is that of the blocks of a group.
func (x *packedIndex) count(group int) int { return min(groupBlocks, x.blocks-group*groupBlocks) }

// blocksOf gives the blocks of a group, and their numbers, as far as they can be read.
func (x *packedIndex) blocksOf(r io.ReaderAt, group int, yield func(int, Block) bool) bool {
	g := &x.groups[group]
	p := g.parts[partEntries]
	b := make([]byte, p.length)
	if _, err := r.ReadAt(b, g.at+int64(g.parts[partFilter].length)); err != nil || !p.holds(b) {
		return true
	}
	u := x.unpacker(group, b)
	for range x.count(group) {
		e, at, err := u.next()
		if err != nil || !x.fits(&e, at) {
			break
		}
		if !yield(e.number, e.Block) {
			return false
		}
	}
	return true
}

// last is an empty block behind the last one.
func (x *packedIndex) last() Block { return Block{First: x.base + uint64(x.records), Offset: x.end} }

// groupOf finds the group in which a record may be.
func (x *packedIndex) groupOf(index uint64) int {
	group := 0
	for i := range x.groups {
		if x.base+uint64(x.groups[i].first) <= index {
			group = i
		}
	}
	return group
}

// tickBits: the packed index keeps times in ticks of 2^23 ns, about 8 ms, the least rounded down, the greatest up.
const tickBits = 23

// Flags of an entry of the packed index.
const (
	packedSameTypes = 0x80 // the types are those of the block before
	packedSolutions = 0x0f // how many solutions the filter keeps
	packedNeedle    = 0x30 // how many low bytes of an id are looked for in the frame: 0 none, 1 two, 2 three, 3 four
	needleShift     = 4
)

// packedEntry is a block in the packed index and the size of its filter. First and offset follow from the block before, or
// the group. Integers are uvarints, z zigzag; those with * are differences to the block before, 0 before the first:
//
//	| flags u8 | levels u8 | count z* | length xor 65536 | least time z* | greatest - least time | [types] | columns z* |
//	                                                       to the greatest one before, in ticks
//	| [crc of the frame u32, hidden sessions n u8, their marks n x u8] |
//	  with a needle
//
// No columns: the block has no session, and the filter passes none. No solutions: it passes all.
type packedEntry struct {
	Block
	columns, solutions int
	needle             int    // bytes of an id, 0 = none
	sum                uint32 // with a needle: crc32c of the frame
	hidden             []byte // and the marks of the sessions that are not to be seen in it, a view of the index
}

// filterBytes is the size of the filter.
func (e *packedEntry) filterBytes() int { return (e.columns*e.solutions + 7) / 8 }

// append appends the entry behind another block of its group, an empty one for the first.
func (e *packedEntry) append(dst []byte, last *packedEntry) []byte {
	flags := byte(e.solutions)
	if e.needle > 0 {
		flags |= byte(e.needle-minNeedle+1) << needleShift
	}
	if e.Types == last.Types {
		flags |= packedSameTypes
	}
	dst = append(dst, flags, byte(e.Levels))
	dst = binary.AppendVarint(dst, int64(e.Count)-int64(last.Count))
	dst = binary.AppendUvarint(dst, uint64(e.Length^BlockBytes))
	dst = binary.AppendVarint(dst, e.MinTime>>tickBits-last.MaxTime>>tickBits)
	dst = binary.AppendUvarint(dst, uint64(e.MaxTime>>tickBits-e.MinTime>>tickBits))
	if flags&packedSameTypes == 0 {
		dst = binary.AppendUvarint(dst, e.Types)
	}
	dst = binary.AppendVarint(dst, int64(e.columns-last.columns))
	if e.needle == 0 {
		return dst
	}
	dst = order.AppendUint32(dst, e.sum)
	return append(append(dst, byte(len(e.hidden))), e.hidden...)
}
