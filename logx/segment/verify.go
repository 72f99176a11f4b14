package segment

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"

	"vitrine/logx/record"
)

// MaxProblems bounds the problems a Report lists; the others are counted.
const MaxProblems = 64

// Problem is one thing that is not as its writer left it.
type Problem struct {
	File   string // name in the directory
	Offset int64  // in the file; in a compressed one, in what it was made from
	Err    error  // wraps ErrCorrupt
}

// Report says what Verify found in one segment.
type Report struct {
	First, Last         uint64 // the records that are whole lie between these; 0, 0 when there are none
	Records             uint64 // that are whole
	Lost                uint64 // records that must have been there and cannot be read
	Tombstones          uint64 // records that stand for one whose writer died
	Dropped             uint64 // records that tell of dropped ones
	Blocks              int    // finished ones
	Bytes               int64  // of the .log, uncompressed
	Torn                int64  // bytes behind the last whole record of a segment that is not sealed
	Sealed, Compressed  bool
	NoIndex, NoPostings bool      // the file is not there: readers do without, Rebuild makes it
	Problems            []Problem // the first MaxProblems
	More                int       // problems beyond those
}

// OK tells whether nothing is lost and nothing is wrong. A torn end is in order while nobody has taken the log over.
func (r *Report) OK() bool { return len(r.Problems) == 0 && r.Lost == 0 }

// Verify reads all of the segment: every checksum, that indexes have no gap, and that index, postings and footer are,
// byte for byte, what the records give. It goes on behind damaged data where the index tells of the next block; from
// there on index and postings are not compared. progress, which may be nil, is told how many more bytes were read.
//
// It blocks for as long as reading takes (0.5 GB/s or more from the page cache) or until ctx ends, and holds one block. Several may run at
// once. The error is that of ctx or of reading; what is wrong with the content is in the report.
func (s *Segment) Verify(ctx context.Context, progress func(bytes int64)) (Report, error) {
	v := verifier{segment: s, content: &content{}}
	err := v.run(ctx, progress)
	for _, f := range v.content.files {
		f.Close() // read-only: nothing is lost
	}
	if err != nil {
		return v.report, fmt.Errorf("verify segment %d in %q: %w", s.base, s.dir.path, err)
	}
	return v.report, nil
}

// verifier is one call of Verify.
type verifier struct {
	segment           *Segment
	content           *content // its own: nothing closes it meanwhile
	report            Report
	walker            walker
	index             *indexer
	idx, packed, warn comparison // one of the first two has no file
	minTime, maxTime  int64
}

func (v *verifier) run(ctx context.Context, progress func(int64)) error {
	if ok, err := v.open(); !ok {
		return err
	}
	if progress == nil {
		progress = func(int64) {}
	}
	buf := make([]byte, MaxBlockBytes)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		before := v.walker.offset
		done, err := v.step(buf)
		if err == nil {
			err = v.compare()
		}
		if err != nil {
			return err
		}
		if done {
			return v.end()
		}
		progress(v.walker.offset - before)
	}
}

// step reads on. It is done at the end, and at damage behind which nothing is to be found.
func (v *verifier) step(buf []byte) (done bool, err error) {
	w := &v.walker
	open, next := v.index.block.Count > 0, w.next
	err = w.step(buf, v.add)
	if err == nil && w.next > next && !v.framesFit(open) {
		err = fmt.Errorf("%w: frame %d is not block %d", ErrCorrupt, w.number, w.number-1)
	}
	switch {
	case errors.Is(err, ErrCorrupt):
		v.problem(v.dataName(), w.offset, err)
		return !v.skip(), nil
	case errors.Is(err, io.EOF):
		return true, nil
	}
	return false, err
}

// framesFit tells whether the frame that was read is a block. open tells whether one had begun before it.
func (v *verifier) framesFit(open bool) bool {
	if !v.content.data.framed() || v.idx.off {
		return true
	}
	blocks := v.index.blocks
	if v.index.block.Count > 0 {
		blocks++
	}
	return !open && blocks == v.walker.number
}

