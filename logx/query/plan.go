package query

import (
	"errors"
	"iter"
	"math"
	"slices"

	"vitrine/logx/record"
	"vitrine/logx/segment"
)

// planner cuts the segments of a snapshot into units. Owned by the planning goroutine of a pipe, and by the search when
// that has ended.
type planner struct {
	q        *Query
	snap     *snapshot
	segments int // opened
	units    int // planned
}

// Copies of records in postings make a unit when they are so many, or so many bytes.
const (
	maxCopies    = 256
	maxCopyBytes = segment.BlockBytes
)

// task is the part of a segment that a search wants.
type task struct {
	segment *segment.Segment
	types   *record.Types
	match   matcher
}

// forward plans the segments in order, each from where the one before it ended, so that no index is given twice.
func (p *planner) forward(out *pipe) {
	from := p.q.From
	for _, s := range p.snap.segments {
		if !p.plan(out, p.task(s, from, p.snap.end)) {
			return
		}
		from = max(from, s.End())
	}
}

// backward plans the blocks of the segments from the last to the first.
func (p *planner) backward(out *pipe) {
	to := p.snap.end
	for _, s := range slices.Backward(p.snap.segments) {
		t := p.task(s, p.q.From, to)
		to = s.Base()
		var blocks []segment.Block
		for b, err := range s.Blocks(t.want()) {
			if err == nil {
				blocks = append(blocks, b)
			}
		}
		for _, b := range slices.Backward(blocks) {
			if !p.block(out, t, b, nil) {
				return
			}
		}
	}
}

// task says what is wanted of the indexes from..to of a segment.
func (p *planner) task(s *segment.Segment, from, to uint64) task {
	t := task{segment: s, types: s.Types()}
	t.match = p.q.matcher(t.types)
	t.match.from = max(t.match.from, from)
	if t.match.to == 0 || t.match.to > to {
		t.match.to = to
	}
	return t
}

// want is what the segment needs to know to leave blocks out.
func (t *task) want() segment.Want {
	m := &t.match
	w := segment.Want{From: m.from, To: m.to, Since: m.since, Levels: m.levels, Session: m.session}
	if m.until != noUntil {
		w.Until = m.until
	}
	if m.types != math.MaxUint64 {
		w.Types = m.types
	}
	return w
}

// plan plans what may hold a hit; false when the search is over.
func (p *planner) plan(out *pipe, t task) bool {
	p.segments++
	switch err := t.segment.Load(); {
	case err != nil:
		return p.block(out, t, segment.Block{}, err)
	case t.empty():
		return true
	case p.q.MinLevel >= record.Warn && t.match.session == 0:
		return p.postings(out, t)
	}
	for b, err := range t.segment.Blocks(t.want()) {
		if !p.block(out, t, b, err) {
			return false
		}
	}
	return true
}

// empty tells whether the segment cannot hold a hit.
func (t *task) empty() bool {
	m := &t.match
	if m.types == 0 || m.from >= m.to {
		return true
	}
	if m.since == noSince && m.until == noUntil || !t.segment.Sealed() {
		return false
	}
	least, greatest := t.segment.Times()
	return greatest < m.since || least >= m.until
}

// block plans a whole block, or tells of one that cannot be found. A segment that retention has removed is no damage.
func (p *planner) block(out *pipe, t task, b segment.Block, err error) bool {
	if errors.Is(err, segment.ErrRemoved) {
		return true
	}
	u := p.unit(out, t)
	if u == nil {
		return false
	}
	if err != nil {
		u.damage(-1, err)
	} else {
		u.aim(t.segment, b)
	}
	out.send(u)
	return true
}

// unit takes an empty unit for a task, nil when the search is over.
func (p *planner) unit(out *pipe, t task) *unit {
	u := out.take()
	if u == nil {
		return nil
	}
	u.base, u.types, u.match, u.passed = t.segment.Base(), t.types, t.match, t.match.from
	p.units++
	return u
}

// postings plans the records that the segment's postings name: the copies of rare ones without their blocks.
func (p *planner) postings(out *pipe, t task) bool {
	w := t.want()
	next, stop := iter.Pull2(t.segment.Blocks(w))
	defer stop()
	g := gatherer{planner: p, out: out, task: t, next: next}
	for posting, err := range t.segment.Postings(w) {
		goOn := false
		if err == nil {
			goOn = g.add(&posting)
		} else {
			g.flush()
			goOn = p.block(out, t, segment.Block{}, err)
		}
		if !goOn {
			return false
		}
	}
	g.flush()
	return true
}
