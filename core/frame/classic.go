package frame

import (
	"encoding/binary"
	"math/rand/v2"
)

// A classic frame; length excludes the 5 header bytes:
//
//	offset  0      1        3         4          5
//	        | code | length | randKey | checksum | payload [length] |
//	bytes     1      2        1         1          1..65,535
//
// checksum and payload are obfuscated, the rest is not. The checksum is
// the sum of the plain payload bytes mod 256.
const (
	offCode     = 0
	offLength   = 1
	offRandKey  = 3
	offChecksum = 4
)

func (c *Codec) sizeClassic(b []byte) (int, error) {
	if len(b) < classicLen {
		return 0, nil
	}
	if b[offCode] != c.code {
		return 0, ErrBadCode
	}
	n := int(binary.LittleEndian.Uint16(b[offLength:]))
	if n == 0 || n > c.MaxPayload() {
		return 0, ErrBadLength
	}
	return classicLen + n, nil
}

// isWhole reports whether frame is as long as its header says.
func isWhole(frame []byte) bool {
	n := len(frame) - classicLen
	return n > 0 && n == int(binary.LittleEndian.Uint16(frame[offLength:]))
}

// header appends room for a frame and fills what is not obfuscated.
func (c *Codec) header(
	dst []byte, payloadLen int, randKey byte,
) (whole, frame []byte) {
	whole, frame = grow(dst, classicLen+payloadLen)
	frame[offCode] = c.code
	binary.LittleEndian.PutUint16(frame[offLength:], uint16(payloadLen))
	frame[offRandKey] = randKey
	return whole, frame
}

func (c *Codec) random() byte {
	if c.randKey != nil {
		return c.randKey()
	}
	return byte(rand.Uint32())
}

func (c *Codec) sealB(dst, payload []byte) []byte {
	randKey := c.random()
	dst, frame := c.header(dst, len(payload), randKey)
	encodeB(frame[offChecksum:], sum(payload), payload, randKey, c.key)
	return dst
}

func (c *Codec) openB(frame []byte) ([]byte, error) {
	if !isWhole(frame) {
		return nil, ErrBadLength
	}
	stream := frame[offChecksum:]
	total := decodeB(stream, frame[offRandKey], c.key)
	return checked(stream, total)
}

// Codec A obfuscates with k = R ^ K1 ^ K2, and puts that k, not R, into
// the randKey field: a receiver needs no key of its own.
func (c *Codec) sealA(dst, payload []byte) []byte {
	k := c.random() ^ c.key ^ c.key2
	dst, frame := c.header(dst, len(payload), k)
	total := xorSum(frame[classicLen:], payload, k, 0)
	frame[offChecksum] = total ^ k
	return dst
}

func (c *Codec) openA(frame []byte) ([]byte, error) {
	if !isWhole(frame) {
		return nil, ErrBadLength
	}
	k := frame[offRandKey]
	stream := frame[offChecksum:]
	return checked(stream, xorSum(stream, stream, k, k))
}

// checked takes the checksum off a plain stream. total is the sum of the
// stream, in which the checksum itself was counted once.
func checked(stream []byte, total byte) ([]byte, error) {
	if total-stream[0] != stream[0] {
		return nil, ErrBadChecksum
	}
	return stream[1:len(stream):len(stream)], nil
}
