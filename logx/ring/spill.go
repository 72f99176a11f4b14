package ring

import "hash/crc32"

// Spilled is a long payload that waits in chunks for its slot.
type Spilled struct {
	first  uint32 // chunk plus one
	length uint32
	sum    uint32
}

// Spill copies a payload of more than InlineBytes into chunks; ErrFull when there are not enough, or never would be. The
// caller then claims a slot and calls PublishSpilled, or gives the chunks back with Unspill.
func (r *Ring) Spill(payload []byte) (Spilled, error) {
	need := (len(payload) + chunkData - 1) / chunkData
	if need > chunkCount {
		return Spilled{}, ErrFull
	}
	places := make([]uint32, need)
	if n := r.free.PopN(places); n < need {
		r.free.PushN(places[:n])
		return Spilled{}, ErrFull
	}
	for i, place := range places {
		next := uint32(0)
		if i+1 < need {
			next = places[i+1] + 1
		}
		fillChunk(r.chunk(place), next, payload[i*chunkData:min((i+1)*chunkData, len(payload))])
	}
	return Spilled{places[0] + 1, uint32(len(payload)), crc32.Checksum(payload, crcTable)}, nil
}

func fillChunk(chunk []byte, next uint32, part []byte) {
	order.PutUint32(chunk, next)
	order.PutUint32(chunk[4:], uint32(len(part)))
	copy(chunk[chunkHeader:], part)
}

// Unspill gives back chunks that were not published.
func (r *Ring) Unspill(p Spilled) {
	for at := p.first; at != 0; {
		chunk := r.chunk(at - 1)
		next := order.Uint32(chunk)
		r.free.Push(at - 1)
		at = next
	}
}

// PublishSpilled is Publish for a payload in chunks, which are the slot's from now on.
func (r *Ring) PublishSpilled(s *Slot, index uint64, p Spilled) {
	order.PutUint32(s.payload[:], p.first)
	order.PutUint32(s.payload[4:], p.sum)
	r.Publish(s, index, int(p.length))
}

func (r *Ring) chunk(place uint32) []byte {
	return r.chunks[int(place)*chunkBytes:][:chunkBytes]
}

// gather appends the chunks of a slot to dst.
func (r *Ring) gather(s *Slot, dst []byte) []byte {
	for at := order.Uint32(s.payload[:]); at != 0; {
		chunk := r.chunk(at - 1)
		dst = append(dst, chunk[chunkHeader:][:order.Uint32(chunk[4:])]...)
		at = order.Uint32(chunk)
	}
	return dst
}

// giveChunks frees the chunks of a slot. Writer.
func (r *Ring) giveChunks(s *Slot) {
	r.Unspill(Spilled{first: order.Uint32(s.payload[:])})
}
