package segment

import (
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"iter"
	"os"

	"vitrine/logx/record"
)

// Postings gives what is known of each record of at least WARN whose index, level and type are wanted, in order. Time
// and session are for the caller to check, in the record. A posting's Copy is valid until the next one. Where the
// postings file is missing, damaged or may be behind the data, the blocks that have such records are scanned, and Copy is
// never nil: behind the last posting of a segment that is not sealed, one more block as a rule. An error that
// wraps ErrCorrupt, with an empty posting, tells of a block that cannot be read; what is behind it follows.
func (s *Segment) Postings(w Want) iter.Seq2[Posting, error] {
	return func(yield func(Posting, error) bool) {
		if w.Levels == 0 {
			w.Levels = record.AtLeast(postingLevel)
		}
		w.Levels &= record.AtLeast(postingLevel)
		q := postingQuery{segment: s, want: w, yield: yield}
		if err := q.run(); err != nil {
			yield(Posting{}, fmt.Errorf("find postings of segment %d in %q: %w", s.base, s.dir.path, err))
		}
	}
}

// postingQuery is one walk over the postings of a segment. It belongs to one goroutine.
type postingQuery struct {
	segment *Segment
	want    Want
	yield   func(Posting, error) bool
	snap    snapshot
	next    uint64 // records before this one were seen
	offset  int64  // where the last one was
	done    bool
}

func (q *postingQuery) run() (err error) {
	if q.snap, err = q.segment.look(); err != nil || q.want.Levels == 0 {
		return err
	}
	q.next = q.segment.base
	if err := q.file(); err != nil || q.done || q.next >= q.snap.next {
		return err
	}
	return q.scan()
}

