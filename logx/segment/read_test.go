package segment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"vitrine/logx/record"
)

const mib = 1 << 20

// shapes are the states in which a reader finds a segment. Each must answer the same.
func TestSegmentAnswersInEveryState(t *testing.T) {
	if poolsForget {
		t.Skip("one goroutine reads many files, which is slow under the race detector and finds nothing there")
	}
	cases := []struct {
		name  string
		seal  bool
		spoil func(t *testing.T, f *fixture)
	}{
		{"sealed", true, nil}, // this one and those with "group" in their name have a full group of blocks
		{"compressed group", true, func(t *testing.T, f *fixture) { f.zip(t) }},
		{"open group", false, nil},
		{"sealed without index", true, func(t *testing.T, f *fixture) { f.remove(t, suffixIndex, suffixWarn) }},
		{"compressed without index", true, func(t *testing.T, f *fixture) { f.zip(t); f.remove(t, suffixIndex, suffixWarn) }},
		{"packed group", true, func(t *testing.T, f *fixture) { f.pack(t) }},
		{"packed group beside a .log", true, func(t *testing.T, f *fixture) { put(t, f.path(suffixIndex), f.packed(t)) }},
		{"packed, not sealed", false, func(t *testing.T, f *fixture) { put(t, f.path(suffixIndex), f.packed(t)) }},
		{"packed group, its filter damaged", true, func(t *testing.T, f *fixture) { f.pack(t).flip(t, suffixIndex, packedHeaderBytes+40) }},
		{"packed group, an entry damaged", true, func(t *testing.T, f *fixture) { f.pack(t).flip(t, suffixIndex, f.partAt(t, partEntries)+40) }},
		{"packed group, a filter damaged", true, func(t *testing.T, f *fixture) { f.pack(t).flip(t, suffixIndex, f.partAt(t, partFilters)+40) }},
		{"packed, its directory damaged", true, func(t *testing.T, f *fixture) { f.pack(t).flip(t, suffixIndex, len(f.packed(t))-trailerBytes-3) }},
		{"packed, short", true, func(t *testing.T, f *fixture) { b := f.packed(t); put(t, f.pack(t).path(suffixIndex), b[:len(b)-9]) }},
		{"open group without index", false, func(t *testing.T, f *fixture) { f.remove(t, suffixIndex, suffixWarn) }},
		{"index behind", false, func(t *testing.T, f *fixture) { put(t, f.path(suffixIndex), f.idx[:entryOffset(20)+100]) }},
		{"index empty", false, func(t *testing.T, f *fixture) { put(t, f.path(suffixIndex), nil) }},
		{"sealed, index short", true, func(t *testing.T, f *fixture) { put(t, f.path(suffixIndex), f.idx[:entryOffset(20)]) }},
		{"sealed, index long", true, func(t *testing.T, f *fixture) { put(t, f.path(suffixIndex), append(f.idx, f.idx...)) }},
		{"index of another segment", true, func(t *testing.T, f *fixture) { f.flip(t, suffixIndex, 16) }},
		{"entry damaged", true, func(t *testing.T, f *fixture) { f.flip(t, suffixIndex, int(entryOffset(30))+60) }},
		{"middle entry damaged", true, func(t *testing.T, f *fixture) {
			f.flip(t, suffixIndex, int(entryOffset(entriesIn(int64(len(f.idx)))/2))+60)
		}},
		{"open, entry damaged", false, func(t *testing.T, f *fixture) { f.flip(t, suffixIndex, int(entryOffset(30))+60) }},
		{"compressed, entry damaged", true, func(t *testing.T, f *fixture) { f.zip(t); f.flip(t, suffixIndex, int(entryOffset(30))+60) }},
		{"last entry damaged", true, func(t *testing.T, f *fixture) { f.flip(t, suffixIndex, len(f.idx)-10) }},
		{"open, last entries damaged", false, func(t *testing.T, f *fixture) {
			f.flip(t, suffixIndex, len(f.idx)-10)
			f.flip(t, suffixIndex, len(f.idx)-10-entryBytes)
		}},
		{"group filter damaged", true, func(t *testing.T, f *fixture) { f.flip(t, suffixIndex, int(filterOffset(0))+1000) }},
		{"entry out of order", true, func(t *testing.T, f *fixture) { f.swap(t, 30, 31) }},
		{"posting damaged", true, func(t *testing.T, f *fixture) { f.flip(t, suffixWarn, len(f.warn)/2) }},
		{"open, posting damaged", false, func(t *testing.T, f *fixture) { f.flip(t, suffixWarn, len(f.warn)/2) }},
		{"postings of another segment", true, func(t *testing.T, f *fixture) { f.flip(t, suffixWarn, 16) }},
		{"postings short", true, func(t *testing.T, f *fixture) { put(t, f.path(suffixWarn), f.warn[:len(f.warn)/2]) }},
		{"postings ahead", false, func(t *testing.T, f *fixture) { put(t, f.path(suffixIndex), f.idx[:entryOffset(20)]) }},
	}
	shapes := map[bool]map[bool]*fixture{}
	for _, seal := range []bool{false, true} {
		shapes[seal] = map[bool]*fixture{
			false: build(t, 5001, 3*mib, newTraffic(1, 30, 250).wide(), seal),
			true:  build(t, 5001, 18*mib, newTraffic(2, 300, 250).wide(), seal),
		}
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f := *shapes[c.seal][c.name == "sealed" || strings.Contains(c.name, "group")]
			f.write(t, t.TempDir())
			if c.spoil != nil {
				c.spoil(t, &f)
			}
			f.holds(t, f.open(t))
		})
	}
}

