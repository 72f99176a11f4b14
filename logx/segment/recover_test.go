package segment

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"vitrine/logx/record"
)

// starts gives the offset of each record of a .log, and where the last one ends.
func starts(t testing.TB, log []byte) (at []int) {
	t.Helper()
	h, err := parseHeader(log)
	must(t, err)
	n := h.size
	must(t, eachRecord(log[n:], func(v record.View) {
		at = append(at, n)
		n += v.Size()
	}))
	return append(at, n)
}

// The file ends at any byte of its last records: what is whole stays, the torn rest goes, and the log goes on.
func TestTornTailIsCutAtTheLastWholeRecord(t *testing.T) {
	d := newDesk(t, Config{})
	d.put(1500) // two blocks, and a part of one
	must(t, d.close())
	before := d.snapshot()
	log := before[fileName(1, suffixLog)]
	at := starts(t, log)
	for size := at[1497]; size < len(log); size++ {
		d.restore(before)
		must(t, os.Truncate(d.path(1, suffixLog), int64(size)))
		must(t, d.open())
		whole := 1497
		for at[whole+1] <= size {
			whole++
		}
		if d.w.Next() != uint64(whole+1) || d.found.CutBytes != int64(size-at[whole]) || d.found.Aside != "" {
			t.Fatalf("cut at byte %d: next %d, want %d; found %+v", size, d.w.Next(), whole+1, d.found)
		}
		d.add(1500 - whole)
		must(t, d.close())
		d.same(before) // the same records give the same files
	}
	d.holds(1, 1500)
}

// A flipped bit in any byte of the last records but two costs that record and what follows. All of it is kept aside, and no
// index that was given out is given again.
func TestFlippedBitCutsThereAndKeepsTheRestAside(t *testing.T) {
	d := newDesk(t, Config{})
	d.put(1500)
	must(t, d.close())
	before := d.snapshot()
	log := before[fileName(1, suffixLog)]
	at := starts(t, log)
	for i := at[1497]; i < len(log); i++ {
		damaged := bytes.Clone(log)
		damaged[i] ^= 1 << (i % 8)
		d.restore(before)
		d.overwrite(1, suffixLog, damaged)
		must(t, d.open())
		hit := 1497
		for at[hit+1] <= i {
			hit++
		}
		if d.found.Next != uint64(hit+1) || d.found.CutBytes != int64(len(log)-at[hit]) {
			t.Fatalf("flip at byte %d: next %d, want %d; found %+v", i, d.w.Next(), hit+1, d.found)
		}
		torn := hit == 1499 && d.found.Aside == "" // its length grew: it looks as if its writer had died at it
		if torn != (d.w.Next() != 1501) || torn && i >= at[1499]+4 {
			t.Fatalf("flip at byte %d in record %d: next %d, set aside %q", i, hit+1, d.w.Next(), d.found.Aside)
		}
		if !torn && !bytes.Equal(d.read(1, suffixAside), damaged[at[hit]:]) {
			t.Fatalf("flip at byte %d: other bytes were kept aside", i)
		}
		must(t, d.close())
	}
	must(t, d.open())
	d.add(1)
	must(t, d.close())
	d.holdsBut(1, 1501, []uint64{1500, 1500})
}

// Damage to index and postings of the last segment is mended, bit for bit, whatever it is.
func TestDamagedIndexIsMadeAgain(t *testing.T) {
	d := newDesk(t, Config{})
	d.putBig(90)
	d.put(3000)
	must(t, d.close())
	mended(t, d, map[string]func([]byte) []byte{
		"missing":             func([]byte) []byte { return nil },
		"empty":               cutTo(0),
		"half a header":       cutTo(20),
		"header only":         cutTo(32),
		"half an entry":       cutTo(32 + 100),
		"some entries":        cutTo(32 + 20*entryBytes),
		"no last byte":        func(b []byte) []byte { return b[:len(b)-1] },
		"no last entry":       func(b []byte) []byte { return b[:max(len(b)-entryBytes, 0)] },
		"bytes behind":        func(b []byte) []byte { return append(b, "behind the last entry"...) },
		"zeros behind":        func(b []byte) []byte { return append(b, make([]byte, 4096)...) },
		"other file":          func(b []byte) []byte { return bytes.Repeat([]byte("other "), len(b)/6) },
		"flip in the header":  flipAt(9),
		"flip in an entry":    flipAt(32 + 5*entryBytes + 30),
		"flip at the end":     func(b []byte) []byte { return flipAt(len(b) - 2)(b) },
		"an entry twice":      func(b []byte) []byte { return append(b, b[max(len(b)-entryBytes, 0):]...) },
		"a posting twice":     func(b []byte) []byte { return append(b[:48:48], b[32:]...) },
		"first entry is gone": func(b []byte) []byte { return append(b[:32:32], b[min(32+entryBytes, len(b)):]...) },
	}, suffixIndex, suffixWarn)
}

