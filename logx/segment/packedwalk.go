package segment

import "fmt"

// packedGroup gives the blocks that are left of a group of the packed index.
func (q *query) packedGroup(x *packedIndex) error {
	number := q.number / groupBlocks
	g := &x.groups[number]
	end := number*groupBlocks + x.count(number)
	if q.want.Session != 0 {
		maybe, err := q.packedMaybe(g)
		if err != nil {
			return err
		}
		if !maybe {
			q.number = end
			return nil
		}
	}
	entries, filters, err := q.readGroup(g)
	if err != nil {
		return err
	}
	u := x.unpacker(number, entries)
	for u.last.number < end && !q.done {
		e, at, err := u.next()
		if err == nil && !x.fits(&e, at) {
			err = fmt.Errorf("%w: block %d of the index does not fit", ErrCorrupt, e.number)
		}
		if err != nil {
			return err
		}
		if e.number >= q.number {
			if q.want.Session != 0 && !e.hides(q.hash) {
				e.Block.needle, e.Block.sum = uint8(e.needle), e.sum
			}
			q.offer(&e.Block, q.want.Session == 0 || q.asker.block(filters, at, &e))
			q.number++
		}
	}
	return nil
}

// fits tells whether a block ends where the directory says that its group ends, or before, and whether its filter, which
// stands at a place of its part, does.
func (x *packedIndex) fits(e *packedEntry, at int) bool {
	group := e.number / groupBlocks
	end := x.last()
	if group+1 < len(x.groups) {
		next := &x.groups[group+1]
		end.First, end.Offset = x.base+uint64(next.first), next.offset
	}
	whole := e.End() == end.First && e.end() == int64(end.Offset)
	if e.number+1 == min((group+1)*groupBlocks, x.blocks) {
		return whole && at+e.filterBytes() == int(x.groups[group].parts[partFilters].length)
	}
	return e.End() < end.First && e.end() < int64(end.Offset) && at+e.filterBytes() <= int(x.groups[group].parts[partFilters].length)
}

// packedMaybe asks the filter of a group. A damaged one says "maybe".
func (q *query) packedMaybe(g *packedGroup) (bool, error) {
	p := g.parts[partFilter]
	b, err := q.read(g.at, int(p.length))
	if err != nil {
		return true, err
	}
	return !p.holds(b) || q.asker.group(b[:cap(b)], len(b)), nil
}

// readGroup reads the entries of a group and, if they will be asked, the filters of its blocks, with what lies behind them.
func (q *query) readGroup(g *packedGroup) (entries, filters []byte, err error) {
	p, f := g.parts[partEntries], g.parts[partFilters]
	size := int(p.length)
	if q.want.Session != 0 {
		size += int(f.length)
	}
	b, err := q.read(g.at+int64(g.parts[partFilter].length), size)
	if err != nil {
		return nil, nil, err
	}
	entries, filters = b[:p.length], b[p.length:]
	if !p.holds(entries) || q.want.Session != 0 && !f.holds(filters) {
		return nil, nil, fmt.Errorf("%w: checksum of group %d of the index", ErrCorrupt, q.number/groupBlocks)
	}
	return entries, filters[:cap(filters)], nil
}

// unpacker reads the entries of a group.
func (x *packedIndex) unpacker(group int, entries []byte) unpacker {
	g := &x.groups[group]
	return unpacker{entries: entries, last: packedEntry{Block: Block{
		First: x.base + uint64(g.first), Offset: g.offset, number: group * groupBlocks,
	}}}
}
