package segment

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"sync"

	"vitrine/logx/record"
)

// errUnborn says that a segment has a file and no header in it yet: it has no records.
var errUnborn = fmt.Errorf("%w header: cut", ErrCorrupt)

// blockIndex is where the entries of finished blocks are: the .idx file, or the bytes of its first form made from the data.
type blockIndex struct {
	bytes  io.ReaderAt  // nil when there are no entries
	n      int          // entries
	full   int          // groups with a filter, in the first form
	packed *packedIndex // nil in the first form
}

// content is a segment whose files are open.
type content struct {
	data  data          // fixed
	files []readFile    // fixed
	head  header        // fixed
	types *record.Types // fixed
	idx   readFile      // fixed: nil when there was none

	mu     sync.Mutex
	index  blockIndex // guarded by mu
	tail   tail       // guarded by mu: what follows the blocks of the index
	sealed bool       // guarded by mu
	foot   footer     // guarded by mu: once sealed
	broken error      // guarded by mu: what ended the walk of a sealed segment whose index had to be made again
}

// openContent opens the files of a segment. The error wraps ErrRemoved when there are none.
func openContent(d *Dir, base uint64) (*content, error) {
	c := &content{}
	err := c.openData(d, base)
	if err == nil {
		err = c.readHead(base)
	}
	if err == nil {
		err = c.openIndex(d, base)
	}
	if err != nil {
		c.close()
		return nil, fmt.Errorf("open segment %d in %q: %w", base, d.path, err)
	}
	return c, nil
}

// openData opens the one form of the data or the other. A .log that is gone was compressed or removed: the .zst was in
// place before.
func (c *content) openData(d *Dir, base uint64) error {
	f, err := os.Open(d.name(base, suffixLog))
	if err == nil {
		c.data, c.files = plain{f}, append(c.files, f)
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err = os.Open(d.name(base, suffixZstd))
	if errors.Is(err, fs.ErrNotExist) {
		return ErrRemoved
	}
	if err != nil {
		return err
	}
	c.files = append(c.files, f)
	c.data, err = newZipped(f, &d.inflaters)
	return err
}

// readHead reads header and footer.
func (c *content) readHead(base uint64) error {
	b, err := c.data.head()
	if err != nil {
		return err
	}
	if c.head, err = parseHeader(b); err != nil {
		if !c.data.framed() && begun(b) {
			return errUnborn
		}
		return err
	}
	if c.head.base != base {
		return fmt.Errorf("%w header: base %d is not that of the name", ErrCorrupt, c.head.base)
	}
	if c.types, err = record.NewTypes(c.head.custom...); err != nil {
		return fmt.Errorf("%w header: %w", ErrCorrupt, err)
	}
	b, at, err := c.data.foot()
	if err != nil {
		return err
	}
	c.foot, c.sealed = parseFooter(b, at)
	if c.sealed && (c.foot.count > c.foot.offset/record.HeadBytes || c.foot.last+1-base != c.foot.count) {
		return fmt.Errorf("%w footer: %d records to record %d", ErrCorrupt, c.foot.count, c.foot.last)
	}
	if !c.sealed && c.data.framed() {
		return fmt.Errorf("%w: compressed without a footer", ErrCorrupt)
	}
	return nil
}

// begun tells whether b is the whole of a file in which its writer has not finished the header yet.
func begun(b []byte) bool {
	return len(b) < headerBytes || int64(len(b)) < int64(order.Uint32(b[8:])) && len(b) < MaxHeaderBytes
}

// openIndex opens the .idx file. One that is missing or damaged is no error: the index is made from the data.
func (c *content) openIndex(d *Dir, base uint64) error {
	f, err := os.Open(d.name(base, suffixIndex))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return c.remake()
	case err != nil:
		return err
	}
	c.files, c.idx = append(c.files, f), f
	err = c.reindex()
	if errors.Is(err, ErrCorrupt) {
		return c.remake()
	}
	return err
}

// reindex takes the index as the file has it now.
func (c *content) reindex() error {
	info, err := c.idx.Stat()
	if err != nil {
		return err
	}
	x, err := newBlockIndex(c.idx, info.Size(), &c.head)
	if err != nil {
		return err
	}
	return c.use(x)
}

// newBlockIndex takes an index of either form after it has seen that its header is that of the segment.
func newBlockIndex(b io.ReaderAt, size int64, h *header) (x blockIndex, err error) {
	packed, err := isPacked(b)
	if err != nil {
		return x, err
	}
	x.bytes = b
	if packed {
		if x.packed, err = openPacked(b, size, h.store, h.base); err == nil {
			x.n = x.packed.blocks
		}
		return x, err
	}
	var head [indexHeaderBytes]byte
	if _, err := b.ReadAt(head[:], 0); err != nil {
		return x, cut(err)
	}
	x.n, x.full = countEntries(min(size, maxIndexBytes))
	return x, checkIndexHeader(head[:], h.store, h.base)
}