// The same where blocks are so many that they have a filter.
func TestDamagedGroupIsMadeAgain(t *testing.T) {
	d := newDesk(t, Config{})
	d.putBig(2 * (groupBlocks + 10)) // blocks of two records
	must(t, d.close())
	mended(t, d, map[string]func([]byte) []byte{
		"no filter":          cutTo(32 + groupBlocks*entryBytes),
		"half a filter":      cutTo(groupBytes - 4000),
		"nothing behind it":  cutTo(32 + groupBytes),
		"flip in the filter": flipAt(32 + groupBlocks*entryBytes + 1000),
		"flip behind it":     flipAt(32 + groupBytes + 500),
	}, suffixIndex)
}

func flipAt(at int) func([]byte) []byte {
	return func(b []byte) []byte {
		b[at%len(b)] ^= 4
		return b
	}
}

func cutTo(n int) func([]byte) []byte { return func(b []byte) []byte { return b[:min(n, len(b))] } }

// mended damages files of the segment of d and sees that the next owner makes them what they were. What a damage gives
// as nil is missing.
func mended(t *testing.T, d *desk, damages map[string]func([]byte) []byte, suffixes ...string) {
	before := d.snapshot()
	for name, damage := range damages {
		for _, suffix := range suffixes {
			t.Run(name+suffix, func(t *testing.T) {
				d.t = t
				want := before[fileName(1, suffix)]
				b := damage(bytes.Clone(want))
				must(t, os.Remove(d.path(1, suffix)))
				if b != nil {
					d.overwrite(1, suffix, b)
				}
				must(t, d.open())
				found := d.found
				must(t, d.close())
				d.same(before)
				if !bytes.Equal(b, want) && !slices.Equal(found.Rebuilt, []string{fileName(1, suffix)}) || found.CutBytes != 0 {
					t.Errorf("found %+v", found)
				}
			})
		}
	}
}

// Index and postings may be of any two moments: that is how the loss of power leaves them.
func TestIndexAndPostingsOfAnyMomentsAreMended(t *testing.T) {
	d := newDesk(t, Config{})
	var moments []map[string][]byte
	for range 12 {
		d.put(400)
		moments = append(moments, d.snapshot())
	}
	must(t, d.close())
	want := d.snapshot()
	for i, idx := range moments {
		for j, warn := range moments {
			d.restore(want)
			d.overwrite(1, suffixIndex, idx[fileName(1, suffixIndex)])
			d.overwrite(1, suffixWarn, warn[fileName(1, suffixWarn)])
			must(t, d.open())
			must(t, d.close())
			d.same(want)
			if t.Failed() {
				t.Fatalf("index of moment %d, postings of moment %d", i, j)
			}
		}
	}
	// Data older than both.
	d.restore(want)
	d.overwrite(1, suffixLog, moments[3][fileName(1, suffixLog)])
	must(t, d.open())
	if d.found.Next != 1601 || d.w.Next() <= 4700 || d.w.Next() > 4801 {
		t.Errorf("next %d, want that behind the last WARN of 4800 records; found %+v", d.w.Next(), d.found)
	}
	next := d.w.Next()
	d.put(1)
	must(t, d.close())
	d.holdsBut(1, next, []uint64{1601, next - 1})
}

