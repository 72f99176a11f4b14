package segment

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"

	"vitrine/logx/record"
)

// Readers beside a writer that rotates, compresses and removes see records without a gap, and postings for exactly the
// warnings among them.
func TestReadersBesideAWriter(t *testing.T) {
	const total = 60_000
	dir := t.TempDir()
	lock, err := Lock(OS(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.Close()
	w, _, err := OpenWriter(Config{Dir: dir, SegmentBytes: MinSegmentBytes, Compress: true, KeepSegments: 4}, lock)
	if err != nil {
		t.Fatal(err)
	}
	var written atomic.Uint64
	readers := make(chan error, 2)
	for range cap(readers) {
		go func() { readers <- readAlong(dir, &written, total) }() // ends when all is written and read
	}
	from := newTraffic(30, 50, 100)
	from.errors, from.warns = 100, 60
	for w.Next() <= total {
		h, payload := from.next(w.Next())
		w.Add(&h, payload)
		if h.Index%100 == 0 {
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
			written.Store(w.Written())
		}
	}
	for range cap(readers) {
		if err := <-readers; err != nil {
			t.Error(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	rest := openDir(t, dir).Segments()
	if last := rest[len(rest)-1]; last.End() != total+1 {
		t.Errorf("%d segments end with record %d", len(rest), last.End()-1)
	}
	for _, s := range rest {
		if r := verify(t, s); !r.OK() {
			t.Errorf("segment %d: %+v", s.Base(), r)
		}
	}
}

// readAlong reads a directory again and again until it has all.
func readAlong(dir string, written *atomic.Uint64, total uint64) error {
	d, err := Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	for next := uint64(1); next <= total; {
		due := written.Load()
		if err := d.Refresh(); err != nil {
			return err
		}
		from := next
		for _, s := range d.From(next) {
			if next, err = readOn(s, next); errors.Is(err, ErrRemoved) {
				continue
			}
			if err != nil {
				return err
			}
		}
		if next == from && due >= next && len(d.From(next)) > 0 && d.From(next)[0].Base() <= next {
			return fmt.Errorf("%d records are written, %d seen", due, next-1)
		}
	}
	return nil
}

// readOn reads what a segment has from an index on, and gives the index behind it.
func readOn(s *Segment, next uint64) (uint64, error) {
	next = max(next, s.Base()) // what is between was removed
	var warned []uint64
	first := next
	var buf []byte
	for b, err := range s.Blocks(Want{From: next}) {
		if err != nil {
			return next, err
		}
		if buf, err = s.Read(b, buf); err != nil {
			return next, err
		}
		if err := eachRecord(buf, func(v record.View) {
			if v.Index == next {
				next++
				if v.Level >= record.Warn {
					warned = append(warned, v.Index)
				}
			}
		}); err != nil {
			return next, err
		}
		if next != b.End() {
			return next, fmt.Errorf("block %d..%d leads to record %d", b.First, b.End(), next)
		}
	}
	var posted []uint64
	for p, err := range s.Postings(Want{From: first, To: max(next, 1)}) {
		if err != nil {
			return next, err
		}
		posted = append(posted, p.Index)
	}
	if !slices.Equal(warned, posted) {
		return next, fmt.Errorf("segment %d, records %d..%d: postings %v, want %v", s.Base(), first, next, posted, warned)
	}
	return next, nil
}
