package frame

import "encoding/binary"

// Eight bytes are handled as the lanes of one 64-bit word where the
// formula allows it: everywhere but in encoding B, in which each byte
// needs the one before it.
const (
	lanes   = 0x0101010101010101         // 1 in each lane
	lanesN  = 0x0807060504030201         // 1, 2 .. 8 from the first byte on
	lowBits = 0x7f * uint64(lanes)       // all but the top bit of each lane
	topBits = 0x80 * uint64(lanes)       // the top bit of each lane
	evens   = uint64(0x00ff00ff00ff00ff) // every second lane
)

// addLanes adds lane by lane mod 256; no carry crosses a lane.
func addLanes(x, y uint64) uint64 {
	return ((x & lowBits) + (y & lowBits)) ^ ((x ^ y) & topBits)
}

// addEight adds 8 to each lane mod 256.
func addEight(x uint64) uint64 {
	return ((x & lowBits) + 8*lanes) ^ (x & topBits)
}

// encodeB writes the len(src)+1 bytes of the stream first, src... to dst.
// With D1 = first, D2.. = src, P0 = E0 = 0 and n from 1, mod 256:
//
//	P[n] = D[n] ^ (P[n-1] + RK + n)    E[n] = P[n] ^ (E[n-1] + K + n)
func encodeB(dst []byte, first byte, src []byte, randKey, key byte) {
	rn, kn := uint(randKey)+1, uint(key)+1
	p := uint(first) ^ rn
	e := p ^ kn
	dst[0] = byte(e)
	dst = dst[1 : len(src)+1]
	for i, d := range src {
		rn++
		kn++
		p = uint(d) ^ (p + rn)
		e = p ^ (e + kn)
		dst[i] = byte(e)
	}
}

// decodeB turns the stream b back in place and returns the sum of the
// plain bytes, the first one included:
//
//	P[n] = E[n] ^ (E[n-1] + K + n)    D[n] = P[n] ^ (P[n-1] + RK + n)
func decodeB(b []byte, randKey, key byte) (total byte) {
	rn := addLanes(uint64(randKey)*lanes, lanesN)
	kn := addLanes(uint64(key)*lanes, lanesN)
	var ePrev, pPrev, sums uint64
	for len(b) >= 8 {
		e := binary.LittleEndian.Uint64(b)
		p := e ^ addLanes(e<<8|ePrev, kn)
		d := p ^ addLanes(p<<8|pPrev, rn)
		binary.LittleEndian.PutUint64(b, d)
		sums = addSums(sums, d)
		ePrev, pPrev = e>>56, p>>56
		rn, kn = addEight(rn), addEight(kn)
		b = b[8:]
	}
	for i, e := range b {
		p := e ^ (byte(ePrev) + byte(kn))
		d := p ^ (byte(pPrev) + byte(rn))
		b[i] = d
		sums += uint64(d)
		ePrev, pPrev = uint64(e), uint64(p)
		rn, kn = rn>>8, kn>>8
	}
	return fold(sums)
}

// xorSum writes src ^ k to dst, which may be src, and returns the sum of
// src ^ plain: plain is 0 to add up what is read, k what is written.
func xorSum(dst, src []byte, k, plain byte) (total byte) {
	kk, pp := uint64(k)*lanes, uint64(plain)*lanes
	dst = dst[:len(src)]
	var sums uint64
	for len(src) >= 8 && len(dst) >= 8 {
		v := binary.LittleEndian.Uint64(src)
		binary.LittleEndian.PutUint64(dst, v^kk)
		sums = addSums(sums, v^pp)
		src, dst = src[8:], dst[8:]
	}
	for i, v := range src {
		dst[i] = v ^ k
		sums += uint64(v ^ plain)
	}
	return fold(sums)
}

// sum adds the bytes of b mod 256.
func sum(b []byte) byte {
	var sums uint64
	for len(b) >= 8 {
		sums = addSums(sums, binary.LittleEndian.Uint64(b))
		b = b[8:]
	}
	for _, v := range b {
		sums += uint64(v)
	}
	return fold(sums)
}

// addSums adds eight bytes to four sums, kept mod 256 so that none of
// them reaches the next.
func addSums(sums, word uint64) uint64 {
	return (sums + word&evens + word>>8&evens) & evens
}

// fold adds up the four sums; the tail of a stream, at most seven bytes,
// may have been added to the lowest beyond 256, which the sum mod 256
// cannot see.
func fold(sums uint64) byte {
	sums += sums >> 32
	return byte(sums + sums>>16)
}
