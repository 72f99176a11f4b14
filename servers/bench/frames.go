package main

import "encoding/binary"

// headerSize is the bytes in front of a payload: its length, little-endian.
const headerSize = 2

// wholeFrames returns how many bytes at the front of b are whole frames, looking
// no further than the first one that reaches want bytes.
//
//	0 <= result <= len(b)
func wholeFrames(b []byte, want int) int {
	whole := 0
	for whole < want && len(b)-whole >= headerSize {
		size := headerSize + int(binary.LittleEndian.Uint16(b[whole:]))
		if len(b)-whole < size {
			break
		}
		whole += size
	}
	return whole
}