// open is not ok when there is nothing to walk over: damaged beyond that, or not begun.
func (v *verifier) open() (ok bool, err error) {
	c, d, base := v.content, v.segment.dir, v.segment.base
	err = c.openData(d, base)
	v.report.Compressed = c.data != nil && c.data.framed()
	if err == nil {
		err = c.readHead(base)
	}
	if errors.Is(err, errUnborn) {
		if err := v.segment.Emptied(); err != nil {
			v.problem(v.dataName(), 0, err)
		}
		return false, nil
	}
	if errors.Is(err, ErrCorrupt) {
		v.problem(v.dataName(), 0, err)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	v.report.Sealed = c.sealed
	v.walker = walker{data: c.data, offset: int64(c.head.size), next: base}
	v.index = newIndexer(c.head.store, base, c.head.size)
	v.minTime, v.maxTime = math.MaxInt64, math.MinInt64
	if err := v.openIndex(d); err != nil {
		return false, err
	}
	v.report.NoPostings, err = v.warn.open(c, d, suffixWarn)
	return err == nil, err
}

// openIndex opens the index. Of the packed form the other one is made all the same: the footer has its checksum.
// Beside a .log, where a crash may leave it, the packed form cannot be compared: it speaks of frames.
func (v *verifier) openIndex(d *Dir) (err error) {
	v.report.NoIndex, err = v.idx.open(v.content, d, suffixIndex)
	if err != nil || v.idx.file == nil || !v.report.Sealed {
		return err
	}
	packed, err := isPacked(v.idx.file)
	if packed {
		v.packed, v.idx = v.idx, comparison{name: v.idx.name}
		v.index.packed = v.content.newPacker()
		v.packed.off = !v.content.data.framed()
	}
	if errors.Is(err, ErrCorrupt) {
		return nil // it is shorter than that: the comparison tells of it
	}
	return err
}

func (v *verifier) dataName() string {
	if v.report.Compressed {
		return fileName(v.segment.base, suffixZstd)
	}
	return fileName(v.segment.base, suffixLog)
}

func (v *verifier) problem(file string, offset int64, err error) {
	if len(v.report.Problems) == MaxProblems {
		v.report.More++
		return
	}
	v.report.Problems = append(v.report.Problems, Problem{File: file, Offset: offset, Err: err})
}

func (v *verifier) add(h *record.Head, raw []byte) {
	v.index.add(h, raw)
	v.minTime, v.maxTime = min(v.minTime, h.Time), max(v.maxTime, h.Time)
	r := &v.report
	if r.Records++; r.Records == 1 {
		r.First = h.Index
	}
	r.Last = h.Index
	if h.Flags&record.FlagTombstone != 0 {
		r.Tombstones++
	}
	if h.Flags&record.FlagDropped != 0 {
		r.Dropped++
	}
}

// skip goes on with the first block behind the damage, if the index knows one.
func (v *verifier) skip() bool {
	v.idx.off, v.packed.off, v.warn.off = true, true, true
	x, w := v.fileIndex(), &v.walker
	for i, b := range x.blocks() {
		if int64(b.Offset) <= w.offset || b.First < w.next {
			continue
		}
		v.report.Lost += b.First - w.next
		w.offset, w.next, w.number = int64(b.Offset), b.First, i
		return true
	}
	return false
}

// fileIndex is the index as the file has it, without blocks when there is none.
func (v *verifier) fileIndex() (x blockIndex) {
	switch h := &v.content.head; {
	case v.packed.file != nil:
		var err error
		if x.packed, err = openPacked(v.packed.file, v.packed.size, h.store, h.base); err == nil {
			x.bytes, x.n = v.packed.file, x.packed.blocks
		}
	case v.idx.file != nil:
		x.bytes = v.idx.file
		x.n, x.full = countEntries(min(v.idx.size, maxIndexBytes))
	}
	return x
}

// compare holds what the records gave since the last call against the files.
func (v *verifier) compare() error {
	err := errors.Join(v.compareOne(&v.idx, &v.index.idx), v.compareOne(&v.warn, &v.index.warn))
	if p := v.index.packed; p != nil {
		err = errors.Join(err, v.compareOne(&v.packed, &p.out))
	}
	return err
}

func (v *verifier) compareOne(m *comparison, want *[]byte) error {
	at, err := m.check(*want)
	*want = (*want)[:0]
	if errors.Is(err, ErrCorrupt) {
		v.problem(m.name, at, err)
		return nil
	}
	return err
}

// end compares what is left, and the footer.
func (v *verifier) end() error {
	w, c, r := &v.walker, v.content, &v.report
	if c.sealed || w.sealed || v.idx.ahead() {
		v.index.seal()
	}
	if err := v.compare(); err != nil {
		return err
	}
	for _, m := range []*comparison{&v.idx, &v.packed, &v.warn} {
		if err := m.leftover(c.sealed); err != nil {
			v.problem(m.name, min(m.size, m.at), err)
		}
	}
	r.Bytes, r.Blocks = w.offset, v.index.blocks
	if !c.sealed {
		return v.endTorn()
	}
	r.Bytes += FooterBytes
	r.Lost += max(c.foot.last+1, w.next) - w.next
	if len(r.Problems) == 0 && !v.footerFits() {
		v.problem(v.dataName(), w.offset, fmt.Errorf("%w: the footer is not that of the records", ErrCorrupt))
	}
	return nil
}

// endTorn counts the bytes behind the last record of a segment that was not sealed when the walk began.
func (v *verifier) endTorn() error {
	info, err := v.content.files[0].Stat()
	if err == nil && !v.walker.sealed {
		v.report.Torn = max(info.Size()-v.walker.offset, 0)
	}
	return err
}

// footerFits tells whether the footer is that of records among which nothing was found wrong.
func (v *verifier) footerFits() bool {
	f := v.content.foot
	return v.walker.sealed && v.walker.footer == f && f.count == v.report.Records &&
		(f.count == 0 || f.minTime == v.minTime && f.maxTime == v.maxTime) &&
		(v.idx.off || v.idx.sum == f.index) && (v.warn.off || v.warn.sum == f.warn)
}