// Recovery of a segment reads its end, not all of it.
func TestRecoveryOfALongSegmentIsShort(t *testing.T) {
	d := newDesk(t, Config{})
	d.putBig(2*groupBlocks + 20) // 21 MB
	must(t, d.close())
	b := d.read(1, suffixLog)
	must(t, d.open())
	if d.found.Scanned > 10*MaxBlockBytes || len(b) < 20<<20 {
		t.Errorf("%d of %d bytes were read", d.found.Scanned, len(b))
	}
}

func TestSealedSegmentIsFollowed(t *testing.T) {
	d := newDesk(t, Config{})
	d.put(100)
	must(t, d.w.Rotate())
	must(t, d.close())
	before := d.snapshot()
	for _, suffix := range []string{suffixIndex, suffixWarn} {
		for name, b := range map[string][]byte{"short": before[fileName(1, suffix)][:33], "wrong": []byte("wrong"), "missing": nil} {
			d.restore(before)
			must(t, os.Remove(d.path(1, suffix)))
			if b != nil {
				d.overwrite(1, suffix, b)
			}
			must(t, d.open())
			if d.w.Next() != 101 || !slices.Contains(d.found.Rebuilt, fileName(1, suffix)) {
				t.Errorf("%s %s: %+v", name, suffix, d.found)
			}
			must(t, d.close())
			d.same(before)
		}
	}
	must(t, d.open())
	d.put(5)
	d.holds(1, 105)
}

// The footer is torn at any byte: the segment goes on as if it had not been sealed.
func TestTornFooterIsCut(t *testing.T) {
	d := newDesk(t, Config{})
	d.put(10)
	must(t, d.w.Rotate())
	must(t, d.close())
	before := d.snapshot()
	log := before[fileName(1, suffixLog)]
	for n := 1; n <= FooterBytes; n++ {
		d.restore(before)
		d.overwrite(1, suffixLog, log[:len(log)-n])
		must(t, d.open())
		if d.w.Next() != 11 || d.found.CutBytes != int64(FooterBytes-n) || d.w.live.header.base != 1 {
			t.Fatalf("footer without its last %d bytes: %+v", n, d.found)
		}
		d.put(1)
		must(t, d.close())
		d.holds(1, 11)
	}
	d.restore(before)
	d.overwrite(1, suffixLog, append(bytes.Clone(log), "behind"...))
	must(t, d.open())
	if d.w.Next() != 11 || d.found.CutBytes != 6 {
		t.Errorf("bytes behind a footer: %+v", d.found)
	}
	must(t, d.close())
	d.same(before)
}

// The end of a segment has entries and a filter that only a sealed one has: they go when it goes on.
func TestTornFooterTakesTheLastFilterWithIt(t *testing.T) {
	d := newDesk(t, Config{})
	d.putBig(groupBlocks + 20) // 138 blocks, enough for a filter
	d.put(20)
	must(t, d.w.Rotate())
	must(t, d.close())
	sealed := d.snapshot()
	must(t, os.Truncate(d.path(1, suffixLog), int64(len(sealed[fileName(1, suffixLog)])-5)))
	must(t, d.open())
	if d.found.CutBytes != FooterBytes-5 || !slices.Equal(d.found.Rebuilt, []string{fileName(1, suffixIndex)}) {
		t.Errorf("found %+v", d.found)
	}
	must(t, d.w.Rotate())
	must(t, d.close())
	d.same(sealed)
}

// Postings are missing at the end of a block, and no block behind it needs any.
func TestPostingsMissingFarFromTheEndAreFound(t *testing.T) {
	d := newDesk(t, Config{})
	for i := range 6000 {
		h := headOf(d.w.Next())
		if h.Level = record.Info; i < 100 {
			h.Level = record.Warn
		}
		d.w.Add(&h, payloadOf(h.Index))
	}
	must(t, d.w.Flush())
	must(t, d.close())
	want := d.snapshot()
	for _, n := range []int{1, 50, 100} {
		warn := want[fileName(1, suffixWarn)]
		d.overwrite(1, suffixWarn, warn[:len(warn)-n*postingBytes])
		must(t, d.open())
		must(t, d.close())
		d.same(want)
	}
}

