package engine

import (
	"encoding/binary"

	"vitrine/core/pool"
)

// outputSlot is one slot of a session's output: its memory and what its header says, or the session of the tail.
type outputSlot struct {
	b                  []byte
	next               uint32 // slot plus one, 0: this is the tail
	end, frames, first uint16
}

// slot looks at one slot of the session's output.
func (w *worker) slot(s *Session, at uint32) outputSlot {
	b := w.server.output.Bytes(pool.Slot(at - 1))
	if at == s.out.tail {
		return outputSlot{b: b, end: s.out.end, frames: s.out.frames, first: s.out.first}
	}
	return outputSlot{
		b: b, next: binary.LittleEndian.Uint32(b), end: binary.LittleEndian.Uint16(b[4:]),
		frames: binary.LittleEndian.Uint16(b[6:]), first: binary.LittleEndian.Uint16(b[8:]),
	}
}

// writeHeader ends the tail of an output that goes on in the slot next.
func writeHeader(b []byte, next uint32, tail *output) {
	_ = b[outputHeader-1]
	binary.LittleEndian.PutUint64(b, uint64(next)|uint64(tail.end)<<32|uint64(tail.frames)<<48)
	binary.LittleEndian.PutUint16(b[8:], tail.first)
}
