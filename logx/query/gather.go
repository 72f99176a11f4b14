package query

import "vitrine/logx/segment"

// gatherer makes units of postings, which come in the order of their indexes: one of as many copies as stand in a row, or
// one of a block with the places in it. Owned by the planning goroutine.
type gatherer struct {
	planner *planner
	out     *pipe
	task    task
	next    func() (segment.Block, error, bool) // the blocks that may hold a hit
	block   segment.Block                       // the last of them that was asked for
	unit    *unit                               // being filled
}

// add takes a posting; false when the search is over.
func (g *gatherer) add(p *segment.Posting) bool {
	switch u := g.unit; {
	case u != nil && u.segment != nil && p.Index < u.block.End():
		u.place(p)
		return true
	case p.Copy == nil:
		g.flush()
		return g.open(p)
	case u != nil && (u.segment != nil || len(u.spots) == maxCopies || len(u.buf) >= maxCopyBytes):
		g.flush()
	}
	if g.unit == nil {
		g.unit = g.planner.unit(g.out, g.task)
	}
	if g.unit == nil {
		return false
	}
	g.unit.copy(p)
	return true
}

// open begins a unit of the block that holds the posting's record. There is none when the block has nothing of the times
// that are wanted: postings do not know times.
func (g *gatherer) open(p *segment.Posting) bool {
	for g.block.End() <= p.Index {
		b, err, ok := g.next()
		if err != nil {
			return g.planner.block(g.out, g.task, b, err)
		}
		if !ok {
			return true
		}
		g.block = b
	}
	if g.block.First > p.Index {
		return true
	}
	if g.unit = g.planner.unit(g.out, g.task); g.unit == nil {
		return false
	}
	g.unit.aim(g.task.segment, g.block)
	g.unit.place(p)
	return true
}

// flush sends the unit being filled.
func (g *gatherer) flush() {
	if g.unit != nil {
		g.out.send(g.unit)
		g.unit = nil
	}
}
