package ring

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"math/bits"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"unsafe"

	"vitrine/core/lockfree"
	"vitrine/logx/record"
)

// Limits of a ring.
const (
	MinSlots = 64
	MaxSlots = 1 << 22 // 1 GiB
	// InlineBytes is the largest payload that needs no chunk.
	InlineBytes = 224

	headerBytes = 4096
	slotBytes   = 256
	chunkBytes  = 4096
	chunkHeader = 8
	chunkData   = chunkBytes - chunkHeader
	// chunkCount bounds the memory of long payloads: 4 MiB, sixteen of the longest records.
	chunkCount = 1024
)

const magic = "VTRNRNG1"

// ErrFull says that no slot, or no chunk, is free.
var ErrFull = errors.New("log ring is full")

// ErrClosed says that the ring takes nothing more.
var ErrClosed = errors.New("log ring is closed")

// Slot is one place of the ring. Its fields belong to whoever claimed it until Publish, then to the writer until Release.
//
//	0     8      16        24      25      26     28           32
//	| seq | time | session | level | flags | type | length 4   | payload 224 |
//
// seq is index: free for it; index+1: published; index+slots: released. A longer payload is in chunks; then the first 8 bytes
// here are the first chunk plus one and the CRC-32C of all of it.
type Slot struct {
	seq     atomic.Uint64
	Time    int64 // ns since 1970
	Session uint64
	Level   record.Level
	Flags   record.Flags
	Type    record.Type
	_       uint8
	length  uint32
	payload [InlineBytes]byte
}

var _ [slotBytes]byte = [unsafe.Sizeof(Slot{})]byte{}

// Buffer returns the empty inline buffer, for a payload of at most InlineBytes to be appended to.
func (s *Slot) Buffer() []byte { return s.payload[:0:InlineBytes] }

// Ring is the callers' and the writer's side of one mapping. Claim, Publish, Spill, Len and Close are for any goroutine; Peek,
// Payload and Release are the writer's alone.
type Ring struct {
	memory []byte // fixed; unmapped when nothing refers to the ring any more
	path   string // fixed; "" when the memory is no file
	slots  []Slot // fixed view of memory
	mask   uint64 // fixed
	head   *atomic.Uint64
	tail   *atomic.Uint64
	chunks []byte          // fixed view of memory
	free   *lockfree.Stack // chunks
}

// closedBit is set in head by Close. Indexes do not reach it.
const closedBit = 1 << 63

// Config of a Ring.
type Config struct {
	Path  string // the file to create, replaced if there is one; "" = memory that dies with the process
	Slots int    // a power of two from MinSlots to MaxSlots
	Store uint64 // the directory that its records belong to
	First uint64 // the first index
	// Types are the names of the custom types in the order of their numbers, for whoever reads the ring when the process has
	// died. Names beyond typeBytes are left out.
	Types []string
}

// Create makes the file and the ring in it, empty. Where shared mappings are not to be had it uses the process's memory and
// returns an error that wraps errors.ErrUnsupported TOGETHER with the ring.
func Create(c Config) (*Ring, error) {
	if c.Slots < MinSlots || c.Slots > MaxSlots || bits.OnesCount(uint(c.Slots)) != 1 {
		return nil, fmt.Errorf("log ring: %d slots is not a power of two from %d to %d", c.Slots, MinSlots, MaxSlots)
	}
	memory, err := mapping(c.Path, fileBytes(c.Slots, chunkCount))
	if memory == nil {
		return nil, fmt.Errorf("log ring: %w", err)
	}
	r := &Ring{memory: memory, path: c.Path, mask: uint64(c.Slots) - 1, free: lockfree.NewStack(chunkCount)}
	r.view(c.Slots)
	r.format(c)
	for i := range uint32(chunkCount) {
		r.free.Push(i)
	}
	if c.Path != "" && err == nil {
		runtime.AddCleanup(r, unmap, memory)
	}
	return r, err
}

func fileBytes(slots, chunks int) int { return headerBytes + slots*slotBytes + chunks*chunkBytes }

func (r *Ring) view(slots int) {
	base := unsafe.Pointer(unsafe.SliceData(r.memory))
	r.slots = unsafe.Slice((*Slot)(unsafe.Add(base, headerBytes)), slots)
	r.head = (*atomic.Uint64)(unsafe.Add(base, headOffset))
	r.tail = (*atomic.Uint64)(unsafe.Add(base, tailOffset))
	r.chunks = r.memory[headerBytes+slots*slotBytes:]
}

