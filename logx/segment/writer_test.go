package segment

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"vitrine/logx/record"
)

func TestWriterGoesOnOverOwners(t *testing.T) {
	d := newDesk(t, Config{})
	if len(d.names()) != 0 {
		t.Errorf("an owner without records made %q", d.names())
	}
	for range 4 {
		d.put(700)
		d.add(30) // Close flushes them
		d.reopen()
		if d.found.CutBytes != 0 || len(d.found.Rebuilt) != 0 || len(d.found.Removed) != 0 {
			t.Errorf("a clean end was mended: %+v", d.found)
		}
	}
	if d.w.Next() != 4*730+1 || d.w.Written() != 4*730 || d.found.Next != d.w.Next() {
		t.Errorf("next %d, written %d, found %+v", d.w.Next(), d.w.Written(), d.found)
	}
	d.holds(1, 4*730)
}

// The same records give the same bytes, whoever wrote them and whenever they were flushed.
func TestFilesDoNotDependOnOwnersAndFlushes(t *testing.T) {
	at := func(flush, owner int) map[string][]byte {
		d := newDesk(t, Config{Dir: t.TempDir()})
		d.w.lock.owner.Store = testStore
		d.w.live, _ = newLive(&d.w.config, header{store: testStore, base: 1}, nil)
		for n := range 3000 {
			d.add(1)
			if n%flush == 0 {
				must(t, d.w.Flush())
			}
			if n%owner == owner-1 {
				must(t, d.w.Close())
				w, _, err := OpenWriter(d.config, d.lock)
				must(t, err)
				w.now, d.w = d.w.now, w
			}
		}
		must(t, d.w.Rotate())
		return d.snapshot()
	}
	want := at(3000, 5000)
	for _, c := range []struct{ flush, owner int }{{1, 5000}, {17, 5000}, {100, 250}, {3000, 999}} {
		got := at(c.flush, c.owner)
		for name, b := range want {
			if !bytes.Equal(got[name], b) {
				t.Errorf("flush every %d, owner every %d: %s differs", c.flush, c.owner, name)
			}
		}
	}
}

// A disk that fills up at any byte of a flush takes what it can. What it did not take follows when it has room again,
// and nothing is there twice.
func TestFullDiskLosesNothing(t *testing.T) {
	for room := 0; room < 2600; room += 1 + room/8 {
		f := newFaultFS()
		d := newDesk(t, Config{FS: f})
		full := disk{room: room}
		f.set(full.write, nil)
		d.add(20)
		size := d.w.Buffered()
		err := d.w.Flush()
		if room < size && !errors.Is(err, syscall.ENOSPC) || d.w.Buffered() != max(0, size-room) {
			t.Fatalf("room for %d of %d bytes: %d wait, error %v", room, size, d.w.Buffered(), err)
		}
		d.add(5)
		if err := d.w.Flush(); room < size && !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("room for %d bytes, second try: %v", room, err)
		}
		d.writtenIsInTheFile()
		f.set(nil, nil)
		must(t, d.w.Flush())
		if d.w.Written() != 25 || d.w.Buffered() != 0 {
			t.Errorf("room for %d bytes: written %d, %d wait", room, d.w.Written(), d.w.Buffered())
		}
		d.put(3)
		d.holds(1, 28)
		must(t, d.close())
	}
}

// writtenIsInTheFile checks that Written is the last whole record of the file.
func (d *desk) writtenIsInTheFile() {
	d.t.Helper()
	b, err := os.ReadFile(d.path(1, suffixLog))
	if errors.Is(err, os.ErrNotExist) {
		b = nil
	}
	h, err := parseHeader(b)
	last := uint64(0)
	for b = b[h.size:]; err == nil && len(b) > 0; {
		v, failed := record.Parse(b)
		if failed != nil {
			break
		}
		last, b = v.Index, b[v.Size():]
	}
	if last != d.w.Written() {
		d.t.Fatalf("written %d, the file has records to %d", d.w.Written(), last)
	}
}

func TestShortWritesAreFinished(t *testing.T) {
	f := newFaultFS()
	d := newDesk(t, Config{FS: f})
	f.set(short(100), nil)
	d.add(100)
	for tries := 0; ; tries++ {
		err := d.w.Flush()
		if err == nil {
			break
		}
		if !errors.Is(err, io.ErrShortWrite) || tries > 1000 {
			t.Fatalf("try %d: %v", tries, err)
		}
	}
	f.set(nil, nil)
	d.holds(1, 100)
}

