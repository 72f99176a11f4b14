package segment

import (
	"fmt"
)

// Sizes of the two session filters. Both are Bloom filters without a false "no".
const (
	sessionFilterBytes = 220
	sessionFilterBits  = sessionFilterBytes * 8 // 1760
	groupFilterBytes   = 8192
	groupFilterBits    = groupFilterBytes * 8 // 65,536
	groupFilterHashes  = 6
	groupFilterSize    = 8 + groupFilterBytes // on disk
)

// mix spreads a session id over 64 bits (the finalizer of splitmix64). Every filter uses other bits of it.
func mix(session uint64) uint64 {
	session ^= session >> 30
	session *= 0xbf58476d1ce4e5b9
	session ^= session >> 27
	session *= 0x94d049bb133111eb
	return session ^ session>>31
}

// sessionFilter tells for a block which sessions may have records in it: 1760 bits, 2 of them per session, which the
// two halves of the mix choose by multiplication.
type sessionFilter [sessionFilterBytes]byte

// add notes a session given by its mix.
func (f *sessionFilter) add(hash uint64) {
	a, b := blockBits(hash)
	f[a>>3] |= 1 << (a & 7)
	f[b>>3] |= 1 << (b & 7)
}

// maybe is false when the session has no record in the block.
func (f *sessionFilter) maybe(hash uint64) bool {
	a, b := blockBits(hash)
	return f[a>>3]&(1<<(a&7)) != 0 && f[b>>3]&(1<<(b&7)) != 0
}

func blockBits(hash uint64) (a, b uint64) {
	return hash >> 32 * sessionFilterBits >> 32, hash & (1<<32 - 1) * sessionFilterBits >> 32
}

// groupFilter tells for 256 blocks which sessions may have records in them: 65,536 bits, 6 per session, at a + i*b for
// i in 0..5, where a is the low half of the mix and b the high half, made odd. On disk, little-endian:
//
//	0 | crc32c u32 of bytes 4..8200 | 256 u32 | 65,536 bits | 8200
type groupFilter [groupFilterBytes]byte

// add notes a session given by its mix.
func (f *groupFilter) add(hash uint64) {
	at, step := uint32(hash), uint32(hash>>32)|1
	for range groupFilterHashes {
		bit := at % groupFilterBits
		f[bit>>3] |= 1 << (bit & 7)
		at += step
	}
}

// maybe is false when the session has no record in the group.
func (f *groupFilter) maybe(hash uint64) bool {
	at, step := uint32(hash), uint32(hash>>32)|1
	for range groupFilterHashes {
		bit := at % groupFilterBits
		if f[bit>>3]&(1<<(bit&7)) == 0 {
			return false
		}
		at += step
	}
	return true
}

// appendGroupFilter appends the filter as it stands on disk.
func appendGroupFilter(dst []byte, f *groupFilter) []byte {
	at := len(dst)
	dst = order.AppendUint32(dst, 0)
	dst = order.AppendUint32(dst, groupBlocks)
	dst = append(dst, f[:]...)
	order.PutUint32(dst[at:], sum(dst[at+4:]))
	return dst
}

// parseGroupFilter gives a view of the filter that p holds.
func parseGroupFilter(p []byte) (*groupFilter, error) {
	if len(p) < groupFilterSize || order.Uint32(p[4:]) != groupBlocks ||
		order.Uint32(p) != sum(p[4:groupFilterSize]) {
		return nil, fmt.Errorf("%w: group filter", ErrCorrupt)
	}
	return (*groupFilter)(p[8:groupFilterSize]), nil
}
