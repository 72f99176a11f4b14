package segment

import (
	"errors"
	"fmt"
	"iter"
	"sort"
)

// ErrNoRecord is wrapped by the error of Find when the segment has no such record.
var ErrNoRecord = errors.New("no such record")

// Blocks gives the blocks that may hold a record that is wanted, in order. Groups and blocks are left out by what the
// index says of them; the filters of sessions say "maybe" too often, never too rarely. What the index does not have yet
// is found by scanning. An error is the last thing it gives, with an empty block.
func (s *Segment) Blocks(w Want) iter.Seq2[Block, error] {
	return func(yield func(Block, error) bool) {
		buf := s.dir.entries.get()
		defer s.dir.entries.put(buf)
		q := query{segment: s, want: w, hash: mix(w.Session), yield: yield, buf: *buf}
		q.asker.row = newRow(q.hash)
		if err := q.run(); err != nil {
			yield(Block{}, fmt.Errorf("find blocks of segment %d in %q: %w", s.base, s.dir.path, err))
		}
	}
}

// Find gives the block that holds a record. The error wraps ErrNoRecord when the segment does not have it.
func (s *Segment) Find(index uint64) (Block, error) {
	for b, err := range s.Blocks(Want{From: index, To: index + 1}) {
		return b, err
	}
	return Block{}, fmt.Errorf("find record %d in segment %d: %w", index, s.base, ErrNoRecord)
}

// query is one walk over the blocks of a segment. It belongs to one goroutine.
type query struct {
	segment  *Segment
	want     Want
	hash     uint64 // mix of want.Session
	asker    asker  // of want.Session
	yield    func(Block, error) bool
	buf      []byte // for the entries of a group
	snap     snapshot
	number   int   // of the block that is next
	last     Block // the one before it, when it was read
	done     bool
	repaired bool
}

func (q *query) run() error {
	if err := q.look(); err != nil || !q.overlaps() {
		return err
	}
	err := q.seek()
	for err == nil && !q.done && q.number < q.snap.index.n {
		if err = q.group(); errors.Is(err, ErrCorrupt) {
			err = q.repair(err)
		}
	}
	if err != nil {
		return err
	}
	if err := q.tail(); err != nil || q.done {
		return err
	}
	return q.snap.broken
}

func (q *query) look() (err error) {
	q.snap, err = q.segment.look()
	return err
}

// overlaps is false when the segment as a whole has nothing that is wanted.
func (q *query) overlaps() bool {
	w, s := &q.want, &q.snap
	switch {
	case s.next <= w.From, w.To != 0 && w.To <= q.segment.base:
		return false
	case !s.sealed:
		return true
	}
	return s.foot.count > 0 && (w.Since == 0 || s.foot.maxTime >= w.Since) && (w.Until == 0 || s.foot.minTime < w.Until)
}

// repair makes the index again, once: another goroutine may have done it already.
func (q *query) repair(why error) error {
	if q.repaired {
		return why
	}
	q.repaired, q.last = true, Block{}
	old := q.snap.index.bytes
	err := q.segment.with(func(c *content) error {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.index.bytes != old {
			return nil
		}
		c.idx = nil
		return c.remake()
	})
	if err != nil {
		return err
	}
	return q.look()
}

// seek sets number to the block of the first record that is wanted, or to one before it.
func (q *query) seek() error {
	for {
		n := q.snap.index.n
		if q.want.From <= q.segment.base {
			return nil
		}
		if q.want.From >= q.snap.first {
			q.number = n
			return nil
		}
		if x := q.snap.index.packed; x != nil {
			q.number = x.groupOf(q.want.From) * groupBlocks
			return nil
		}
		var failed error
		i := sort.Search(n, func(i int) bool {
			b, err := q.block(i)
			if err != nil {
				failed = err
			}
			return err != nil || b.First > q.want.From
		})
		if failed == nil {
			q.number = max(i-1, 0)
			return nil
		}
		if !errors.Is(failed, ErrCorrupt) {
			return failed
		}
		if err := q.repair(failed); err != nil {
			return err
		}
	}
}