// A storm of errors has used up what may be copied: the next owner knows how much is left.
func TestCopiesKeepTheirBudgetOverOwners(t *testing.T) {
	d := newDesk(t, Config{})
	storm := func(n int) {
		for range n {
			h := headOf(d.w.Next())
			h.Level = record.Error
			d.w.Add(&h, payloadOf(h.Index))
		}
		must(t, d.w.Flush())
	}
	for range 4 {
		storm(1000)
		d.reopen()
		if len(d.found.Rebuilt) != 0 {
			t.Errorf("rebuilt %q", d.found.Rebuilt)
		}
	}
	must(t, d.close())
	warn := d.read(1, suffixWarn)
	if most := warnHeaderBytes + 4000*postingBytes + copyFloorBytes + len(d.read(1, suffixLog))/copyShare; len(warn) > most {
		t.Errorf("postings of %d bytes, at most %d", len(warn), most)
	}
	must(t, Rebuild(OS(), d.path(1, suffixLog)))
	if !bytes.Equal(d.read(1, suffixWarn), warn) {
		t.Error("the postings are not what the data give")
	}
}

// The first write of a segment is torn at any byte: nothing is left of the file.
func TestTornFirstWriteLeavesNothing(t *testing.T) {
	d := newDesk(t, Config{})
	d.put(10)
	must(t, d.w.Rotate())
	d.put(1)
	must(t, d.close())
	before := d.snapshot()
	log := before[fileName(11, suffixLog)]
	delete(before, fileName(11, suffixIndex)) // they are made behind the first write
	delete(before, fileName(11, suffixWarn))
	for n := range log {
		d.restore(before)
		d.overwrite(11, suffixLog, log[:n])
		must(t, d.open())
		if d.w.Next() != 11 || len(d.data()) != 1 {
			t.Fatalf("first write cut at byte %d: %+v, %q", n, d.found, d.names())
		}
		d.put(1)
		must(t, d.close())
		d.holds(1, 11)
	}
	// Without the segment before it, its name says what is due.
	d.restore(map[string][]byte{fileName(11, suffixLog): log[:50]})
	must(t, d.open())
	if d.w.Next() != 11 {
		t.Errorf("next %d, want 11", d.w.Next())
	}
}

// A segment without its header is set aside as it is, if it has records, and the log goes on behind them.
func TestSegmentWithoutItsHeaderIsSetAside(t *testing.T) {
	d := newDesk(t, Config{})
	d.put(10)
	must(t, d.w.Rotate())
	d.put(500)
	must(t, d.close())
	for _, at := range []int{0, 9, 13, 20, 30, 35} {
		before := d.snapshot()
		damaged := bytes.Clone(before[fileName(11, suffixLog)])
		damaged[at] ^= 0x40
		d.overwrite(11, suffixLog, damaged)
		must(t, d.open())
		if d.w.Next() != 511 || d.found.CutBytes != int64(len(damaged)) || d.found.Aside != d.path(11, suffixAside) {
			t.Fatalf("flip at byte %d: %+v", at, d.found)
		}
		d.reopen()
		must(t, d.close())
		if !bytes.Equal(d.read(11, suffixAside), damaged) {
			t.Errorf("flip at byte %d: other bytes were set aside", at)
		}
		d.restore(before)
	}
}

func TestLeftoversAreRemoved(t *testing.T) {
	d := newDesk(t, Config{})
	must(t, d.w.Skip(101))
	d.put(100)
	must(t, d.close())
	before := d.snapshot()
	left := []string{
		fileName(1, suffixZstd+suffixTemp), fileName(1, suffixIndex+suffixTemp), fileName(7, suffixWarn+suffixTemp),
		fileName(50, suffixIndex), fileName(50, suffixWarn),
	}
	for _, name := range append(left, "notes.txt", "123.log") {
		must(t, os.WriteFile(filepath.Join(d.config.Dir, name), []byte("left over"), fileMode))
	}
	must(t, d.open())
	if slices.Sort(d.found.Removed); !slices.Equal(d.found.Removed, slices.Sorted(slices.Values(left))) {
		t.Errorf("removed %q, want %q", d.found.Removed, left)
	}
	must(t, d.close())
	for _, name := range []string{"notes.txt", "123.log"} {
		must(t, os.Remove(filepath.Join(d.config.Dir, name))) // they are not ours and were left alone
	}
	d.same(before)
}

