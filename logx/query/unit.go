package query

import (
	"errors"
	"fmt"
	"slices"

	"vitrine/logx/record"
	"vitrine/logx/segment"
)

// unit is a piece of the log that one goroutine at a time looks at: the planner fills it, a worker searches it, the
// consumer gives its hits and returns it. It carries its buffers from use to use.
//
//	planner --work--> worker --done--> consumer --free--> planner
type unit struct {
	segment *segment.Segment // nil: nothing to read, buf holds the records
	base    uint64
	types   *record.Types
	match   matcher
	block   segment.Block
	spots   []spot // the records to look at; none = all of the block

	buf       []byte
	hits      []hit
	records   int64
	bytes     int64 // that were searched
	corrupted []Corruption
	passed    uint64 // the index up to which the log has been searched with this unit
	done      chan struct{}
}

// spot is a record that a posting names.
type spot struct {
	index uint64
	at    uint32 // in buf
	from  uint32 // in the .log, for messages
}

// hit is a record that matches.
type hit struct {
	at   uint32 // in buf
	from uint32 // in the block, for messages
}

// reset makes a unit ready for its next use.
func (u *unit) reset() {
	u.segment, u.block = nil, segment.Block{}
	u.spots, u.buf, u.hits, u.corrupted = u.spots[:0], u.buf[:0], u.hits[:0], nil
	u.records, u.bytes = 0, 0
}

// search finds the hits of the unit.
func (u *unit) search(g *grepper) {
	if u.segment == nil {
		u.find(g)
		return
	}
	buf, err := u.segment.ReadSession(u.block, u.match.session, g.block)
	if errors.Is(err, segment.ErrRemoved) {
		return
	}
	if err != nil {
		u.damage(int64(u.block.Offset), err)
		return
	}
	own := u.buf
	u.buf = buf
	u.find(g)
	g.block = u.settle(own)
}

func (u *unit) find(g *grepper) {
	u.bytes = int64(len(u.buf))
	if len(u.spots) > 0 {
		u.visit(g)
	} else {
		u.scan(g)
	}
}

// settle leaves the hits with the unit and gives a block's room for the worker to go on with: the block it has just used,
// which is in its cache, and the hits are copied to own, unless they are most of it.
func (u *unit) settle(own []byte) []byte {
	block, size := u.buf, 0
	for _, h := range u.hits {
		size += recordSize(block[h.at:])
	}
	if size > len(block)/2 {
		return own
	}
	u.buf = own[:0]
	for i, h := range u.hits {
		u.hits[i].at = uint32(len(u.buf))
		u.buf = append(u.buf, block[h.at:][:recordSize(block[h.at:])]...)
	}
	return block
}

// recordSize is the size of the intact record at the front of b.
func recordSize(b []byte) int {
	size, _, _ := record.Hop(b)
	return size
}

// scan hops over all records of the block. Indexes that do not count up show a damaged head: what follows it in the
// block cannot be trusted.
func (u *unit) scan(g *grepper) {
	next, session := u.block.First, u.match.session
	for at := 0; at < len(u.buf); next++ {
		if session != 0 {
			size, index, other := record.Hop(u.buf[at:])
			if size > 0 && index == next && other != session {
				u.records++
				at += size
				continue
			}
		}
		v, err := record.ParseUnchecked(u.buf[at:])
		if err == nil && v.Index != next {
			err = record.ErrCorrupt
		}
		if err != nil {
			u.damage(int64(u.block.Offset)+int64(at), fmt.Errorf("record %d and up to %d behind it: %w", next, u.block.End()-1-next, err))
			return
		}
		u.records++
		u.look(g, v, at, int64(u.block.Offset)+int64(at))
		at += v.Size()
	}
}

// visit looks at the records that postings name. All of them are checked: a damaged head may say that it is not wanted.
func (u *unit) visit(g *grepper) {
	for _, s := range u.spots {
		v, err := record.View{}, record.ErrCorrupt
		if uint64(s.at) < uint64(len(u.buf)) {
			v, err = record.Parse(u.buf[s.at:])
		}
		if err == nil && v.Index != s.index {
			err = record.ErrCorrupt
		}
		if err != nil {
			u.damage(int64(s.from), fmt.Errorf("record %d: %w", s.index, err))
			continue
		}
		u.records++
		u.look(g, v, int(s.at), int64(s.from))
	}
}

// look decides about one record and checks its bytes when it is wanted.
func (u *unit) look(g *grepper, v record.View, at int, from int64) {
	if !u.match.head(&v.Head) || !u.match.id(v) {
		return
	}
	_, err := record.Parse(u.buf[at:])
	found := false
	if err == nil {
		found, err = g.match(u.match.grep, v)
	}
	switch {
	case err != nil:
		u.damage(from, fmt.Errorf("record %d: %w", v.Index, err))
	case found:
		u.hits = append(u.hits, hit{uint32(at), uint32(at)})
	}
}

func (u *unit) damage(offset int64, err error) {
	u.corrupted = append(u.corrupted, Corruption{Segment: u.base, Offset: offset, Err: err})
}

// index is that of hit number n.
func (u *unit) index(n int) uint64 {
	v, _ := record.ParseUnchecked(u.buf[u.hits[n].at:])
	return v.Index
}

// drop leaves out the hits before an index.
func (u *unit) drop(before uint64) {
	n := 0
	for n < len(u.hits) && u.index(n) < before {
		n++
	}
	u.hits = u.hits[n:]
}

// give decodes the hits one after the other into r and hands them on. False is the end of the search.
func (u *unit) give(r *record.Record, most int, yield Yield) (given int, goOn bool) {
	hits := u.hits[:min(most, len(u.hits))]
	if yield == nil {
		return len(hits), true
	}
	for _, h := range hits {
		v, err := record.ParseUnchecked(u.buf[h.at:])
		if err == nil {
			err = v.Decode(r)
		}
		if err != nil {
			u.damage(int64(u.block.Offset)+int64(h.from), fmt.Errorf("record %d: %w", v.Index, err))
			continue
		}
		given++
		if !yield(r, u.types) {
			return given, false
		}
	}
	return given, true
}

// keep takes a record that came from elsewhere when it matches.
func (u *unit) keep(g *grepper, h *record.Head, payload []byte) {
	if !u.match.head(h) || record.HeadBytes+len(payload) > record.MaxBytes {
		return
	}
	at := len(u.buf)
	u.buf = record.Append(slices.Grow(u.buf, record.HeadBytes+len(payload)), h, payload)
	u.records++
	hits := len(u.hits)
	if v, err := record.ParseUnchecked(u.buf[at:]); err == nil {
		u.look(g, v, at, -1)
	}
	if len(u.hits) == hits {
		u.buf = u.buf[:at]
	}
}

// aim makes the unit read a block.
func (u *unit) aim(s *segment.Segment, b segment.Block) {
	u.segment, u.block = s, b
	u.passed = b.End()
}

// place adds a record of the block by its posting.
func (u *unit) place(p *segment.Posting) {
	u.spots = append(u.spots, spot{index: p.Index, at: p.Offset - u.block.Offset, from: p.Offset})
}

// copy adds a record by the copy in its posting.
func (u *unit) copy(p *segment.Posting) {
	u.spots = append(u.spots, spot{index: p.Index, at: uint32(len(u.buf)), from: p.Offset})
	u.buf = append(u.buf, p.Copy...)
	u.passed = p.Index + 1
}
