package flight

import "sync/atomic"

// slot is a record as the ring stores it: eight words, drawn in doc.go. The
// owner stores whole words, so that a reader's atomic load of a word sees one
// of the owner's stores and never half of one.
type slot [8]uint64

// The words of a slot.
const (
	wSession = iota
	wSeq
	wRecv
	wCause
	wTimes  // Wait | Handle<<32
	wResult // Out | Err<<32 | Flags<<48
	wInput  // Size | Type<<32 | Worker<<48
	wMark   // low half of Seq | Kind<<32 | Group<<40 | Pos<<48
)

const (
	handleShift = 32
	errShift    = 32
	flagShift   = 48
	kindShift   = 32
	groupShift  = 40
	posShift    = 48

	openBit  = uint64(FlagOpen) << flagShift
	errorBit = uint64(FlagError) << flagShift
)

// load copies the record with number seq out of s. It answers false when the
// slot does not hold that record, or does not hold it completely yet. The
// caller must afterwards check that the slot was not up for reuse meanwhile.
//
// The mark is loaded first because Begin stores it last: a reader that sees it
// sees all of Begin. It is also what closing a group stores last: a reader that
// sees Group sees the result and the times.
func (s *slot) load(seq uint64) (Record, bool) {
	mark := atomic.LoadUint64(&s[wMark])
	if uint32(mark) != uint32(seq) || atomic.LoadUint64(&s[wSeq]) != seq {
		return Record{}, false
	}
	times := atomic.LoadUint64(&s[wTimes])
	result := atomic.LoadUint64(&s[wResult])
	input := atomic.LoadUint64(&s[wInput])
	r := Record{
		Session: atomic.LoadUint64(&s[wSession]),
		Seq:     seq,
		Recv:    int64(atomic.LoadUint64(&s[wRecv])),
		Cause:   Ref(atomic.LoadUint64(&s[wCause])),
		Wait:    uint32(times),
		Handle:  uint32(times >> handleShift),
		Out:     uint32(result),
		Err:     uint16(result >> errShift),
		Flags:   Flags(result >> flagShift),
		Size:    uint32(input),
		Type:    uint16(input >> 32),
		Worker:  uint16(input >> 48),
		Kind:    Kind(mark >> kindShift),
		Group:   uint8(mark >> groupShift),
		Pos:     uint8(mark >> posShift),
	}
	switch {
	case r.Group == 0:
		r.Wait, r.Handle = 0, 0 // Its group is not closed: these are of an older record.
	case r.Flags&FlagOpen != 0:
		// Its group went on without it: the End was left out.
		r.Flags = r.Flags&^FlagOpen | FlagDropped
	}
	return r, true
}

// holds reports whether s holds record seq of that session, without copying it.
func (s *slot) holds(seq, session uint64) bool {
	return uint32(atomic.LoadUint64(&s[wMark])) == uint32(seq) &&
		atomic.LoadUint64(&s[wSession]) == session
}