// The data count: index and postings follow when they can be written again.
func TestIndexThatCannotBeWrittenFollowsLater(t *testing.T) {
	for _, suffix := range []string{suffixIndex, suffixWarn} {
		f := newFaultFS()
		d := newDesk(t, Config{FS: f})
		f.set(func(name string, b []byte, _ int64) (int, error) {
			if strings.HasSuffix(name, suffix) {
				return len(b) / 3, syscall.EIO
			}
			return len(b), nil
		}, nil)
		d.add(2000)
		if err := d.w.Flush(); !errors.Is(err, syscall.EIO) || d.w.Written() != 2000 {
			t.Fatalf("%s: written %d, error %v", suffix, d.w.Written(), err)
		}
		f.set(nil, nil)
		d.put(1)
		d.holds(1, 2001)
		if n := d.w.Stats().Errors; n != 1 {
			t.Errorf("%s: %d errors counted, want 1", suffix, n)
		}
	}
}

// Whatever fails whenever: nothing is lost, nothing is there twice, and the files come out as they should.
func TestRandomFaultsLoseNothing(t *testing.T) {
	for seed := range uint64(6) {
		r := rand.New(rand.NewPCG(seed, 3))
		f := newFaultFS()
		d := newDesk(t, Config{FS: f, SegmentBytes: MinSegmentBytes, Compress: seed%2 == 0})
		total := 0
		for range 40 {
			fault := faults(r)
			f.set(fault.write, fault.fail)
			n := r.IntN(12)
			total += n
			d.addOf(n, big)
			_ = d.w.Flush()
			if r.IntN(10) == 0 {
				_ = d.w.Rotate()
			}
			if r.IntN(5) == 0 {
				_ = d.w.Sync()
			}
		}
		f.set(nil, nil)
		for tries := 0; d.w.Flush() != nil && tries < 5; tries++ {
		}
		_ = d.w.Sync() // it may tell of a segment that was let go
		must(t, d.w.Sync())
		d.reopen() // the background may have given up in the middle of its work
		d.waitFor("the background", func(s Stats) bool { return d.tended() })
		d.holds(1, uint64(total))
	}
}

// tended tells whether the background has nothing left to do.
func (d *desk) tended() bool {
	segments, temporary, err := list(&d.config)
	must(d.t, err)
	for i, s := range segments {
		live := i == len(segments)-1 && d.w.live.header.base == s.base
		if !s.index || !s.warn || s.plain && s.zipped || s.plain && d.config.Compress && !live {
			return false
		}
	}
	return len(temporary) == 0
}

// faults makes hooks that fail now and then. The background calls them too.
func faults(r *rand.Rand) *faultFS {
	seed, rate := r.Uint64(), r.IntN(3)
	roll := func() bool { seed = mix(seed + 1); return rate > 0 && seed%uint64(6/rate) == 0 }
	var f faultFS
	f.write = func(_ string, b []byte, _ int64) (int, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if roll() {
			return int(seed>>8) % (len(b) + 1), syscall.ENOSPC
		}
		return len(b), nil
	}
	f.fail = func(string, string) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		if roll() {
			return syscall.EIO
		}
		return nil
	}
	return &f
}

func TestFailingSyncIsToldAndTriedAgain(t *testing.T) {
	f := newFaultFS()
	d := newDesk(t, Config{FS: f})
	d.put(100)
	f.set(nil, func(op, _ string) error {
		if op == "sync" {
			return syscall.EIO
		}
		return nil
	})
	if err := d.w.Sync(); !errors.Is(err, syscall.EIO) || d.w.Stats().Errors != 1 || d.w.Stats().Syncs != 0 {
		t.Errorf("sync: %v, %+v", err, d.w.Stats())
	}
	f.set(nil, nil)
	before := f.count("sync", "")
	must(t, d.w.Sync())
	if n := f.count("sync", "") - before; n != 3 {
		t.Errorf("%d files were synced, want 3", n)
	}
	must(t, d.w.Sync())
	if n := f.count("sync", "") - before; n != 3 || d.w.Stats().Syncs != 2 {
		t.Errorf("files without news were synced: %d, %+v", n, d.w.Stats())
	}
}

// Sync speaks for all that was flushed, also in segments that were sealed since, and in as many as there may be.
func TestSyncReachesSealedSegments(t *testing.T) {
	f := newFaultFS()
	d := newDesk(t, Config{FS: f})
	for range maxUnsynced + 3 {
		d.put(10)
		must(t, d.w.Rotate())
	}
	if n := f.count("sync", suffixLog); n != 3 {
		t.Errorf("%d of %d sealed segments were synced to make room, want 3", n, maxUnsynced+3)
	}
	must(t, d.w.Sync())
	if n, dirs := f.count("sync", suffixLog), f.count("syncdir", ""); n != maxUnsynced+3 || dirs != 1 {
		t.Errorf("%d segments and %d directories were synced, want %d and 1", n, dirs, maxUnsynced+3)
	}
}