func (f *fixture) remove(t testing.TB, suffixes ...string) {
	t.Helper()
	for _, suffix := range suffixes {
		if err := os.Remove(f.path(suffix)); err != nil {
			t.Fatal(err)
		}
	}
}

// flip changes a byte of a file.
func (f *fixture) flip(t *testing.T, suffix string, at int) {
	t.Helper()
	b, err := os.ReadFile(f.path(suffix))
	if err != nil {
		t.Fatal(err)
	}
	b[at] ^= 0x40
	put(t, f.path(suffix), b)
}

// swap exchanges two entries of the index.
func (f *fixture) swap(t *testing.T, i, j int) {
	t.Helper()
	b := slices.Clone(f.idx)
	copy(b[entryOffset(i):], f.idx[entryOffset(j):][:entryBytes])
	copy(b[entryOffset(j):], f.idx[entryOffset(i):][:entryBytes])
	put(t, f.path(suffixIndex), b)
}

func TestFindGivesEveryRecord(t *testing.T) {
	f := build(t, 77, 2*mib, newTraffic(3, 50, 100), true).write(t, t.TempDir())
	s := f.open(t)
	for index := f.base; index < f.end(); index += 997 {
		b, err := s.Find(index)
		if err != nil || index < b.First || index >= b.End() {
			t.Fatalf("record %d: block %d..%d %v", index, b.First, b.End(), err)
		}
	}
	for _, index := range []uint64{0, f.base - 1, f.end(), f.end() + 5} {
		if _, err := s.Find(index); !errors.Is(err, ErrNoRecord) {
			t.Errorf("record %d: %v", index, err)
		}
	}
}

func TestSegmentTellsWhatItIs(t *testing.T) {
	for _, seal := range []bool{false, true} {
		f := build(t, 9, 2*mib, newTraffic(4, 50, 100), seal).write(t, t.TempDir())
		s := f.open(t)
		least, greatest := f.heads[0].Time, f.heads[0].Time
		for _, h := range f.heads {
			least, greatest = min(least, h.Time), max(greatest, h.Time)
		}
		if a, b := s.Times(); a != least || b != greatest {
			t.Errorf("times %d %d, want %d %d", a, b, least, greatest)
		}
		if got := s.Types().Name(record.FirstCustom); got != "quest" {
			t.Errorf("type %q, want quest", got)
		}
		if data, index := s.Bytes(); data != int64(len(f.log)) || index != int64(len(f.idx)+len(f.warn)) {
			t.Errorf("bytes %d %d, want %d %d", data, index, len(f.log), len(f.idx)+len(f.warn))
		}
		if s.Compressed() || s.Store() != testStore || s.Stored() != int64(len(f.log)) {
			t.Errorf("compressed %v store %x", s.Compressed(), s.Store())
		}
	}
}

