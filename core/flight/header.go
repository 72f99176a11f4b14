package flight

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"time"
)

// A flight file is a header page, the life-cycle ring and the packet ring. All
// words are in the order of the host that wrote them; a file of the other order
// fails at its magic.
//
//	   0 +--------------------------------+--------------------------------+
//	     | magic u64 "VITRFLT1"                                            |
//	   8 | version u32 = 1                | bytes of a record u32 = 64     |
//	  16 | bytes of the header u32 = 4096 | process id u32                 |
//	  24 | boot id u64                                                     |
//	  32 | clock zero i64: wall time of stamp 0, ns since 1970             |
//	  40 | packet records u32             | life-cycle records u32         |
//	  48 | worker u16     | group u16     | length of name u16 | 0 u16     |
//	  56 | CRC-32C of bytes 0..55 and 64..127 u32  | closed u32: 1 = yes   |
//	  64 | name, 64 bytes, zero padded                                     |
//	 128 | packet ring:     reserved u64, published u64                    |
//	 256 | life-cycle ring: reserved u64, published u64                    |
//	     | zero                                                            |
//	4096 +-----------------------------------------------------------------+
//	     | life-cycle ring: 64 bytes a record, drawn in doc.go             |
//	     +-----------------------------------------------------------------+
//	     | packet ring                                                     |
//	     +-----------------------------------------------------------------+
//
// The size of the file is exactly 4096 + 64 x (life-cycle + packet records).
const (
	headerSize       = 4096
	offMagic         = 0
	offVersion       = 8
	offRecordSize    = 12
	offHeaderSize    = 16
	offPID           = 20
	offBoot          = 24
	offZero          = 32
	offRecords       = 40
	offLifecycle     = 44
	offWorker        = 48
	offGroup         = 50
	offNameLen       = 52
	offCRC           = 56
	offClosed        = 60
	offName          = 64
	offHeaderEnd     = 128
	offPacketCursors = 128
	offLifeCursors   = 256

	fileVersion = 1
)

// magic in the host's order: "VITRFLT1" read as a little-endian word.
const magic uint64 = 0x31544c4652544956

// Errors of flight files. OpenFile and NewRecorder wrap them with the path.
var (
	ErrUnsupported = errors.New("flight files need linux")
	ErrInUse       = errors.New("flight file is in use by a running recorder")
	ErrBadMagic    = errors.New("not a flight file")
	ErrBadVersion  = errors.New("flight file of another version")
	ErrBadHeader   = errors.New("flight file with a damaged header")
	ErrBadSize     = errors.New("flight file of the wrong size")
)

// Path returns where the file of a worker's recorder is.
func Path(dir, name string, worker uint16) string {
	return filepath.Join(dir, fmt.Sprintf("%s-w%d.flight", name, worker))
}

// fileSize returns the size of a file with rings of those sizes.
func fileSize(records, lifecycle int) int64 {
	return headerSize + recordSize*(int64(records)+int64(lifecycle))
}

var order = binary.NativeEndian

// putHeader writes the header of a fresh file, cursors aside.
func putHeader(b []byte, c *Config) {
	order.PutUint32(b[offVersion:], fileVersion)
	order.PutUint32(b[offRecordSize:], recordSize)
	order.PutUint32(b[offHeaderSize:], headerSize)
	order.PutUint32(b[offPID:], uint32(os.Getpid()))
	order.PutUint64(b[offBoot:], c.Boot)
	order.PutUint64(b[offZero:], uint64(time.Now().UnixNano()-c.Clock()))
	order.PutUint32(b[offRecords:], uint32(c.Records))
	order.PutUint32(b[offLifecycle:], uint32(c.Lifecycle))
	order.PutUint16(b[offWorker:], c.Worker)
	order.PutUint16(b[offGroup:], uint16(c.Group))
	order.PutUint16(b[offNameLen:], uint16(len(c.Name)))
	copy(b[offName:], c.Name)
	order.PutUint64(b[offMagic:], magic)
	order.PutUint32(b[offCRC:], headerCRC(b))
}

func headerCRC(b []byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	sum := crc32.Update(0, table, b[:offCRC])
	return crc32.Update(sum, table, b[offName:offHeaderEnd])
}

// checkHeader returns the first thing wrong with the header of a file of size
// bytes. After nil its geometry is what the file has.
func checkHeader(b []byte, size int64) error {
	if len(b) >= 8 && order.Uint64(b[offMagic:]) != magic {
		return ErrBadMagic
	}
	if len(b) < headerSize {
		return ErrBadSize
	}
	if order.Uint32(b[offVersion:]) != fileVersion {
		return ErrBadVersion
	}
	if order.Uint32(b[offCRC:]) != headerCRC(b) {
		return ErrBadHeader
	}
	records, lifecycle := int(order.Uint32(b[offRecords:])), int(order.Uint32(b[offLifecycle:]))
	name := int(order.Uint16(b[offNameLen:]))
	ok := validSize(records) && validSize(lifecycle) && name <= maxName &&
		order.Uint32(b[offRecordSize:]) == recordSize &&
		order.Uint32(b[offHeaderSize:]) == headerSize &&
		validName(string(b[offName:offName+min(name, maxName)]))
	if !ok {
		return ErrBadHeader
	}
	if size != fileSize(records, lifecycle) {
		return ErrBadSize
	}
	return nil
}