// A device that takes writes and does not sync stops no rotation. The next Sync says what is not durable.
func TestFailingSyncDoesNotStopRotation(t *testing.T) {
	f := newFaultFS()
	d := newDesk(t, Config{FS: f})
	f.set(nil, func(op, _ string) error {
		if op == "sync" {
			return syscall.EIO
		}
		return nil
	})
	for range maxUnsynced + 3 {
		d.put(10)
		must(t, d.w.Rotate())
	}
	f.set(nil, nil)
	if err := d.w.Sync(); !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), fileName(1, suffixLog)) {
		t.Errorf("sync: %v", err)
	}
	must(t, d.w.Sync())
	d.holds(1, 10*(maxUnsynced+3))
}

func TestFullDiskAtTheFooterHoldsUpOnlyTheSegment(t *testing.T) {
	for _, room := range []int{0, 1, 4, 8, 31, 63} {
		f := newFaultFS()
		d := newDesk(t, Config{FS: f})
		d.put(50)
		must(t, d.w.Sync())
		f.set(func(name string, b []byte, at int64) (int, error) {
			if strings.HasSuffix(name, suffixLog) && len(b) <= FooterBytes {
				take := min(room, len(b))
				room -= take
				return take, syscall.ENOSPC
			}
			return len(b), nil
		}, nil)
		if err := d.w.Rotate(); !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("rotate: %v", err)
		}
		d.add(10)
		if err := d.w.Flush(); !errors.Is(err, syscall.ENOSPC) || d.w.Written() != 50 {
			t.Fatalf("flush before the footer is written: %v, written %d", err, d.w.Written())
		}
		must(t, d.w.Sync())
		f.set(nil, nil)
		must(t, d.w.Flush())
		d.holds(1, 60)
		if want := []string{fileName(1, suffixLog), fileName(51, suffixLog)}; !slices.Equal(d.data(), want) {
			t.Fatalf("segments %q, want %q", d.data(), want)
		}
		must(t, d.close())
	}
}

// data lists the files with records.
func (d *desk) data() (names []string) {
	for _, name := range d.names() {
		if _, suffix, _ := parseName(name); suffix == suffixLog || suffix == suffixZstd {
			names = append(names, name)
		}
	}
	return names
}

// Index and postings that cannot be written at the end of a segment are made from its data.
func TestIndexThatFailsAtTheSealIsMadeAgain(t *testing.T) {
	for _, compress := range []bool{false, true} {
		f := newFaultFS()
		d := newDesk(t, Config{FS: f, Compress: compress})
		f.set(func(name string, b []byte, _ int64) (int, error) {
			if strings.HasSuffix(name, suffixIndex) {
				return 0, syscall.EIO
			}
			return len(b), nil
		}, nil)
		d.add(3000)
		if err := d.w.Rotate(); err != nil {
			t.Fatal(err)
		}
		f.set(nil, nil)
		if told := d.told(); len(told) == 0 || !errors.Is(told[0], syscall.EIO) {
			t.Errorf("told %v", told)
		}
		d.waitFor("the index", func(Stats) bool { return d.tended() })
		d.holds(1, 3000)
	}
}

func TestSegmentsEndBySizeAndAge(t *testing.T) {
	d := newDesk(t, Config{SegmentBytes: MinSegmentBytes, SegmentAge: time.Hour})
	d.putBig(60)
	if n := d.w.Stats().Sealed; n != 2 {
		t.Errorf("60 records of 40 KiB sealed %d segments of 1 MiB, want 2", n)
	}
	base := d.w.live.header.base
	d.put(1)
	d.clock = d.clock.Add(59 * time.Minute)
	d.put(1)
	if d.w.live.header.base != base {
		t.Error("the segment ended before its age")
	}
	d.clock = d.clock.Add(time.Minute)
	d.put(1)
	if d.w.live.header.base != d.w.Next() {
		t.Error("the segment did not end at its age")
	}
	d.put(1)
	d.clock = d.clock.Add(-100 * time.Hour)
	d.put(1)
	if got := d.w.live.header.base; got != d.w.Next()-2 {
		t.Errorf("a clock that is set back ended the segment: %d", got)
	}
	d.holds(1, d.w.Written())
}

