package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// Sizes of a payload, in bytes.
const (
	stampSize      = 12 // sequence and connection
	maxPayload     = 1<<16 - 1
	patternOffsets = 1 << 16
)

// pattern writes and checks payloads of one size. It is fixed after newPattern.
//
//	 0          8            12                 size
//	+----------+------------+------------------+
//	| sequence | connection |     pattern      |   little-endian
//	|    u64   |    u32     | size - 12 bytes  |
//	+----------+------------+------------------+
//
// The pattern is a slice of fixed noise that begins where sequence and
// connection say, so that an exchanged, stale or shifted payload shows.
type pattern struct {
	size  int
	noise []byte // len: patternOffsets + size
}

// newPattern makes the noise for payloads of size bytes, 12 to 65535.
func newPattern(size int) (*pattern, error) {
	if size < stampSize || size > maxPayload {
		return nil, fmt.Errorf("payload of %d bytes, want %d to %d", size, stampSize, maxPayload)
	}
	p := &pattern{size: size, noise: make([]byte, patternOffsets+size)}
	state := uint64(0x9e3779b97f4a7c15)
	for i := range p.noise {
		state = state*6364136223846793005 + 1442695040888963407
		p.noise[i] = byte(state >> 56)
	}
	return p, nil
}

// fill writes the payload of a message into dst, which holds size bytes.
func (p *pattern) fill(dst []byte, conn uint32, sequence uint64) {
	binary.LittleEndian.PutUint64(dst, sequence)
	binary.LittleEndian.PutUint32(dst[8:], conn)
	copy(dst[stampSize:p.size], p.at(conn, sequence))
}

// matches tells whether payload is what fill writes for this message.
func (p *pattern) matches(payload []byte, conn uint32, sequence uint64) bool {
	return len(payload) == p.size &&
		binary.LittleEndian.Uint64(payload) == sequence &&
		binary.LittleEndian.Uint32(payload[8:]) == conn &&
		bytes.Equal(payload[stampSize:], p.at(conn, sequence))
}

func (p *pattern) at(conn uint32, sequence uint64) []byte {
	begin := uint16(uint32(sequence)*40961 + conn*7919)
	return p.noise[begin:][:p.size-stampSize]
}

// explain names what is wrong with a payload that does not match.
func (p *pattern) explain(payload []byte, conn uint32, sequence uint64) error {
	if len(payload) != p.size {
		return fmt.Errorf("connection %d, message %d: echo of %d bytes, want %d", conn, sequence, len(payload), p.size)
	}
	if got := binary.LittleEndian.Uint32(payload[8:]); got != conn {
		return fmt.Errorf("connection %d, message %d: echo of connection %d", conn, sequence, got)
	}
	if got := binary.LittleEndian.Uint64(payload); got != sequence {
		return fmt.Errorf("connection %d, message %d: echo of message %d", conn, sequence, got)
	}
	return fmt.Errorf("connection %d, message %d: echo differs", conn, sequence)
}