// block reads one entry.
func (q *query) block(number int) (Block, error) {
	p, err := q.read(entryOffset(number), entryBytes)
	if err != nil {
		return Block{}, err
	}
	b, _, err := parseEntry(p, number)
	return b, err
}

// read reads bytes of the index into buf.
func (q *query) read(offset int64, size int) ([]byte, error) {
	p := q.buf[:size]
	err := q.segment.with(func(c *content) error {
		c.mu.Lock()
		x := c.index.bytes
		c.mu.Unlock()
		if x == nil {
			return fmt.Errorf("%w: the index is gone", ErrCorrupt)
		}
		_, err := x.ReadAt(p, offset)
		return cut(err)
	})
	return p, err
}

// group gives the blocks that are left of the group in which number is.
func (q *query) group() error {
	if x := q.snap.index.packed; x != nil {
		return q.packedGroup(x)
	}
	group := q.number / groupBlocks
	end := min((group+1)*groupBlocks, q.snap.index.n)
	maybe, err := q.maybe(group)
	if err != nil {
		return err
	}
	if !maybe {
		q.number = end
		return nil
	}
	p, err := q.read(entryOffset(q.number), (end-q.number)*entryBytes)
	for ; err == nil && q.number < end && !q.done; p = p[entryBytes:] {
		err = q.entry(p)
	}
	return err
}

// maybe asks the filter of a group for the session. A damaged filter says "maybe".
func (q *query) maybe(group int) (bool, error) {
	if q.want.Session == 0 || group >= q.snap.index.full {
		return true, nil
	}
	p, err := q.read(q.snap.index.filterOffset(group), groupFilterSize)
	if err != nil {
		return true, err
	}
	f, err := parseGroupFilter(p)
	return err != nil || f.maybe(q.hash), nil
}

// entry takes the next entry, which is at the front of p.
func (q *query) entry(p []byte) error {
	b, f, err := parseEntry(p, q.number)
	if err == nil {
		err = q.follows(&b)
	}
	if err != nil {
		return err
	}
	q.offer(&b, q.want.Session == 0 || f.maybe(q.hash))
	q.last, q.number = b, q.number+1
	return nil
}

// follows checks that a block begins where the one before it ends, within the data.
func (q *query) follows(b *Block) error {
	switch known := q.last.Count > 0 && q.last.number == b.number-1; {
	case known && (b.First != q.last.End() || b.Offset != uint32(q.last.end())),
		b.number == 0 && b.First != q.segment.base, b.First < q.segment.base,
		b.end() > q.snap.end, b.End() > q.snap.next:
		return fmt.Errorf("%w: block %d of the index does not fit its neighbours", ErrCorrupt, b.number)
	}
	return nil
}

// offer yields the block when it may hold something that is wanted. The caller has asked its filter for the session.
func (q *query) offer(b *Block, maybe bool) {
	w := &q.want
	if w.To != 0 && b.First >= w.To {
		q.done = true
		return
	}
	if maybe && b.matches(w) {
		q.done = !q.yield(*b, nil)
	}
}

// matches tells whether the block may hold a wanted record, sessions aside.
func (b *Block) matches(w *Want) bool {
	return b.End() > w.From && (w.Since == 0 || b.MaxTime >= w.Since) && (w.Until == 0 || b.MinTime < w.Until) &&
		(w.Levels == 0 || b.Levels&w.Levels != 0) && (w.Types == 0 || b.Types&w.Types != 0)
}

// tail gives the blocks behind those of the index.
func (q *query) tail() error {
	s := &q.snap
	skip := max(q.number-s.number, 0)
	for p := s.entries[min(skip*entryBytes, len(s.entries)):]; len(p) > 0 && !q.done; p = p[entryBytes:] {
		q.number = s.number + (len(s.entries)-len(p))/entryBytes
		if err := q.entry(p); err != nil {
			return err
		}
	}
	if s.open.Count > 0 && s.open.number >= q.number && !q.done {
		q.offer(&s.open, q.want.Session == 0 || s.session.maybe(q.hash))
	}
	return nil
}
