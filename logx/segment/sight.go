package segment

// How sessions are looked for in a frame that is not decoded.
const (
	maxNeedle   = 4 // bytes of a session id, its lowest
	minNeedle   = 2
	maxHidden   = 31             // sessions of a block that are not to be seen in its frame
	hiddenShare = 32             // and at most one of so many, but for two
	sightSlots  = 1 << sightBits // more than a block has sessions
	sightBits   = 13
)

// sight finds out which sessions of a block can be seen in its frame: literals stand there as they are, so the low bytes of
// an id do too where its session speaks first, as a rule. A search that does not find them need not decode the block. It
// belongs to one goroutine and is reused.
type sight struct {
	keys [sightSlots]uint32
	seen [sightSlots]uint8 // 0 = no key, or unseen or visible
}

// What sight knows of a key.
const (
	unseen  = 1
	visible = 2
)

// look gives the most bytes of an id by which nearly all of the sessions, given by their mixes, can be seen in a frame, and
// marks of those that cannot. Without such bytes there is no needle, nor with more sessions than a block has.
func (s *sight) look(dst []byte, sessions []row, frame []byte) (needle int, hidden []byte) {
	if len(sessions) > maxRibbonKeys {
		return 0, nil
	}
	most := min(max(len(sessions)/hiddenShare, 2), maxHidden)
	for needle = maxNeedle; needle >= minNeedle; needle-- {
		if hidden = s.hidden(dst[:0], sessions, frame, needle); len(hidden) <= most {
			return needle, hidden
		}
	}
	return 0, nil
}

// hidden gives the marks of the sessions whose id has low bytes that are not in the frame.
func (s *sight) hidden(dst []byte, sessions []row, frame []byte, needle int) []byte {
	clear(s.seen[:])
	mask := uint32(1<<(8*needle) - 1)
	for i := range sessions {
		key := uint32(unmix(sessions[i].hash)) & mask
		at := s.find(key)
		s.keys[at], s.seen[at] = key, unseen
	}
	for i := 0; i+4 <= len(frame); i++ {
		if at := s.find(order.Uint32(frame[i:]) & mask); s.seen[at] == unseen {
			s.seen[at] = visible
		}
	}
	for i := range sessions {
		if s.seen[s.find(uint32(unmix(sessions[i].hash))&mask)] != visible {
			dst = append(dst, mark(sessions[i].hash))
		}
	}
	return dst
}

// find gives the slot of a key, or that where it would be.
func (s *sight) find(key uint32) uint32 {
	at := key * 0x9e3779b1 >> (32 - sightBits)
	for s.seen[at] != 0 && s.keys[at] != key {
		at = (at + 1) % sightSlots
	}
	return at
}

// mark is what is kept of a session that cannot be seen, by its mix.
func mark(hash uint64) byte { return byte(hash) }

// unmix gives the session of a mix.
func unmix(hash uint64) uint64 {
	hash ^= hash>>31 ^ hash>>62
	hash *= 0x319642b2d24d8ec3
	hash ^= hash>>27 ^ hash>>54
	hash *= 0x96de1b173f119089
	return hash ^ hash>>30 ^ hash>>60
}
