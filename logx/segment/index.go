package segment

import (
	"fmt"

	"vitrine/logx/record"
)

// Sizes of the index file.
const (
	// MaxBlockBytes bounds a block: a reader allocates no more for one.
	MaxBlockBytes = BlockBytes + record.MaxBytes
	// MaxBlocks bounds the blocks of a segment, whose offsets have 32 bits.
	MaxBlocks = 1 << 32 / BlockBytes

	indexHeaderBytes = 32
	entryBytes       = 52 + sessionFilterBytes // 272
	groupBlocks      = 256
	groupBytes       = groupBlocks*entryBytes + groupFilterSize
	maxIndexBytes    = indexHeaderBytes + MaxBlocks/groupBlocks*groupBytes // 20 MB
)

const indexMagic = "VTRNIDX1"

// Block describes a run of whole records of a segment. It is a value; any goroutine may keep it.
// An entry of the index file, little-endian:
//
//	    0         4         8                 16        20        24
//	  0 | crc32c u32 | count u32 | first u64     | offset u32 | length u32 |
//	 24 | min time i64       | max time i64      | types u64              |
//	 48 | levels u8 | 3 zero | session filter, 220 bytes                  |
//	272
//
// The checksum covers bytes 4 to 272. 256 entries are a group; a [groupFilter] follows each full group and, once the segment
// is sealed, the last one, if it has half of its entries.
type Block struct {
	First            uint64        // index of the first record
	Count            uint32        // records; their indexes are contiguous
	Offset, Length   uint32        // bytes of the uncompressed .log
	MinTime, MaxTime int64         // unix ns
	Types            uint64        // bit t: there is a record of type t
	Levels           record.Levels // levels that occur
	number           int           // place among the blocks of the segment
	needle           uint8         // so many low bytes of the session asked for are in the frame, if it is in the block; 0 = unknown
	sum              uint32        // with a needle: checksum of the frame
}

// End is the index after the block's last record.
func (b *Block) End() uint64 { return b.First + uint64(b.Count) }

// end is the offset after the block's last byte.
func (b *Block) end() int64 { return int64(b.Offset) + int64(b.Length) }

// add extends the block by a record of size bytes.
func (b *Block) add(h *record.Head, size int) {
	if b.Count == 0 {
		b.First, b.MinTime, b.MaxTime = h.Index, h.Time, h.Time
	}
	b.Count++
	b.Length += uint32(size)
	b.MinTime, b.MaxTime = min(b.MinTime, h.Time), max(b.MaxTime, h.Time)
	b.Types |= 1 << (h.Type & (record.MaxTypes - 1))
	b.Levels |= 1 << h.Level
}

// appendIndexHeader appends the first 32 bytes of an index file:
// magic [8], store u64, base u64, entry size u32, group size u32.
func appendIndexHeader(dst []byte, store, base uint64) []byte {
	dst = append(dst, indexMagic...)
	dst = order.AppendUint64(dst, store)
	dst = order.AppendUint64(dst, base)
	dst = order.AppendUint32(dst, entryBytes)
	return order.AppendUint32(dst, groupBlocks)
}

// checkIndexHeader tells whether p begins with the header of this segment's index.
func checkIndexHeader(p []byte, store, base uint64) error {
	return checkHeader(p, appendIndexHeader(make([]byte, 0, indexHeaderBytes), store, base), "index")
}

func checkHeader(got, want []byte, what string) error {
	if len(got) < len(want) || string(got[:len(want)]) != string(want) {
		return fmt.Errorf("%w: %s header is not that of its segment", ErrCorrupt, what)
	}
	return nil
}

// appendEntry appends the entry of a finished block.
func appendEntry(dst []byte, b *Block, f *sessionFilter) []byte {
	at := len(dst)
	dst = order.AppendUint32(dst, 0)
	dst = order.AppendUint32(dst, b.Count)
	dst = order.AppendUint64(dst, b.First)
	dst = order.AppendUint32(dst, b.Offset)
	dst = order.AppendUint32(dst, b.Length)
	dst = order.AppendUint64(dst, uint64(b.MinTime))
	dst = order.AppendUint64(dst, uint64(b.MaxTime))
	dst = order.AppendUint64(dst, b.Types)
	dst = append(dst, byte(b.Levels), 0, 0, 0)
	dst = append(dst, f[:]...)
	order.PutUint32(dst[at:], sum(dst[at+4:]))
	return dst
}

// parseEntry reads the entry of block number from the front of p. The filter is a view of p. A block that no writer
// can have made (no records, more bytes than a block may have) is corrupt, whatever its checksum.
func parseEntry(p []byte, number int) (Block, *sessionFilter, error) {
	if len(p) < entryBytes {
		return Block{}, nil, fmt.Errorf("%w: entry %d has %d bytes", ErrCorrupt, number, len(p))
	}
	if order.Uint32(p) != sum(p[4:entryBytes]) {
		return Block{}, nil, fmt.Errorf("%w: checksum of entry %d", ErrCorrupt, number)
	}
	b := Block{
		Count: order.Uint32(p[4:]), First: order.Uint64(p[8:]), Offset: order.Uint32(p[16:]), Length: order.Uint32(p[20:]),
		MinTime: int64(order.Uint64(p[24:])), MaxTime: int64(order.Uint64(p[32:])), Types: order.Uint64(p[40:]),
		Levels: record.Levels(p[48]), number: number,
	}
	if b.Count == 0 || uint64(b.Count)*record.HeadBytes > uint64(b.Length) || b.Length >= MaxBlockBytes ||
		b.end() > 1<<32 || b.End() < b.First || b.MinTime > b.MaxTime {
		return Block{}, nil, fmt.Errorf("%w: entry %d cannot be", ErrCorrupt, number)
	}
	return b, (*sessionFilter)(p[52:entryBytes]), nil
}

// entryOffset is where the entry of block number stands in the index file.
func entryOffset(number int) int64 {
	return indexHeaderBytes + int64(number/groupBlocks)*groupBytes + int64(number%groupBlocks)*entryBytes
}

// filterOffset is where the filter of a full group stands in the index file. That of a last group that is not full follows
// its entries.
func filterOffset(group int) int64 {
	return indexHeaderBytes + int64(group+1)*groupBytes - groupFilterSize
}

// entriesIn counts the whole entries of an index file of size bytes.
func entriesIn(size int64) int {
	n, _ := countEntries(size)
	return n
}

// countEntries counts the whole entries of an index file of size bytes, and the groups that have a filter. A last group
// with a filter is told from one without by its size, since no number of entries has that of a filter:
//
//	groupFilterSize % entryBytes = 40
//
// A torn entry of just so many bytes looks the same; then the checksum of the filter does not hold, and the blocks whose
// entries are taken for it are found in the data.
func countEntries(size int64) (entries, filters int) {
	rest := max(size-indexHeaderBytes, 0)
	full, part := rest/groupBytes, rest%groupBytes
	entries, filters = int(full*groupBlocks), int(full)
	if part >= groupFilterSize && part%entryBytes == groupFilterSize%entryBytes {
		return entries + int((part-groupFilterSize)/entryBytes), filters + 1
	}
	return entries + int(min(part/entryBytes, groupBlocks)), filters
}
