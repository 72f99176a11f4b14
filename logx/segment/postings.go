package segment

import (
	"fmt"

	"vitrine/logx/record"
)

// Sizes of the postings file.
const (
	warnHeaderBytes = 32
	postingBytes    = 16           // before the copy
	maxCopyBytes    = 1 << 10      // a longer record is not copied
	copyFloorBytes  = 64 << 10     // what the copies of a segment may take in any case
	copyShare       = 1024         // and beyond that, 1/1024 of the data before the record
	postingLevel    = record.Warn  // from here on a record has a posting
	copyLevel       = record.Error // and from here on a copy
)

// maxWarnBytes bounds the postings of a segment: the smallest records, and all copies there may be.
const maxWarnBytes = warnHeaderBytes + MaxSegmentBytes/record.HeadBytes*postingBytes + MaxSegmentBytes/copyShare + copyFloorBytes

const warnMagic = "VTRNWRN1"

// Posting points at one record of at least WARN.
// An entry of the postings file, little-endian:
//
//	 0 | crc32c u32 of the rest | offset u32 | index - base u32 | level u8 | type u8 | copy length u16 |
//	16 | copy: the bytes of the record, or none
type Posting struct {
	Index  uint64
	Offset uint32 // of the record in the uncompressed .log
	Level  record.Level
	Type   record.Type
	Copy   []byte // the record's bytes, or nil: then they are to be read at Offset
}

// appendWarnHeader appends the first 32 bytes of a postings file: magic [8], store u64, base u64, zero u64.
func appendWarnHeader(dst []byte, store, base uint64) []byte {
	dst = append(dst, warnMagic...)
	dst = order.AppendUint64(dst, store)
	dst = order.AppendUint64(dst, base)
	return order.AppendUint64(dst, 0)
}

// checkWarnHeader tells whether p begins with the header of this segment's postings.
func checkWarnHeader(p []byte, store, base uint64) error {
	return checkHeader(p, appendWarnHeader(make([]byte, 0, warnHeaderBytes), store, base), "postings")
}

// copies tells whether the posting of a record carries its bytes: it is rare enough, by what was copied before it
// in the segment, and short enough.
func copies(level record.Level, size int, offset uint32, copied int64) bool {
	return level >= copyLevel && size <= maxCopyBytes && copied+int64(size) <= int64(offset)/copyShare+copyFloorBytes
}

// appendPosting appends the entry of a record in the segment that begins at base.
func appendPosting(dst []byte, base uint64, p *Posting) []byte {
	at := len(dst)
	dst = order.AppendUint32(dst, 0)
	dst = order.AppendUint32(dst, p.Offset)
	dst = order.AppendUint32(dst, uint32(p.Index-base))
	dst = append(dst, byte(p.Level), byte(p.Type))
	dst = order.AppendUint16(dst, uint16(len(p.Copy)))
	dst = append(dst, p.Copy...)
	order.PutUint32(dst[at:], sum(dst[at+4:]))
	return dst
}

// postingSize is the size of the entry at the front of p, or 0 when p does not hold all of it.
func postingSize(p []byte) int {
	if len(p) < postingBytes {
		return 0
	}
	size := postingBytes + int(order.Uint16(p[14:]))
	if size > postingBytes+maxCopyBytes {
		return postingBytes // it is corrupt; parsePosting says so
	}
	if len(p) < size {
		return 0
	}
	return size
}

// parsePosting reads the entry that is p. Copy is a view of p.
func parsePosting(p []byte, base uint64) (Posting, error) {
	if len(p) < postingBytes || len(p) != postingBytes+int(order.Uint16(p[14:])) || order.Uint32(p) != sum(p[4:]) {
		return Posting{}, fmt.Errorf("%w: posting", ErrCorrupt)
	}
	out := Posting{
		Index: base + uint64(order.Uint32(p[8:])), Offset: order.Uint32(p[4:]),
		Level: record.Level(p[12]), Type: record.Type(p[13]),
	}
	if out.Level < postingLevel || out.Level > record.System || out.Type >= record.MaxTypes {
		return Posting{}, fmt.Errorf("%w: posting of record %d cannot be", ErrCorrupt, out.Index)
	}
	if len(p) > postingBytes {
		out.Copy = p[postingBytes:]
	}
	return out, nil
}