// file gives what the postings file has of the records before the tail. It is complete up to the last posting it has, and
// for all of a sealed segment.
func (q *postingQuery) file() error {
	f, err := os.Open(q.segment.dir.name(q.segment.base, suffixWarn))
	if err != nil {
		return nil // the data know it all
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || info.Size() > maxWarnBytes {
		return err
	}
	end := q.snap.first
	buf := q.segment.dir.buffers.get()
	defer q.segment.dir.buffers.put(buf)
	if q.snap.sealed {
		if got, err := sumAll(f, *buf); err != nil || got != q.snap.foot.warn {
			return err
		}
		end = q.snap.next
	}
	head := (*buf)[:warnHeaderBytes]
	if _, err := f.ReadAt(head, 0); err != nil || checkWarnHeader(head, q.segment.Store(), q.segment.base) != nil {
		return nil
	}
	whole, err := q.entries(f, *buf, end)
	if whole && q.snap.sealed {
		q.next = end // nothing but the checksum says that a file which ends before that has all
	}
	return err
}

// sumAll is the checksum of a whole file.
func sumAll(r io.ReaderAt, buf []byte) (uint32, error) {
	var crc uint32
	for offset := int64(0); ; {
		n, err := r.ReadAt(buf, offset)
		crc = crc32.Update(crc, castagnoli, buf[:n])
		offset += int64(n)
		if errors.Is(err, io.EOF) {
			return crc, nil
		}
		if err != nil {
			return crc, err
		}
	}
}

// entries gives the entries of the file up to record end. It tells whether it has come so far without damage.
func (q *postingQuery) entries(r io.ReaderAt, buf []byte, end uint64) (whole bool, err error) {
	for offset := int64(warnHeaderBytes); ; {
		n, err := r.ReadAt(buf, offset)
		if err != nil && !errors.Is(err, io.EOF) {
			return false, err
		}
		used, ok := q.parse(buf[:n], end)
		offset += int64(used)
		switch {
		case !ok || q.done:
			return false, nil
		case used == 0 || q.next >= end:
			return true, nil
		}
	}
}

// parse gives the whole entries at the front of b and counts their bytes. It is not ok with one that cannot be.
func (q *postingQuery) parse(b []byte, end uint64) (used int, ok bool) {
	for !q.done && q.next < end {
		size := postingSize(b[used:])
		if size == 0 {
			break
		}
		p, err := parsePosting(b[used:used+size], q.segment.base)
		if err != nil || p.Index < q.next || int64(p.Offset) < q.offset || int64(p.Offset) >= q.snap.end {
			return used, false
		}
		if p.Index >= end {
			q.next = end
			break
		}
		used += size
		q.next, q.offset = p.Index+1, int64(p.Offset)+record.HeadBytes
		q.offer(&p)
	}
	return used, true
}

func (q *postingQuery) offer(p *Posting) {
	w := &q.want
	if w.To != 0 && p.Index >= w.To {
		q.done = true
		return
	}
	if p.Index >= w.From && w.Levels.Has(p.Level) && (w.Types == 0 || w.Types>>p.Type&1 != 0) {
		q.done = !q.yield(*p, nil)
	}
}

// scan finds in the blocks what the postings do not have.
func (q *postingQuery) scan() error {
	w := q.want
	w.From, w.Session = max(w.From, q.next), 0
	buf := q.segment.dir.buffers.get()
	defer q.segment.dir.buffers.put(buf)
	for b, err := range q.segment.Blocks(w) {
		if err != nil {
			return err
		}
		records, err := q.segment.Read(b, *buf)
		if err == nil {
			err = q.records(&b, records)
		}
		if err != nil && (!errors.Is(err, ErrCorrupt) || !q.yield(Posting{}, err)) {
			q.done = true
		}
		if q.done {
			break
		}
	}
	return nil
}

// records gives the records of a block that have no posting yet.
func (q *postingQuery) records(b *Block, records []byte) error {
	for offset := b.Offset; len(records) > 0 && !q.done; {
		v, err := record.ParseUnchecked(records)
		if err != nil {
			return fmt.Errorf("%w: no record at byte %d of segment %d", ErrCorrupt, offset, q.segment.base)
		}
		if v.Level >= postingLevel && v.Index >= q.next {
			q.offer(&Posting{Index: v.Index, Offset: offset, Level: v.Level, Type: v.Type, Copy: records[:v.Size()]})
		}
		records = records[v.Size():]
		offset += uint32(v.Size())
	}
	return nil
}

// Fetcher reads the records that postings point at. It keeps the last block it decoded, so that records near each other
// cost one. It belongs to one goroutine; the zero value is ready.
type Fetcher struct {
	segment *Segment // of block
	block   Block
	bytes   []byte // records of block
	buf     []byte // for one record
}

// Fetch gives the bytes of the record a posting of s points at, checked. They are valid until the next call, or as long
// as the posting's Copy. The error wraps ErrCorrupt when there is no such record.
func (f *Fetcher) Fetch(s *Segment, p Posting) ([]byte, error) {
	b, err := f.find(s, p)
	if err == nil {
		var v record.View
		if v, err = record.Parse(b); err == nil && v.Index == p.Index {
			return b[:v.Size()], nil
		}
		err = fmt.Errorf("%w: no such record there", ErrCorrupt)
	}
	return nil, fmt.Errorf("read record %d at byte %d of segment %d: %w", p.Index, p.Offset, s.base, err)
}

// find gives bytes at whose front the record should be.
func (f *Fetcher) find(s *Segment, p Posting) ([]byte, error) {
	if p.Copy != nil {
		return p.Copy, nil
	}
	if !s.Compressed() {
		return f.direct(s, p.Offset)
	}
	if f.segment != s || p.Index < f.block.First || p.Index >= f.block.End() {
		b, err := s.Find(p.Index)
		if err != nil {
			return nil, err
		}
		f.segment = nil
		if f.bytes, err = s.Read(b, f.bytes); err != nil {
			return nil, err
		}
		f.segment, f.block = s, b
	}
	if p.Offset < f.block.Offset || int(p.Offset-f.block.Offset) >= len(f.bytes) {
		return nil, fmt.Errorf("%w: it is in another block", ErrCorrupt)
	}
	return f.bytes[p.Offset-f.block.Offset:], nil
}

// direct reads one record of an uncompressed segment.
func (f *Fetcher) direct(s *Segment, offset uint32) (b []byte, err error) {
	const most = 1 << 10 // few records are longer
	err = s.with(func(c *content) (err error) {
		f.buf = sized(f.buf, most)
		if b, err = c.data.run(0, int64(offset), f.buf[:most:most]); err != nil || len(b) < 4 {
			return err
		}
		if n := order.Uint32(b); n > most && n <= record.MaxBytes {
			f.buf = sized(f.buf, int(n))
			b, err = c.data.run(0, int64(offset), f.buf[:n:n])
		}
		return err
	})
	return b, cut(err)
}