// Offsets in the header.
const (
	slotsOffset      = 8
	slotBytesOffset  = 12
	storeOffset      = 16
	firstOffset      = 24
	chunksOffset     = 32
	chunkBytesOffset = 36
	headOffset       = 128
	tailOffset       = 256
	typesOffset      = 512
)

// typeBytes is the room for the names of types in the header.
const typeBytes = headerBytes - typesOffset - 2

// format writes the header, the magic last: a file without it is nobody's.
func (r *Ring) format(c Config) {
	order.PutUint32(r.memory[slotsOffset:], uint32(c.Slots))
	order.PutUint32(r.memory[slotBytesOffset:], slotBytes)
	order.PutUint64(r.memory[storeOffset:], c.Store)
	order.PutUint64(r.memory[firstOffset:], c.First)
	order.PutUint32(r.memory[chunksOffset:], chunkCount)
	order.PutUint32(r.memory[chunkBytesOffset:], chunkBytes)
	names := strings.Join(c.Types, "\n")
	names = names[:min(len(names), typeBytes)]
	order.PutUint16(r.memory[typesOffset:], uint16(len(names)))
	copy(r.memory[typesOffset+2:], names)
	for i := range uint64(c.Slots) {
		index := c.First + i
		r.slots[index&r.mask].seq.Store(index)
	}
	r.tail.Store(c.First)
	r.head.Store(c.First)
	copy(r.memory, magic)
}

// Path returns the file of the ring, "" when it has none.
func (r *Ring) Path() string { return r.path }

// Cap returns the number of slots.
func (r *Ring) Cap() int { return len(r.slots) }

// Len returns how many slots are not free: claimed, or published and not yet released.
func (r *Ring) Len() int { return int(r.Head() - r.tail.Load()) }

// Head returns the index that the next Claim will give.
func (r *Ring) Head() uint64 { return r.head.Load() &^ closedBit }

// Claim takes a free slot for the caller to fill and Publish, which must follow at once: the writer waits for it. ErrFull and
// ErrClosed use no index.
func (r *Ring) Claim() (*Slot, uint64, error) {
	for {
		index := r.head.Load()
		s := &r.slots[index&r.mask]
		switch ahead := int64(s.seq.Load() - index); {
		case index&closedBit != 0:
			return nil, 0, ErrClosed
		case ahead == 0:
			if r.head.CompareAndSwap(index, index+1) {
				return s, index, nil
			}
		case ahead < 0 && r.head.Load() == index:
			return nil, 0, ErrFull
		}
	}
}

// Publish hands a claimed slot to the writer, with the length of its payload.
func (r *Ring) Publish(s *Slot, index uint64, length int) {
	s.length = uint32(length)
	s.seq.Store(index + 1)
}

// Close lets nobody claim any more. What was claimed is still to be published and written.
func (r *Ring) Close() { r.head.Or(closedBit) }

// Remove deletes the ring's file. The memory stays as long as somebody holds the ring.
func (r *Ring) Remove() error {
	if r.path == "" {
		return nil
	}
	if err := os.Remove(r.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("remove log ring: %w", err)
	}
	return nil
}

// Peek returns the slot of index once it is published. Writer.
func (r *Ring) Peek(index uint64) (*Slot, bool) {
	s := &r.slots[index&r.mask]
	return s, s.seq.Load() == index+1
}

// Payload returns the payload of a published slot, valid until its Release; a long one is put together in scratch, which
// must have room for record.MaxBytes. Writer.
func (r *Ring) Payload(s *Slot, scratch []byte) []byte {
	if s.length <= InlineBytes {
		return s.payload[:s.length]
	}
	return r.gather(s, scratch[:0])
}

// Release frees every slot before end, once its bytes are in a file. Writer.
func (r *Ring) Release(end uint64) {
	for index := r.tail.Load(); index < end; index++ {
		s := &r.slots[index&r.mask]
		if s.length > InlineBytes {
			r.giveChunks(s)
		}
		s.seq.Store(index + r.mask + 1)
	}
	r.tail.Store(end)
}

var order = binary.LittleEndian

// crcTable is the polynomial of all checksums of the log.
var crcTable = crc32.MakeTable(crc32.Castagnoli)
