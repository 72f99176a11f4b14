package flight

import (
	"sync/atomic"
	"unsafe"
)

// ring is the fixed array of slots one owner writes and anyone reads while it
// does. The owner stores plain words; two cursors that move rarely tell readers
// what to believe.
//
//	      reserved-N              published      head       reserved
//	          |                       |            |            |
//	----------[ final records         | in flight  | untouched  )-----> number
//	          [ slots readers may trust, each for its own number )
//
// Record s lives in slot s%N. Three promises of the owner, each kept by one
// store, are the whole protocol:
//
//  1. No slot is written for a number >= reserved. The owner moves reserved a
//     step (up to 64 records) ahead, and that store is ordered before any store
//     into the step's slots. So a reader that has copied slot s and THEN loads
//     reserved <= s+N knows that nobody had begun to overwrite the slot while
//     it copied: record s+N would have needed reserved > s+N.
//  2. Begin stores the mark, the low half of the number, last, with release. So
//     a reader that first loads a mark equal to s sees all that Begin stored for
//     s. Before that the slot holds record s-N, whose mark differs.
//  3. What changes after Begin changes one word at a time, and each word is
//     whole: the result (Out, Err, Flags) when the handler returns, the times
//     when the group closes, and then the mark again, with release, to set
//     Group. A reader that sees Group sees the result and the times as well;
//     until then the times are of an older record and readers take them for 0.
//
// Together: a copy of s is returned only when the mark said s before the copy
// (promise 2) and reserved allowed no successor after it (promise 1). Identity
// (session, number, stamp, type, size) is then exactly what Begin was given; a
// record with Group 0 is in flight, and its result is that before or after End.
// Records below published are final: End was called and their group is closed.
//
// The reader's part of the order is that all its loads are atomic: the mark's
// load comes before the words', theirs before reserved's. The owner's part of
// promise 1 is advance, below.
//
// After SIGKILL there is no concurrent reader and no store is reordered any
// more: what a file shows is a prefix of the owner's program order. At most one
// slot is half written. Begin's first store is the new number and its last the
// new mark, so a half-written slot has a number that contradicts its mark. All
// other slots hold the last N records, and the open one says so.
//
// Why not a checksum or a version per record: both cost stores or arithmetic
// per packet to answer a question that reserved answers 64 packets at a time.
// Why not an atomic head: on amd64 every atomic store is a locked exchange.
type ring struct {
	base    unsafe.Pointer // fixed: of slot 0; the slots' words are the owner's to store
	mask    uint64         // fixed: slots - 1, slots being a power of two
	cursors *cursors       // fixed; in the header page when the ring is in a file
	first   uint64         // fixed: the first number, 1 or lifeBit|1
	step    uint64         // fixed: how far reserved moves at a time
	head    uint64         // owned by the owner: the next number
	limit   uint64         // owned by the owner: what reserved holds
}

// cursors is what the owner tells readers. Invariant:
// first <= published <= head <= reserved <= head+step.
type cursors struct {
	reserved  atomic.Uint64 // no record >= it has been begun
	published atomic.Uint64 // every record < it is final
	_         [112]byte     // keeps neighbours on the heap off the line
}

const maxStep = 64

func (g *ring) init(slots []slot, c *cursors, first uint64) {
	n := uint64(len(slots))
	*g = ring{
		base:    unsafe.Pointer(&slots[0]),
		mask:    n - 1,
		cursors: c,
		first:   first,
		step:    max(1, min(maxStep, n/16)),
		head:    first,
		limit:   first,
	}
	c.reserved.Store(first)
	c.published.Store(first)
}

// next returns the slot of record head and makes head the one after it.
func (g *ring) next() *slot {
	if g.head == g.limit {
		g.advance()
	}
	s := g.at(g.head)
	g.head++
	return s
}

// at returns the slot of record seq. The mask keeps it inside slots, which is
// what a bounds check would ask again: it is 13 % of what a record costs.
func (g *ring) at(seq uint64) *slot {
	return (*slot)(unsafe.Add(g.base, (seq&g.mask)*recordSize))
}

// advance announces that the next step's slots may be overwritten.
//
// The store must be seen before the plain stores that follow. A store with
// release (STLR on arm64) orders what came before it, not what comes after; the
// load of the same word with acquire cannot pass it and holds back all later
// stores. On amd64 the store is a full barrier already and the load is free.
func (g *ring) advance() {
	g.limit += g.step
	g.cursors.reserved.Store(g.limit)
	g.cursors.reserved.Load()
}

// publish declares every record begun so far final.
func (g *ring) publish() {
	if g.cursors.published.Load() != g.head {
		g.cursors.published.Store(g.head)
	}
}

// oldest returns the lowest number that a ring with that reserved may hold.
func (g *ring) oldest(reserved uint64) uint64 {
	n := g.mask + 1
	if reserved < g.first+n {
		return g.first
	}
	return reserved - n
}

// read copies record seq. It answers ok when the ring holds it, and lost when
// it was, or may have been, overwritten.
func (g *ring) read(seq uint64) (rec Record, ok, lost bool) {
	rec, ok = g.at(seq).load(seq)
	if g.overwritten(seq) {
		return Record{}, false, true
	}
	return rec, ok, false
}

// overwritten reports whether the slot of seq may be in use for seq+N.
func (g *ring) overwritten(seq uint64) bool {
	return seq+g.mask+1 < g.cursors.reserved.Load()
}