// The age counts from the first record, not from the end of the segment before.
func TestAgeCountsFromTheFirstRecord(t *testing.T) {
	d := newDesk(t, Config{SegmentAge: time.Hour})
	d.clock = d.clock.Add(10 * time.Hour)
	d.put(1)
	d.put(1)
	if d.w.Stats().Sealed != 0 {
		t.Error("the time without records counted")
	}
}

func TestOtherNamesOfTypesBeginASegment(t *testing.T) {
	d := newDesk(t, Config{})
	d.put(10)
	must(t, d.close())
	types, err := record.NewTypes("quest", "guild")
	must(t, err)
	d.config.Types = types
	must(t, d.open())
	d.put(10)
	d.reopen()
	d.put(10)
	segments := openDir(t, d.config.Dir).Segments()
	if len(segments) != 2 {
		t.Fatalf("%d segments, want 2", len(segments))
	}
	for i, want := range []string{"", "guild"} {
		got := segments[i].Types()
		if _, ok := got.Parse("guild"); ok != (want != "") {
			t.Errorf("segment %d has types %q", i, got.Custom())
		}
	}
	d.holds(1, 30)
}

func TestSkipLeavesAGapBetweenSegments(t *testing.T) {
	d := newDesk(t, Config{})
	d.put(10)
	must(t, d.w.Skip(11))
	must(t, d.w.Skip(101))
	if d.w.Next() != 101 || d.w.Written() != 100 {
		t.Errorf("next %d, written %d", d.w.Next(), d.w.Written())
	}
	must(t, d.w.Skip(201)) // nothing was written meanwhile
	d.put(10)
	if err := d.w.Skip(5); err == nil {
		t.Error("skipped backwards")
	}
	d.holdsBut(1, 210, []uint64{11, 200})
	d.reopen()
	if d.w.Next() != 211 {
		t.Errorf("next %d, want 211", d.w.Next())
	}
}

func TestAddRefusesAnotherIndex(t *testing.T) {
	d := newDesk(t, Config{})
	for _, index := range []uint64{0, 2} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("record %d was taken for record 1", index)
				}
			}()
			d.w.Add(&record.Head{Index: index}, nil)
		}()
	}
}

func TestClosedWriterSaysSo(t *testing.T) {
	d := newDesk(t, Config{})
	d.put(1)
	must(t, d.w.Close())
	must(t, d.w.Close())
	if err := d.w.Flush(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("flush: %v", err)
	}
	if err := d.w.Sync(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("sync: %v", err)
	}
	if err := d.w.Rotate(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("rotate: %v", err)
	}
}

func TestConfigReportsEveryBadField(t *testing.T) {
	c := Config{SegmentBytes: 1, SegmentAge: 1, KeepBytes: -1}
	err := c.SetDefaults()
	for _, want := range []string{"no directory", "1 bytes", "1ns", "negative"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not tell of %q", err, want)
		}
	}
	good := Config{Dir: "x"}
	if err := good.SetDefaults(); err != nil || good.SegmentBytes != DefaultSegmentBytes || good.SegmentAge != DefaultSegmentAge {
		t.Errorf("%v, %+v", err, good)
	}
}

func TestAddDoesNotAllocate(t *testing.T) {
	d := newDesk(t, Config{})
	payload := make([]byte, 50)
	add := func() {
		for range 500 {
			h := headOf(d.w.Next())
			d.w.Add(&h, payload)
		}
		d.w.live.emptied()
		d.w.live.index.idx, d.w.live.index.warn = d.w.live.index.idx[:0], d.w.live.index.warn[:0]
	}
	add()
	if n := testing.AllocsPerRun(50, add); n != 0 {
		t.Errorf("%v allocations per 500 records", n)
	}
}

func BenchmarkAdd(b *testing.B) {
	d := newDesk(b, Config{})
	payload := make([]byte, 50)
	h := headOf(1)
	for b.Loop() {
		h.Index, h.Session = d.w.Next(), d.w.Next()*2654435761%5000
		d.w.Add(&h, payload)
		if len(d.w.live.buf) > 256<<10 {
			d.w.live.emptied()
			d.w.live.index.idx = d.w.live.index.idx[:0]
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N), "ns/record")
}

func BenchmarkFlush(b *testing.B) {
	for _, n := range []int{1, 1000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			d := newDesk(b, Config{KeepSegments: 2})
			payload := make([]byte, 50)
			for b.Loop() {
				for range n {
					h := headOf(d.w.Next())
					d.w.Add(&h, payload)
				}
				must(b, d.w.Flush())
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/record")
		})
	}
}