// A reader follows a segment that grows, byte by byte of a record, over the seal, while the index lags behind.
func TestSegmentGrows(t *testing.T) {
	f := build(t, 1, 3*mib, newTraffic(5, 50, 100), true)
	g := *f
	g.log, g.idx, g.warn = nil, nil, nil
	g.write(t, t.TempDir())
	put(t, g.path(suffixLog), nil)
	s := g.open(t)
	if s.End() != 1 || s.Sealed() {
		t.Fatalf("an empty file ends with record %d", s.End())
	}
	blocks := f.blocks(t)
	for i, cut := range []int{10, f.head.size, f.starts[1] - 1, f.starts[1], f.starts[5000] + 7, f.starts[9000], int(f.foot.offset), int(f.foot.offset) + 63, len(f.log)} {
		put(t, g.path(suffixLog), f.log[:cut])
		if i > 4 {
			put(t, g.path(suffixIndex), f.idx[:entryOffset(2*i)])
		}
		whole, _ := slices.BinarySearch(f.starts, cut)
		if cut < int(f.foot.offset) && cut != f.starts[whole] {
			whole--
		}
		whole = max(whole, 0)
		hits, _, err := found(s, Want{})
		if err != nil || len(hits) != whole || s.End() != 1+uint64(whole) || s.Sealed() != (cut == len(f.log)) {
			t.Fatalf("%d bytes: %d records to %d, sealed %v, %v; want %d", cut, len(hits), s.End(), s.Sealed(), err, whole)
		}
	}
	if b, err := s.Find(f.end() - 1); err != nil || b.number != len(blocks)-1 {
		t.Errorf("last block %+v %v", b, err)
	}
}

// The index is taken over as it grows: a tail does not become longer than a group and what came since.
func TestTailGivesWayToTheIndex(t *testing.T) {
	f := build(t, 1, 19*mib, newTraffic(6, 500, 100).wide(), false)
	g := *f
	g.log, g.idx = f.log[:17*mib], nil
	g.write(t, t.TempDir())
	put(t, g.path(suffixIndex), f.idx[:entryOffset(1)])
	s := g.open(t)
	s.End()
	put(t, g.path(suffixLog), f.log)
	put(t, g.path(suffixIndex), f.idx)
	f.dir = g.dir
	f.holds(t, s)
	if got := len(s.content.tail.entries); got != 0 {
		t.Errorf("%d entries in the tail, want none", got/entryBytes)
	}
}

func TestSegmentCompressedAfterListing(t *testing.T) {
	f := build(t, 1, 2*mib, newTraffic(7, 50, 100), true).write(t, t.TempDir())
	s := f.open(t)
	f.zip(t)
	f.holds(t, s)
	if !s.Compressed() {
		t.Error("it is read from a file that is gone")
	}
}

