package segment

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"
)

// Errors of files and directories.
var (
	// ErrCorrupt says that a file holds what no writer writes. Errors wrap it with the place and the reason.
	ErrCorrupt = errors.New("corrupt")
	// ErrInUse says that another owner has the directory locked. Errors wrap it with the owner's process id.
	ErrInUse = errors.New("in use")
	// ErrForeign says that a segment was written for another directory: its store id is not the one of LOCK.
	ErrForeign = errors.New("segment of another directory")
)

// Sizes and limits of the files, in bytes.
const (
	// BlockBytes ends a block: the record that brings it to this size is its last.
	BlockBytes = 64 << 10
	// MaxHeaderBytes bounds the header of a .log file.
	MaxHeaderBytes = 4096
	// FooterBytes is the size of the footer of a sealed .log file.
	FooterBytes = 64
	// MaxSegmentBytes bounds the data of a segment: offsets have 32 bits, and a segment is at most one buffer longer
	// than its limit of 1 GiB. Larger files are no segments.
	MaxSegmentBytes = 1<<32 - 1

	headerBytes = 40 // without the names
	firstCustom = 16 // number of the first custom type
	maxCustom   = 48
	fileMode    = 0o640
	dirMode     = 0o750
)

// What the names of the files end in.
const (
	suffixLog   = ".log"
	suffixZstd  = ".log.zst"
	suffixIndex = ".idx"
	suffixWarn  = ".warn"
	suffixAside = ".cut" // what recovery took out of a .log, when there were whole records in it; see asideSuffix
	suffixTemp  = ".tmp"
	lockName    = "LOCK"

	baseDigits = 20
)

const (
	magicLog  = "VTRNLOG1"
	magicSeal = "VTRNSEAL"
)

// castagnoli is the table of every checksum in the files.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

var order = binary.LittleEndian

// sum returns the CRC-32C of b.
func sum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// fileName returns the name of a segment's file: its base in 20 digits, then the suffix.
func fileName(base uint64, suffix string) string {
	return fmt.Sprintf("%0*d%s", baseDigits, base, suffix)
}

// parseName takes the name of a segment's file apart. ok is false for names that are none.
func parseName(name string) (base uint64, suffix string, ok bool) {
	if len(name) <= baseDigits {
		return 0, "", false
	}
	digits, suffix := name[:baseDigits], name[baseDigits:]
	if strings.Trim(digits, "0123456789") != "" {
		return 0, "", false
	}
	switch plain := strings.TrimSuffix(suffix, suffixTemp); plain {
	case suffixLog, suffixZstd, suffixIndex, suffixWarn:
	default:
		if !isAside(plain) {
			return 0, "", false
		}
	}
	base, err := strconv.ParseUint(digits, 10, 64)
	return base, suffix, err == nil && base > 0
}

// header is the front of a .log file. It never changes once it is written.
//
//	byte 0        4        8        12       16       24       32       40
//	   +--------+--------+--------+--------+--------+--------+--------+---------------------------+
//	   | "VTRNLOG1"      | length | crc    | store  | base   |created | names of custom types,    |
//	   | 8 bytes         | u32    | u32    | u64    | u64    |i64 ns  | then zeros up to length   |
//	   +--------+--------+--------+--------+--------+--------+--------+---------------------------+
//	                              of bytes 16..length                  a name: u8 type, u8 length, text
//
// Length is a multiple of 8 and at most MaxHeaderBytes. The types are 16, 17, .. in order.
type header struct {
	store   uint64   // id of the directory the segment was written for
	base    uint64   // index of the segment's first record, as in the file's name
	created int64    // unix ns
	custom  []string // names of the custom types, from 16 on
	size    int      // bytes of the header: where the first record begins
}

// appendHeader appends the header, whose size it computes. The error says that the names do not fit.
func appendHeader(dst []byte, h *header) ([]byte, error) {
	if len(h.custom) > maxCustom {
		return dst, fmt.Errorf("%d custom types, the limit is %d", len(h.custom), maxCustom)
	}
	b := make([]byte, headerBytes, MaxHeaderBytes)
	for i, name := range h.custom {
		if len(name) == 0 || len(name) > 255 {
			return dst, fmt.Errorf("name of type %d has %d bytes, not 1 to 255", firstCustom+i, len(name))
		}
		b = append(b, byte(firstCustom+i), byte(len(name)))
		b = append(b, name...)
	}
	for len(b)%8 != 0 {
		b = append(b, 0)
	}
	if len(b) > MaxHeaderBytes {
		return dst, fmt.Errorf("header of %d bytes, the limit is %d", len(b), MaxHeaderBytes)
	}
	copy(b, magicLog)
	order.PutUint32(b[8:], uint32(len(b)))
	order.PutUint64(b[16:], h.store)
	order.PutUint64(b[24:], h.base)
	order.PutUint64(b[32:], uint64(h.created))
	order.PutUint32(b[12:], sum(b[16:]))
	return append(dst, b...), nil
}

