package segment

import (
	"errors"
	"fmt"
	"io"

	"vitrine/logx/record"
)

// tailBlocks is how many blocks a tail may have before the index is looked at again: the writer has entered them.
const tailBlocks = groupBlocks

// tail is what an unsealed segment has behind the last block of its index, found by walking on from there. It belongs
// to its content.
//
//	.idx   | entry 0 | .. | entry n-1 |            (the writer is ahead of it)
//	.log   | block 0 | .. | block n-1 | block n | block n+1 .. | half a record
//	                                  ^ tail: entries          ^ walker
//	                                                  ^ indexer.block, the open one
type tail struct {
	walker  walker
	indexer *indexer
	first   uint64 // index of the tail's first record
	number  int    // of its first block
	entries []byte // of its finished blocks; only appended to, so that a copy of the slice stays valid
	seen    int64  // size of the .log when it was walked to its end
}

// newTail begins behind the last block of an index with n entries.
func newTail(c *content, last *Block, n int) tail {
	x := &indexer{base: c.head.base, blocks: n, block: Block{Offset: uint32(last.end()), number: n}}
	return tail{
		walker:  walker{data: c.data, offset: last.end(), next: last.End()},
		indexer: x, first: last.End(), number: n,
	}
}

// advance walks on to the end of the data. Bytes that are no record end it too: the next call tries them again.
func (t *tail) advance(buf []byte) error {
	for {
		err := t.walker.step(buf, t.add)
		if errors.Is(err, io.EOF) || errors.Is(err, ErrCorrupt) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (t *tail) add(h *record.Head, raw []byte) {
	t.indexer.add(h, raw)
	t.indexer.warn = t.indexer.warn[:0]
	t.take()
}

// take moves a finished entry from the indexer to the tail, without the filter of a group of which the tail may have
// seen a part.
func (t *tail) take() {
	if len(t.indexer.idx) > 0 {
		t.entries = append(t.entries, t.indexer.idx[:entryBytes]...)
		t.indexer.idx = t.indexer.idx[:0]
	}
}

// snapshot is what a segment has at one moment. It never changes.
type snapshot struct {
	index   blockIndex
	sealed  bool
	foot    footer        // when sealed
	first   uint64        // index of the tail's first record: up to here index and postings are complete
	number  int           // of the tail's first block
	entries []byte        // of the tail's finished blocks
	open    Block         // behind them; Count 0 when there is none
	session sessionFilter // of open
	next    uint64        // index after the last record
	end     int64         // offset after it
	broken  error         // what stands there instead of a record, in a sealed segment
}

// look brings an unsealed segment up to date and tells what it has.
func (c *content) look(d *Dir) (snapshot, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.sealed {
		if err := c.follow(&d.buffers); err != nil {
			return snapshot{}, fmt.Errorf("read end of segment %d in %q: %w", c.head.base, d.path, err)
		}
	}
	t := &c.tail
	s := snapshot{
		index: c.index, sealed: c.sealed, foot: c.foot, first: t.first, number: t.number, entries: t.entries,
		open: t.indexer.block, session: t.indexer.session, next: t.walker.next, end: t.walker.offset, broken: c.broken,
	}
	if c.sealed {
		s.next, s.end = c.foot.last+1, int64(c.foot.offset)
	}
	return s, nil
}

// follow walks over what was appended since it was last called, and takes note of the seal.
func (c *content) follow(pool *buffers) error {
	p := c.data.(plain)
	info, err := p.file.Stat()
	if err != nil || info.Size() == c.tail.seen {
		return err
	}
	if c.idx != nil && len(c.tail.entries) >= tailBlocks*entryBytes {
		if err := c.reindex(); err != nil && !errors.Is(err, ErrCorrupt) {
			return err
		}
	}
	buf := pool.get()
	defer pool.put(buf)
	if err := c.tail.advance(*buf); err != nil {
		return err
	}
	if c.tail.walker.offset == info.Size() {
		c.tail.seen = info.Size()
	}
	if w := &c.tail.walker; w.sealed && w.footer.last+1 == w.next {
		c.foot, c.sealed = w.footer, true
		c.tail.indexer.finish()
		c.tail.take()
	}
	return nil
}
