package ring

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"strings"

	"vitrine/logx/record"
)

// ErrForeign says that a file is no ring, or one of another directory.
var ErrForeign = errors.New("not the ring of this log")

// maxFileBytes bounds what ReadDead takes into memory.
const maxFileBytes = headerBytes + MaxSlots*slotBytes + chunkCount*chunkBytes

// dead is the image of a ring whose process has ended.
type dead struct {
	image  []byte
	slots  uint64
	chunks []byte
	head   uint64
}

// ReadDead gives, in the order of their indexes, the records of a ring whose process has ended: from index next on, those
// that were published, and for each that was claimed and not published a tombstone with an empty payload. A payload is valid
// until yield returns; yield ends it with false. The first index may be larger than next: then what lies between is lost.
// Errors: ErrForeign, fs.ErrNotExist, and whatever reading gives. A living ring must not be read.
func ReadDead(path string, store, next uint64, yield func(h *record.Head, payload []byte) bool) error {
	d, err := openDead(path, store)
	if err != nil {
		return fmt.Errorf("read log ring %q: %w", path, err)
	}
	for index := d.first(next); index < d.head; index++ {
		h, payload := d.read(index)
		if !yield(&h, payload) {
			break
		}
	}
	return nil
}

// DeadTypes returns the names of the custom types that a dead ring's records have, in the order of their numbers; none when
// the file is no ring of the store.
func DeadTypes(path string, store uint64) []string {
	file, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer file.Close()
	var header [headerBytes]byte
	if _, err = io.ReadFull(file, header[:]); err != nil || string(header[:len(magic)]) != magic || order.Uint64(header[storeOffset:]) != store {
		return nil
	}
	length := min(int(order.Uint16(header[typesOffset:])), typeBytes)
	if length == 0 {
		return nil
	}
	return strings.Split(string(header[typesOffset+2:][:length]), "\n")
}

func openDead(path string, store uint64) (*dead, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if size := info.Size(); size < headerBytes || size > maxFileBytes {
		return nil, fmt.Errorf("%d bytes: %w", size, ErrForeign)
	}
	image, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parseDead(image, store)
}

func parseDead(image []byte, store uint64) (*dead, error) {
	if len(image) < headerBytes || string(image[:len(magic)]) != magic || order.Uint64(image[storeOffset:]) != store {
		return nil, ErrForeign
	}
	slots, chunks := order.Uint32(image[slotsOffset:]), order.Uint32(image[chunksOffset:])
	if slots < MinSlots || slots > MaxSlots || slots&(slots-1) != 0 || chunks != chunkCount ||
		len(image) != fileBytes(int(slots), int(chunks)) {
		return nil, fmt.Errorf("bad header: %w", ErrForeign)
	}
	return &dead{
		image: image[headerBytes:], slots: uint64(slots),
		chunks: image[headerBytes+int(slots)*slotBytes:],
		head:   order.Uint64(image[headOffset:]) &^ closedBit,
	}, nil
}

// first returns the index to begin with: the slots hold no more than that.
func (d *dead) first(next uint64) uint64 {
	if d.head > d.slots {
		return max(next, d.head-d.slots)
	}
	return next
}

// read returns the record of an index before head, or its tombstone.
func (d *dead) read(index uint64) (record.Head, []byte) {
	slot := d.image[(index&(d.slots-1))*slotBytes:][:slotBytes]
	h := record.Head{
		Index: index, Time: int64(order.Uint64(slot[8:])), Session: order.Uint64(slot[16:]),
		Level: record.Level(slot[24]), Flags: record.Flags(slot[25]), Type: record.Type(slot[26]),
	}
	seq, length := order.Uint64(slot), order.Uint32(slot[28:])
	if seq == index+1 || seq == index+d.slots { // published, or released since: the slot still holds it
		if length <= InlineBytes {
			return h, slot[32:][:length]
		}
		if payload, ok := d.gather(slot[32:], length); ok {
			return h, payload
		}
	}
	return record.Head{Index: index, Time: h.Time, Level: record.System, Flags: record.FlagTombstone}, nil
}

// gather follows a chain of chunks that may hold anything.
func (d *dead) gather(slot []byte, length uint32) ([]byte, bool) {
	if length > record.MaxBytes-record.HeadBytes {
		return nil, false
	}
	payload := make([]byte, 0, length)
	for at := order.Uint32(slot); at != 0 && uint32(len(payload)) < length; {
		if at > chunkCount {
			return nil, false
		}
		chunk := d.chunks[int(at-1)*chunkBytes:][:chunkBytes]
		n := order.Uint32(chunk[4:])
		if n == 0 || n > chunkData {
			return nil, false
		}
		payload = append(payload, chunk[chunkHeader:][:n]...)
		at = order.Uint32(chunk)
	}
	return payload, uint32(len(payload)) == length && crc32.Checksum(payload, crcTable) == order.Uint32(slot[4:])
}