// Both forms of a segment are there when the process died between the renaming and the removal.
func TestOneFormOfASegmentStays(t *testing.T) {
	d := newDesk(t, Config{Compress: true})
	d.put(2000)
	must(t, d.w.Sync())
	plain := d.read(1, suffixLog)
	must(t, d.w.Rotate())
	d.waitFor("compression", func(s Stats) bool { return s.Compressed == 1 })
	must(t, d.close())
	zst := d.read(1, suffixZstd)
	foot := d.footerOf(zst)
	log := appendFooter(plain, &foot)
	for name, c := range map[string]struct {
		zst  []byte
		stay string
	}{
		"whole":        {zst, suffixZstd},
		"cut":          {zst[:len(zst)-1], suffixLog},
		"empty":        {nil, suffixLog},
		"other":        {bytes.Repeat([]byte{7}, 5000), suffixLog},
		"damaged head": {append([]byte{1}, zst[1:]...), suffixLog},
	} {
		d.config.Compress = false
		d.overwrite(1, suffixLog, log)
		d.overwrite(1, suffixZstd, c.zst)
		must(t, d.open())
		if d.w.Next() != 2001 || len(d.data()) != 1 || d.data()[0] != fileName(1, c.stay) {
			t.Errorf("%s: next %d, %q stay", name, d.w.Next(), d.data())
		}
		d.holds(1, 2000)
		must(t, d.close())
		os.Remove(d.path(1, suffixZstd))
	}
}

// footerOf reads the footer of a compressed segment.
func (d *desk) footerOf(zst []byte) footer {
	d.t.Helper()
	path := filepath.Join(d.t.TempDir(), "x")
	must(d.t, os.WriteFile(path, zst, fileMode))
	f, err := os.Open(path)
	must(d.t, err)
	defer f.Close()
	z, err := newZipped(f, &inflaters{})
	must(d.t, err)
	b, at, err := z.foot()
	must(d.t, err)
	foot, ok := parseFooter(b, at)
	if !ok {
		d.t.Fatal("no footer")
	}
	return foot
}

// The log goes on behind a last segment that is compressed, and by its index when it is damaged.
func TestCompressedLastSegmentIsFollowed(t *testing.T) {
	d := newDesk(t, Config{Compress: true})
	d.put(2000)
	must(t, d.w.Rotate())
	d.waitFor("compression", func(s Stats) bool { return s.Compressed == 1 })
	d.reopen()
	if d.w.Next() != 2001 {
		t.Errorf("next %d, want 2001", d.w.Next())
	}
	must(t, d.close())
	zst := d.read(1, suffixZstd)
	d.overwrite(1, suffixZstd, zst[:len(zst)-3])
	must(t, d.open())
	if told := d.found.Damaged; d.w.Next() != 2001 || len(told) != 1 || !errors.Is(told[0].Err, ErrCorrupt) {
		t.Errorf("damaged: next %d, told %+v", d.w.Next(), told)
	}
	must(t, d.close())
	must(t, os.Remove(d.path(1, suffixIndex)))
	if err := d.open(); !errors.Is(err, ErrCorrupt) {
		t.Errorf("damaged and without index: %v", err)
	}
}

func TestSegmentOfAnotherDirectoryIsRefused(t *testing.T) {
	d := newDesk(t, Config{})
	d.put(10)
	must(t, d.close())
	must(t, os.WriteFile(filepath.Join(d.config.Dir, lockName), []byte("store 00000000000000aa\npid 1\n"), fileMode))
	if err := d.open(); !errors.Is(err, ErrForeign) || !strings.Contains(err.Error(), "00000000000000aa") {
		t.Errorf("opened a segment of another store: %v", err)
	}
}