// isPacked tells whether an index has the packed form.
func isPacked(b io.ReaderAt) (bool, error) {
	var magic [len(packedMagic)]byte
	_, err := b.ReadAt(magic[:], 0)
	return string(magic[:]) == packedMagic, cut(err)
}

// filterOffset is where the filter of a group stands.
func (x *blockIndex) filterOffset(group int) int64 {
	if group == x.n/groupBlocks {
		return entryOffset(x.n)
	}
	return filterOffset(group)
}

// use takes an index after it has seen that it covers a sealed segment. The last entries of an unsealed one may be half
// written: they are left to the tail.
func (c *content) use(x blockIndex) error {
	last, err := x.last(c)
	if err != nil {
		return err
	}
	if c.sealed && (last.end() != int64(c.foot.offset) || last.End() != c.foot.last+1) {
		return fmt.Errorf("%w: the index ends with record %d, not %d", ErrCorrupt, last.End()-1, c.foot.last)
	}
	c.index = x
	c.tail = newTail(c, &last, x.n)
	return nil
}

// last gives the last entry that is whole. Without entries it is an empty block where the data begin.
func (x *blockIndex) last(c *content) (Block, error) {
	if x.packed != nil {
		if !c.sealed {
			return Block{}, fmt.Errorf("%w: packed index of a segment that is not sealed", ErrCorrupt)
		}
		return x.packed.last(), nil
	}
	for torn := 0; x.n > 0; torn++ {
		b, err := x.block(x.n - 1)
		if err == nil && !c.sealed {
			err = c.reaches(&b)
		}
		if err == nil || !errors.Is(err, ErrCorrupt) || c.sealed || torn == groupBlocks {
			return b, err
		}
		x.n--
		x.full = min(x.full, x.n/groupBlocks)
	}
	return Block{First: c.head.base, Offset: uint32(c.head.size)}, nil
}

// reaches fails when the data end before a block does: they were cut after the index was written.
func (c *content) reaches(b *Block) error {
	var one [1]byte
	_, err := c.data.run(b.number, b.end()-1, one[:])
	return cut(err)
}

// blocks gives those of all blocks that can be read, and their numbers.
func (x *blockIndex) blocks() iter.Seq2[int, Block] {
	return func(yield func(int, Block) bool) {
		for i := 0; i < x.n; i++ {
			if x.packed != nil {
				if !x.packed.blocksOf(x.bytes, i/groupBlocks, yield) {
					return
				}
				i |= groupBlocks - 1
			} else if b, err := x.block(i); err == nil && !yield(i, b) {
				return
			}
		}
	}
}

// block reads one entry of the first form.
func (x *blockIndex) block(number int) (Block, error) {
	var p [entryBytes]byte
	if _, err := x.bytes.ReadAt(p[:], entryOffset(number)); err != nil {
		return Block{}, cut(err)
	}
	b, _, err := parseEntry(p[:], number)
	return b, err
}

// remake makes the index of a segment from its data. What an unsealed segment has is its tail.
func (c *content) remake() error {
	none := Block{First: c.head.base, Offset: uint32(c.head.size)}
	c.index, c.tail = blockIndex{}, newTail(c, &none, 0)
	if !c.sealed {
		return nil
	}
	x, err := indexAll(c)
	if err != nil && !errors.Is(err, ErrCorrupt) {
		return err
	}
	c.broken = err
	c.index = blockIndex{bytes: bytes.NewReader(x.idx)}
	c.index.n, c.index.full = countEntries(int64(len(x.idx)))
	end := Block{First: x.next, Offset: x.block.Offset}
	c.tail = newTail(c, &end, c.index.n)
	return nil
}

// indexAll walks a segment and gives the indexer that has seen all of it, without its postings. An error that wraps
// ErrCorrupt says where the walk ended; the indexer knows what is before.
func indexAll(c *content) (*indexer, error) {
	x := newIndexer(c.head.store, c.head.base, c.head.size)
	w := walker{data: c.data, offset: int64(c.head.size), next: c.head.base}
	err := w.all(func(h *record.Head, raw []byte) {
		x.add(h, raw)
		x.warn = x.warn[:0]
	})
	x.seal()
	if err == nil && (!w.sealed || w.footer != c.foot || w.next != c.foot.last+1) {
		err = fmt.Errorf("%w: the data end with record %d, the footer with %d", ErrCorrupt, w.next-1, c.foot.last)
	}
	return x, err
}

func (c *content) close() error {
	var errs []error
	for _, f := range c.files {
		errs = append(errs, f.Close())
	}
	return errors.Join(errs...)
}