// parseHeader reads the header at the front of b, which holds the file's first MaxHeaderBytes or all of it. The error
// is ErrCorrupt with a reason.
func parseHeader(b []byte) (header, error) {
	if len(b) < headerBytes || string(b[:8]) != magicLog {
		return header{}, fmt.Errorf("%w header: not a log file", ErrCorrupt)
	}
	size := order.Uint32(b[8:])
	switch {
	case size < headerBytes || size > MaxHeaderBytes || size%8 != 0:
		return header{}, fmt.Errorf("%w header: length %d", ErrCorrupt, size)
	case int(size) > len(b):
		return header{}, fmt.Errorf("%w header: cut at byte %d of %d", ErrCorrupt, len(b), size)
	case sum(b[16:size]) != order.Uint32(b[12:]):
		return header{}, fmt.Errorf("%w header: checksum", ErrCorrupt)
	}
	h := header{
		store:   order.Uint64(b[16:]),
		base:    order.Uint64(b[24:]),
		created: int64(order.Uint64(b[32:])),
		size:    int(size),
	}
	names, err := parseCustom(b[headerBytes:size])
	if err != nil {
		return header{}, err
	}
	h.custom = names
	return h, nil
}

// parseCustom reads the names of the custom types and the zeros behind them.
func parseCustom(b []byte) ([]string, error) {
	var names []string
	for len(b) > 0 && b[0] != 0 {
		if int(b[0]) != firstCustom+len(names) || len(names) == maxCustom || len(b) < 2 || b[1] == 0 || int(b[1]) > len(b)-2 {
			return nil, fmt.Errorf("%w header: names of types", ErrCorrupt)
		}
		end := 2 + int(b[1])
		names = append(names, string(b[2:end]))
		b = b[end:]
	}
	if strings.Trim(string(b), "\x00") != "" {
		return nil, fmt.Errorf("%w header: %d bytes behind the names", ErrCorrupt, len(b))
	}
	return names, nil
}

// footer is the end of a sealed .log file, behind its last record. A record never begins with a length of 0.
//
//	byte 0        4        8                 16       24       32       40       48       56       60
//	   +--------+--------+--------+--------+--------+--------+--------+--------+--------+--------+--------+
//	   | 0 u32  | crc    | "VTRNSEAL"      | count  | last   |min time|max time| offset | crc of | crc of |
//	   |        | u32    | 8 bytes         | u64    | u64    | i64    | i64    | u64    | .idx   | .warn  |
//	   +--------+--------+--------+--------+--------+--------+--------+--------+--------+--------+--------+
//	              of bytes 8..64
type footer struct {
	count            uint64 // records of the segment
	last             uint64 // index of the last of them
	minTime, maxTime int64  // unix ns, over all records
	offset           uint64 // where the footer itself begins
	index, warn      uint32 // CRC-32C of the whole .idx and .warn files
}

func appendFooter(dst []byte, f *footer) []byte {
	var b [FooterBytes]byte
	copy(b[8:], magicSeal)
	order.PutUint64(b[16:], f.count)
	order.PutUint64(b[24:], f.last)
	order.PutUint64(b[32:], uint64(f.minTime))
	order.PutUint64(b[40:], uint64(f.maxTime))
	order.PutUint64(b[48:], f.offset)
	order.PutUint32(b[56:], f.index)
	order.PutUint32(b[60:], f.warn)
	order.PutUint32(b[4:], sum(b[8:]))
	return append(dst, b[:]...)
}

// parseFooter reads the footer that stands at an offset of a .log file. ok is false for anything that is none, a
// footer copied from elsewhere included.
func parseFooter(b []byte, offset int64) (f footer, ok bool) {
	if len(b) < FooterBytes || order.Uint32(b) != 0 || string(b[8:16]) != magicSeal || order.Uint32(b[4:]) != sum(b[8:FooterBytes]) {
		return footer{}, false
	}
	f = footer{
		count:   order.Uint64(b[16:]),
		last:    order.Uint64(b[24:]),
		minTime: int64(order.Uint64(b[32:])),
		maxTime: int64(order.Uint64(b[40:])),
		offset:  order.Uint64(b[48:]),
		index:   order.Uint32(b[56:]),
		warn:    order.Uint32(b[60:]),
	}
	return f, f.offset == uint64(offset)
}