// The disk is full when the log is opened: data and order are as they should be, and what is missing of the index follows
// when there is room.
func TestRecoveryOnAFullDisk(t *testing.T) {
	f := newFaultFS()
	d := newDesk(t, Config{FS: f})
	d.put(3000)
	must(t, d.close())
	want := d.snapshot()
	d.overwrite(1, suffixIndex, want[fileName(1, suffixIndex)][:100])
	must(t, os.Remove(d.path(1, suffixWarn)))
	full := disk{room: 50}
	f.set(full.write, nil)
	must(t, d.open())
	d.add(1)
	if err := d.w.Flush(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("flush: %v", err)
	}
	f.set(nil, nil)
	must(t, d.w.Flush())
	d.holds(1, 3001)
}

func TestRecoveryTellsWhatItCannotDo(t *testing.T) {
	for _, op := range []string{"open", "truncate", "remove"} {
		f := newFaultFS()
		d := newDesk(t, Config{FS: f})
		d.put(100)
		must(t, d.close())
		must(t, os.Truncate(d.path(1, suffixLog), int64(len(d.read(1, suffixLog))-1)))
		must(t, os.WriteFile(d.path(1, suffixZstd+suffixTemp), nil, fileMode))
		f.set(nil, func(o, name string) error {
			if o == op {
				return syscall.EROFS
			}
			return nil
		})
		if err := d.open(); !errors.Is(err, syscall.EROFS) || !strings.Contains(err.Error(), d.config.Dir) {
			t.Errorf("%s fails: %v", op, err)
		}
		f.set(nil, nil)
		must(t, d.open())
		d.add(1)
		must(t, d.close())
		d.holds(1, 100)
	}
}

// Any bytes may be in the files: recovery ends, with an error or with a log that is whole.
func FuzzRecovery(f *testing.F) {
	d := newDesk(f, Config{})
	d.put(60)
	must(f, d.close())
	files := d.snapshot()
	log, idx, warn := files[fileName(1, suffixLog)], files[fileName(1, suffixIndex)], files[fileName(1, suffixWarn)]
	f.Add(log, idx, warn)
	f.Add(log[:len(log)-3], idx[:20], warn[:40])
	f.Add(append(bytes.Clone(log), log[40:200]...), []byte{}, warn)
	f.Add([]byte("VTRNLOG1"), []byte("VTRNIDX1"), []byte("VTRNWRN1"))
	lock, err := os.ReadFile(filepath.Join(d.config.Dir, lockName))
	must(f, err)
	f.Fuzz(func(t *testing.T, log, idx, warn []byte) {
		d := &desk{t: t, config: Config{Dir: t.TempDir(), FS: OS(), Notify: func(error) {}}, clock: firstMoment}
		must(t, os.WriteFile(filepath.Join(d.config.Dir, lockName), lock, fileMode))
		d.overwrite(1, suffixLog, log)
		d.overwrite(1, suffixIndex, idx)
		d.overwrite(1, suffixWarn, warn)
		if d.open() != nil {
			return
		}
		first := d.w.Next()
		d.put(3)
		must(t, d.close())
		must(t, d.open())
		if d.w.Next() != first+3 || d.found.CutBytes != 0 || len(d.found.Rebuilt) != 0 || len(d.found.Damaged) != 0 {
			t.Errorf("the second recovery found %+v behind record %d", d.found, first+2)
		}
		must(t, d.close())
	})
}

func ExampleOpenWriter() {
	dir, _ := os.MkdirTemp("", "log")
	defer os.RemoveAll(dir)
	lock, err := Lock(OS(), dir)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer lock.Close()
	w, found, err := OpenWriter(Config{Dir: dir}, lock)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("goes on with record", found.Next)
	for range 3 {
		h := record.Head{Index: w.Next(), Time: 1_800_000_000_000_000_000, Level: record.Info, Type: record.TypeGame}
		w.Add(&h, record.AppendPayload(nil, nil, nil, "a player has entered", nil))
	}
	if err := w.Flush(); err != nil {
		fmt.Println(err)
	}
	fmt.Println("written to record", w.Written())
	fmt.Println(w.Close())
	// Output:
	// goes on with record 1
	// written to record 3
	// <nil>
}
