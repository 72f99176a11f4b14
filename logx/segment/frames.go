package segment

import (
	"fmt"
	"io"
)

// Sizes of the table at the end of a compressed segment.
const (
	frameTableMagic = 0x184D2A5E // a skippable frame: zstd tools pass over it
	frameTableEnd   = 16         // number, checksum, magic
	frameTableExtra = 2          // frames beside the blocks: header and footer
	maxFrames       = MaxBlocks + frameTableExtra
	maxFrameBytes   = MaxBlockBytes + MaxBlockBytes/128 + 1024 // what cannot be compressed grows a little
)

const framesMagic = "VTRNFRMS"

// appendFrameTable appends the table of a compressed segment's frames. offsets has the compressed offset of each frame
// and, last, the end of the last one, which is where the table begins. Little-endian:
//
//	     0 | 0x184D2A5E u32 | content length u32 |
//	     8 | offset of frame 0 u64 | .. | offset of frame n-1 u64 | end u64 |
//	16+8*n | n u32 | crc32c u32 of bytes 8..20+8*n | "VTRNFRMS" |
func appendFrameTable(dst []byte, offsets []uint64) []byte {
	at := len(dst)
	dst = order.AppendUint32(dst, frameTableMagic)
	dst = order.AppendUint32(dst, uint32(8*len(offsets)+frameTableEnd))
	for _, o := range offsets {
		dst = order.AppendUint64(dst, o)
	}
	dst = order.AppendUint32(dst, uint32(len(offsets)-1))
	dst = order.AppendUint32(dst, sum(dst[at+8:]))
	return append(dst, framesMagic...)
}

// readFrameTable reads the table at the end of a compressed segment of size bytes. It reads, and allocates, no more
// than a table of maxFrames takes.
func readFrameTable(r io.ReaderAt, size int64) ([]uint64, error) {
	var end [frameTableEnd]byte
	if size < frameTableEnd {
		return nil, fmt.Errorf("%w: no frame table in %d bytes", ErrCorrupt, size)
	}
	if _, err := r.ReadAt(end[:], size-frameTableEnd); err != nil {
		return nil, fmt.Errorf("read end of frame table: %w", err)
	}
	n := order.Uint32(end[:])
	start := size - (8 + 8*(int64(n)+1) + frameTableEnd)
	if string(end[8:]) != framesMagic || n < frameTableExtra || n > maxFrames || start < 0 {
		return nil, fmt.Errorf("%w: no frame table at the end", ErrCorrupt)
	}
	table := make([]byte, size-start)
	if _, err := r.ReadAt(table, start); err != nil {
		return nil, fmt.Errorf("read frame table: %w", err)
	}
	return parseFrameTable(table, uint64(start))
}

// parseFrameTable checks the table that begins at offset start of the file.
func parseFrameTable(table []byte, start uint64) ([]uint64, error) {
	body := table[8 : len(table)-12]
	if order.Uint32(table) != frameTableMagic || order.Uint32(table[4:]) != uint32(len(table)-8) ||
		order.Uint32(table[len(table)-12:]) != sum(body) {
		return nil, fmt.Errorf("%w: checksum of frame table", ErrCorrupt)
	}
	offsets := make([]uint64, len(body)/8)
	for i := range offsets {
		offsets[i] = order.Uint64(body[8*i:])
		if i > 0 && (offsets[i] <= offsets[i-1] || offsets[i]-offsets[i-1] > maxFrameBytes) {
			return nil, fmt.Errorf("%w: frame %d cannot be", ErrCorrupt, i-1)
		}
	}
	if offsets[0] != 0 || offsets[len(offsets)-1] != start {
		return nil, fmt.Errorf("%w: frames do not fill the file", ErrCorrupt)
	}
	return offsets, nil
}