// Files that are open stay readable when they are replaced or removed.
func TestSegmentCompressedWhileOpen(t *testing.T) {
	f := build(t, 1, 2*mib, newTraffic(8, 50, 100), true).write(t, t.TempDir())
	s := f.open(t)
	if err := s.Load(); err != nil {
		t.Fatal(err)
	}
	f.zip(t)
	f.holds(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	f.holds(t, s)
}

func TestSegmentRemovedAfterListing(t *testing.T) {
	f := build(t, 1, mib, newTraffic(9, 50, 100), true).write(t, t.TempDir())
	s := f.open(t)
	f.remove(t, suffixLog, suffixIndex, suffixWarn)
	if err := s.Load(); !errors.Is(err, ErrRemoved) {
		t.Errorf("load: %v", err)
	}
	if _, _, err := found(s, Want{}); !errors.Is(err, ErrRemoved) {
		t.Errorf("blocks: %v", err)
	}
	for _, err := range s.Postings(Want{}) {
		if !errors.Is(err, ErrRemoved) {
			t.Errorf("postings: %v", err)
		}
	}
	if _, err := s.Read(Block{First: 1, Count: 1, Offset: 48, Length: 60}, nil); !errors.Is(err, ErrRemoved) {
		t.Errorf("read: %v", err)
	}
	if _, err := s.Verify(context.Background(), nil); !errors.Is(err, ErrRemoved) {
		t.Errorf("verify: %v", err)
	}
	if s.End() != 1 || s.Sealed() || s.Compressed() || s.Types() != nil {
		t.Error("it tells of a segment that is gone")
	}
	if err := s.dir.Refresh(); err != nil || len(s.dir.Segments()) != 0 {
		t.Errorf("refresh: %d segments %v", len(s.dir.Segments()), err)
	}
}

func TestDirListsSegments(t *testing.T) {
	dir := t.TempDir()
	for _, base := range []uint64{1, 700, 90_000} {
		build(t, base, mib/8, newTraffic(base, 5, 100), true).write(t, dir)
	}
	for _, name := range []string{"LOCK", "x.log", "00000000000000000005.log.tmp", "00000000000000000800.idx", "00000000000000000006.log.zst.tmp"} {
		put(t, dir+"/"+name, []byte("x"))
	}
	d := openDir(t, dir)
	first := d.Segments()[0]
	build(t, 1_000_000, mib/8, newTraffic(1, 5, 100), true).write(t, dir)
	if err := d.Refresh(); err != nil {
		t.Fatal(err)
	}
	if got := bases(d.Segments()); !slices.Equal(got, []uint64{1, 700, 90_000, 1_000_000}) || d.Segments()[0] != first {
		t.Errorf("segments %v", got)
	}
	for index, want := range map[uint64]int{0: 4, 1: 4, 699: 4, 700: 3, 89_999: 3, 90_000: 2, 1_000_001: 1} {
		if got := len(d.From(index)); got != want {
			t.Errorf("from %d: %d segments, want %d", index, got, want)
		}
	}
	if _, err := Open(dir + "/none"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
}

func bases(segments []*Segment) (all []uint64) {
	for _, s := range segments {
		all = append(all, s.Base())
	}
	return all
}

// More segments than may be open are all read, and closing a directory ends everything.
func TestDirBoundsOpenFiles(t *testing.T) {
	dir := t.TempDir()
	small := build(t, 1, 1000, newTraffic(1, 5, 100), true)
	for i := range maxOpen + 10 {
		f := build(t, uint64(1+i*1000), 1000, newTraffic(1, 5, 100), true)
		f.write(t, dir)
	}
	d := openDir(t, dir)
	for range 2 {
		for _, s := range d.Segments() {
			if hits, _, err := found(s, Want{}); err != nil || len(hits) != len(small.heads) {
				t.Fatalf("segment %d: %d records %v", s.Base(), len(hits), err)
			}
		}
	}
	if got := len(d.open); got != maxOpen {
		t.Errorf("%d segments open, want %d", got, maxOpen)
	}
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	if err := d.Segments()[0].Load(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after close: %v", err)
	}
	if err := d.Refresh(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("refresh after close: %v", err)
	}
}

// Readers share a segment while it is closed under them again and again.
func TestSegmentIsSharedByReaders(t *testing.T) {
	for _, compress := range []bool{false, true} {
		f := build(t, 1, 4*mib, newTraffic(10, 50, 100), true).write(t, t.TempDir())
		if compress {
			f.zip(t)
		}
		s := f.open(t)
		errs := make(chan error, 4)
		var readers sync.WaitGroup
		for i := range cap(errs) {
			readers.Go(func() {
				w := Want{Session: f.heads[len(f.heads)*i/4].Session}
				if got, _, err := found(s, w); err != nil || !slices.Equal(got, f.hits(w)) {
					errs <- fmt.Errorf("session %d: %d records: %w", w.Session, len(got), err)
				}
			})
		}
		for range 3 {
			s.Close()
		}
		readers.Wait()
		close(errs)
		for err := range errs {
			t.Error(err)
		}
	}
}

// What another goroutine closes between two steps is opened again.
func TestSegmentOpensAgain(t *testing.T) {
	f := build(t, 1, mib, newTraffic(14, 50, 100), true).write(t, t.TempDir())
	s := f.open(t)
	if err := s.Load(); err != nil {
		t.Fatal(err)
	}
	steps := 0
	for b, err := range s.Blocks(Want{}) {
		if err != nil {
			t.Fatal(err)
		}
		if err := s.content.close(); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Read(b, nil); err != nil {
			t.Errorf("block %d: %v", steps, err)
		}
		steps++
	}
	if err := s.content.close(); err != nil {
		t.Fatal(err)
	}
	f.holds(t, s)
}

// Records that are too long for a copy, and too many, are read where they are.
func TestFetchReadsWhatHasNoCopy(t *testing.T) {
	for _, size := range []int{50, 3000, 200_000} {
		for _, compress := range []bool{false, true} {
			from := newTraffic(15, 50, 100)
			from.message, from.errors = strings.Repeat("m", size), 2
			f := build(t, 1, mib, from, true).write(t, t.TempDir())
			if compress {
				f.zip(t)
			}
			f.holds(t, f.open(t))
		}
	}
}

func TestFetchRefusesWrongPostings(t *testing.T) {
	for _, compress := range []bool{false, true} {
		f := tiny(t, true).write(t, t.TempDir())
		if compress {
			f.zip(t)
		}
		s, at := f.open(t), uint32(f.starts[5])
		var fetcher Fetcher
		for name, p := range map[string]Posting{
			"another record": {Index: f.base + 6, Offset: at}, "no record": {Index: f.base + 5, Offset: at + 1},
			"beyond the end": {Index: f.base + 5, Offset: 1 << 31}, "a copy of nothing": {Index: f.base + 5, Copy: []byte{1}},
		} {
			if _, err := fetcher.Fetch(s, p); !errors.Is(err, ErrCorrupt) {
				t.Errorf("compressed %v, %s: %v", compress, name, err)
			}
		}
		if b, err := fetcher.Fetch(s, Posting{Index: f.base + 5, Offset: at}); err != nil || !bytes.Equal(b, f.record(5)) {
			t.Errorf("compressed %v: %v", compress, err)
		}
	}
}

func TestReadAllocatesNothing(t *testing.T) {
	for _, compress := range []bool{false, true} {
		f := build(t, 1, 2*mib, newTraffic(11, 50, 100), true).write(t, t.TempDir())
		if compress {
			f.zip(t)
		}
		s := f.open(t)
		b, err := s.Find(f.end() / 2)
		if err != nil {
			t.Fatal(err)
		}
		buf := make([]byte, MaxBlockBytes)
		if got := testing.AllocsPerRun(200, func() {
			if _, err := s.Read(b, buf); err != nil {
				t.Fatal(err)
			}
		}); got != 0 && !(compress && poolsForget) {
			t.Errorf("compressed %v: %v allocations", compress, got)
		}
	}
}

// A record is found in damaged data as long as its own block is whole.
func TestReadGivesWhatIsWhole(t *testing.T) {
	f := build(t, 1, 2*mib, newTraffic(12, 50, 100), true).write(t, t.TempDir())
	blocks := f.blocks(t)
	f.flip(t, suffixLog, int(blocks[4].Offset)+40)
	s := f.open(t)
	whole := 0
	for b, err := range s.Blocks(Want{}) {
		if err != nil {
			t.Fatal(err)
		}
		buf, err := s.Read(b, nil)
		if err == nil && eachRecord(buf, func(record.View) {}) == nil {
			whole++
		}
	}
	if whole != len(blocks)-1 {
		t.Errorf("%d of %d blocks are whole, want all but one", whole, len(blocks))
	}
	f.remove(t, suffixIndex)
	hits, _, err := found(f.open(t), Want{})
	if !errors.Is(err, ErrCorrupt) || uint64(len(hits)) != blocks[4].First-1 {
		t.Errorf("without index: %d records %v, want those before the damage", len(hits), err)
	}
}

func TestReadRefusesBlocksOfOthers(t *testing.T) {
	f := build(t, 1, mib, newTraffic(13, 50, 100), true).write(t, t.TempDir())
	for range 2 {
		s := f.open(t)
		for _, b := range []Block{
			{First: 1, Count: 1, Offset: 1 << 31, Length: 100}, {First: 1, Count: 1, Length: 1 << 31},
			{First: 1, Count: 1, Offset: 48, Length: 100, number: 1 << 20}, {First: 1, Count: 1, Offset: 48, Length: 90, number: -5},
		} {
			if got, err := s.Read(b, nil); err == nil && (!s.Compressed() && b.Offset == 48) == false {
				t.Errorf("compressed %v, %+v: %d bytes", s.Compressed(), b, len(got))
			} else if err != nil && !errors.Is(err, ErrCorrupt) {
				t.Errorf("%+v: %v", b, err)
			}
		}
		if !s.Compressed() {
			f.zip(t)
		}
	}
}
