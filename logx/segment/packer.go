package segment

import (
	"math/bits"
	"slices"
)

// What the filters of a packed index may take.
const (
	blockCredit = 2176   // bits for the filter of a block, on the average of a group
	groupCredit = 65_536 // bits for the filter of a full group, but for what rounds it up
	shardRows   = 1024   // sessions of one ribbon of a group's filter, about
	maxShards   = 1 + groupCredit/shardRows
)

// packer turns the blocks of one segment, in order, into the packed form of its index. The compression feeds it from the
// blocks it reads, [Rebuild] and Verify from the records, so all make the same bytes. It belongs to one goroutine and holds
// the sessions of a group: 256 blocks, at most 1821 in each.
type packer struct {
	store uint64
	index packedIndex // of the groups that are closed
	out   []byte      // what the owner has not taken; begins with the file's header

	block  []uint64                // sessions of the open block, by their mixes
	blind  bool                    // the records of the open block cannot be read
	group  []packing               // blocks of the open group
	rows   []row                   // of all of these
	seen   map[uint64]struct{}     // sessions of the open group
	credit int                     // bits that the filters of the group have not used
	frame  func(number int) []byte // the frame of a block, nil when there is none; the owner sets it
	sight  *sight
	ribbon ribbon
	voters []row
	filter []byte // of the blocks
}

// packing is a block that waits for its group.
type packing struct {
	Block
	rows   int // it has so many of the rows
	blind  bool
	needle int // see packedEntry
	sum    uint32
	hidden []byte
}

func newPacker(store, base uint64) *packer {
	return &packer{
		store: store, index: packedIndex{base: base}, out: appendPackedHeader(nil, store, base),
		seen: make(map[uint64]struct{}), sight: &sight{}, frame: func(int) []byte { return nil },
	}
}

// session notes a session of the open block.
func (p *packer) session(hash uint64) {
	if n := len(p.block); n == 0 || p.block[n-1] != hash {
		p.block = append(p.block, hash)
	}
}

// add ends a block.
func (p *packer) add(b *Block) {
	slices.Sort(p.block)
	p.block = slices.Compact(p.block)
	for _, hash := range p.block {
		p.seen[hash] = struct{}{}
		p.rows = append(p.rows, newRow(hash))
	}
	g := packing{Block: *b, rows: len(p.block), blind: p.blind}
	if frame := p.frame(b.number); frame != nil && !p.blind {
		g.sum = sum(frame)
		g.needle, g.hidden = p.sight.look(nil, p.rows[len(p.rows)-g.rows:], frame)
	}
	p.group = append(p.group, g)
	p.block, p.blind = p.block[:0], false
	if len(p.group) == groupBlocks {
		p.closeGroup()
	}
}

// seal ends the file.
func (p *packer) seal() {
	if len(p.group) > 0 {
		p.closeGroup()
	}
	p.out = p.index.appendEnd(p.out, appendPackedHeader(nil, p.store, p.index.base))
}

// closeGroup appends the group and its entry of the directory.
func (p *packer) closeGroup() {
	p.poll()
	first, last := p.group[0].Block, packedEntry{}
	filterAt := len(p.out)
	p.out = p.appendGroupFilter(p.out)
	entriesAt := len(p.out)
	p.credit, p.filter = 0, p.filter[:0]
	rest := p.rows
	for i := range p.group {
		g := &p.group[i]
		e := packedEntry{Block: g.Block, needle: g.needle, sum: g.sum, hidden: g.hidden}
		e.columns, e.solutions = p.solve(g, rest[:g.rows])
		p.out = e.append(p.out, &last)
		rest, last = rest[g.rows:], e
	}
	filtersAt := len(p.out)
	p.out = append(p.out, p.filter...)
	x := &p.index
	x.groups = append(x.groups, packedGroup{first: uint32(first.First - x.base), offset: first.Offset, parts: [groupParts]part{
		partOf(p.out[filterAt:entriesAt]), partOf(p.out[entriesAt:filtersAt]), partOf(p.out[filtersAt:]),
	}})
	x.blocks += len(p.group)
	x.records, x.end = uint32(last.End()-x.base), uint32(last.end())
	p.group, p.rows = p.group[:0], p.rows[:0]
	clear(p.seen)
}

// poll makes the sessions of the group the voters of its filters, in the order of their mixes.
func (p *packer) poll() {
	p.voters = p.voters[:0]
	for hash := range p.seen {
		p.voters = append(p.voters, newRow(hash))
	}
	slices.SortFunc(p.voters, func(a, b row) int {
		if a.hash < b.hash {
			return -1
		}
		return 1
	})
}

// solve appends the filter of a block and tells its size. Each block adds to what its group may spend: with few sessions it
// keeps as many solutions as there may be, and what it does not use, up to the worth of a block, is left to the next. A
// filter that cannot be is empty and passes everybody: no solutions. Without sessions it passes nobody: no columns.
func (p *packer) solve(g *packing, rows []row) (columns, solutions int) {
	p.credit += blockCredit
	if g.needle > 0 {
		p.credit -= 8 * (5 + len(g.hidden))
	}
	switch {
	case g.blind:
		return 1, 0
	case len(rows) == 0:
		return 0, 0
	}
	solutions = min(maxSolutions, p.credit/(len(rows)+ribbonSpare))
	if solutions <= 0 || !p.ribbon.solve(rows, solutions) {
		return 1, 0
	}
	columns = p.ribbon.columns
	p.credit = min(p.credit-columns*solutions, blockCredit)
	p.filter = p.ribbon.appendFilter(p.filter, p.voters, solutions)
	return columns, solutions
}

// appendGroupFilter appends the filter of all sessions of the group: a ribbon for each range of the mixes, of about 1024.
// With too many for its part of groupCredit, or a block that cannot be read, it is empty.
func (p *packer) appendGroupFilter(dst []byte) []byte {
	n := len(p.voters)
	solutions := min(maxSolutions, groupCredit*len(p.group)/groupBlocks/max(n, 1))
	if solutions == 0 || n == 0 || slices.ContainsFunc(p.group, func(g packing) bool { return g.blind }) {
		return dst
	}
	shards := 1 + n/shardRows
	at := len(dst)
	dst = append(dst, byte(solutions), byte(shards))
	dst = append(dst, make([]byte, 2*shards)...)
	rest := p.voters
	for i := range shards {
		var rows []row
		rows, rest = shard(rest, i, shards)
		if !p.ribbon.solve(rows, solutions) {
			return dst[:at]
		}
		order.PutUint16(dst[at+2+2*i:], uint16(p.ribbon.columns))
		dst = p.ribbon.appendFilter(dst, nil, solutions)
	}
	return dst
}

// shard takes the rows of a range of the mixes, made to spread over their part, off the front.
func shard(all []row, i, shards int) (rows, rest []row) {
	for len(all) > 0 {
		r := all[0]
		high, low := bits.Mul64(r.hash, uint64(shards))
		if int(high) != i {
			break
		}
		r.hash = low
		rows, all = append(rows, r), all[1:]
	}
	return rows, all
}
