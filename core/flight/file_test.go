package flight

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fileBytes is a flight file as a recorder leaves it, made without mapping one,
// so that these tests run everywhere.
func fileBytes(t testing.TB, packets int) []byte {
	t.Helper()
	if !Enabled {
		t.Skip("built with norecord")
	}
	c := Config{Name: "made", Worker: 4, Records: 64, Lifecycle: 64, Boot: 7}
	c.setDefaults()
	data := make([]byte, fileSize(c.Records, c.Lifecycle))
	putHeader(data, &c)
	r := newRecorder(&c, fileImage(data, &c, nil))
	for range packets {
		writePacket(r)
	}
	r.Event(KindSession, 1, 2, 3, 4, 5)
	r.Flush(Clock())
	return data
}

func writeFile(t testing.TB, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.flight")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOpenFileReturnsWhatWasRecorded(t *testing.T) {
	f, err := OpenFile(writeFile(t, fileBytes(t, 150)))
	if err != nil {
		t.Fatal(err)
	}
	if f.Name != "made" || f.Worker != 4 || f.Group != 4 || f.Boot != 7 || f.PID != os.Getpid() || f.Closed || f.Changed {
		t.Errorf("header: %+v", f)
	}
	if d := f.Wall(Clock()).Sub(Wall(Clock())); d.Abs() > 1e9 {
		t.Errorf("the file's zero is %v off", d)
	}
	if len(f.Packets) != 64 || f.Packets[63].Seq != 150 || len(f.Lifecycle) != 1 || f.Torn != 0 {
		t.Errorf("%d packets, %d events, %d torn", len(f.Packets), len(f.Lifecycle), f.Torn)
	}
	for _, rec := range f.Packets {
		if !sound(rec) {
			t.Errorf("record %+v", rec)
		}
	}
}

func TestOpenFileRefusesWhatIsNoFlightFile(t *testing.T) {
	good := fileBytes(t, 3)
	change := func(f func([]byte)) []byte {
		b := slices.Clone(good)
		f(b)
		return b
	}
	reseal := func(b []byte) { order.PutUint32(b[offCRC:], headerCRC(b)) }
	tests := []struct {
		name string
		data []byte
		want error
	}{
		{"empty", nil, ErrBadSize},
		{"short", good[:100], ErrBadSize},
		{"header only", good[:headerSize], ErrBadSize},
		{"one byte short", good[:len(good)-1], ErrBadSize},
		{"one byte long", append(slices.Clone(good), 0), ErrBadSize},
		{"text", []byte("no flight file, but long enough to look at"), ErrBadMagic},
		{"other byte order", change(func(b []byte) { slices.Reverse(b[:8]) }), ErrBadMagic},
		{"version", change(func(b []byte) { b[offVersion] = 2 }), ErrBadVersion},
		{"flipped bit", change(func(b []byte) { b[offBoot] ^= 1 }), ErrBadHeader},
		{"flipped name", change(func(b []byte) { b[offName] ^= 1 }), ErrBadHeader},
		{"no records", change(func(b []byte) { order.PutUint32(b[offRecords:], 0); reseal(b) }), ErrBadHeader},
		{"odd records", change(func(b []byte) { order.PutUint32(b[offRecords:], 65); reseal(b) }), ErrBadHeader},
		{"huge rings", change(func(b []byte) { order.PutUint32(b[offRecords:], 1<<31); reseal(b) }), ErrBadHeader},
		{"larger rings", change(func(b []byte) { order.PutUint32(b[offRecords:], 128); reseal(b) }), ErrBadSize},
		{"record size", change(func(b []byte) { b[offRecordSize] = 128; reseal(b) }), ErrBadHeader},
		{"long name", change(func(b []byte) { order.PutUint16(b[offNameLen:], 65535); reseal(b) }), ErrBadHeader},
		{"path as name", change(func(b []byte) { b[offName] = '/'; reseal(b) }), ErrBadHeader},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := OpenFile(writeFile(t, tt.data)); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
	if _, err := OpenFile(t.TempDir()); !errors.Is(err, ErrBadMagic) {
		t.Errorf("folder: %v", err)
	}
	if _, err := OpenFile(filepath.Join(t.TempDir(), "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing: %v", err)
	}
}

// TestAKillBetweenAnyTwoStoresOfBeginLosesThatRecordOnly rebuilds what the file holds after each
// of the stores of Begin, in the order of begin.
func TestAKillBetweenAnyTwoStoresOfBeginLosesThatRecordOnly(t *testing.T) {
	stores := []int{wSeq, wSession, wRecv, wCause, wResult, wInput, wMark}
	before, after := fileBytes(t, 100), fileBytes(t, 101)
	slotOf := headerSize + 64*recordSize + int(101%64)*recordSize
	for done := range len(stores) + 1 {
		data := slices.Clone(before)
		copy(data[:headerSize], after) // reserved is stored first
		for _, w := range stores[:done] {
			copy(data[slotOf+8*w:slotOf+8*w+8], after[slotOf+8*w:])
		}
		f := parse(data, data)
		want, torn := 63, 1 // the slot is neither record 37 nor 101
		if done == 0 || done == len(stores) {
			want, torn = 64, 0
		}
		if len(f.Packets) != want || f.Torn != torn {
			t.Errorf("after %d stores: %d records, %d torn", done, len(f.Packets), f.Torn)
		}
		for _, rec := range f.Packets {
			if !sound(rec) {
				t.Errorf("after %d stores: %+v", done, rec)
			}
		}
	}
}

func TestSlotsNoRecorderWritesAreLeftOut(t *testing.T) {
	good := fileBytes(t, 100) // records 37 to 100, reserved 101
	packets := headerSize + 64*recordSize
	slotOf := func(b []byte, seq int) []byte {
		return b[packets+seq%64*recordSize:][:recordSize]
	}
	renumber := func(b []byte, seq int, to uint64) {
		order.PutUint64(slotOf(b, seq)[8*wSeq:], to)
		order.PutUint32(slotOf(b, seq)[8*wMark:], uint32(to))
	}
	tests := []struct {
		name   string
		change func([]byte)
		torn   int
	}{
		{"nothing", func([]byte) {}, 0},
		{"in each other's place", func(b []byte) {
			one, two := slices.Clone(slotOf(b, 50)), slices.Clone(slotOf(b, 51))
			copy(slotOf(b, 50), two)
			copy(slotOf(b, 51), one)
		}, 2},
		{"mark of another number", func(b []byte) { slotOf(b, 60)[8*wMark]++ }, 1},
		{"number zero", func(b []byte) { renumber(b, 64, 0) }, 1},
		{"not reserved yet", func(b []byte) { renumber(b, 70, 70+64) }, 1},
		{"the next to be reserved", func(b []byte) { renumber(b, 101, 101) }, 1},
		{"far ahead", func(b []byte) { renumber(b, 70, 70+1<<40) }, 1},
		{"far behind", func(b []byte) {
			order.PutUint64(b[offPacketCursors:], 1000)
		}, 64},
		{"of the life-cycle ring", func(b []byte) { renumber(b, 70, lifeBit|70) }, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := slices.Clone(good)
			tt.change(b)
			f := parse(b, b)
			if f.Torn != tt.torn || len(f.Packets) != 64-tt.torn || len(f.Lifecycle) != 1 {
				t.Errorf("%d torn, %d packets, %d events", f.Torn, len(f.Packets), len(f.Lifecycle))
			}
		})
	}
}

func TestAFileThatIsBeingWrittenYieldsFinalRecordsOnly(t *testing.T) {
	before, after := fileBytes(t, 100), fileBytes(t, 104)
	f := parse(before, after)
	if !f.Changed {
		t.Error("not noticed")
	}
	seqs := []uint64{}
	for _, rec := range f.Packets {
		seqs = append(seqs, rec.Seq)
	}
	// 104 packets and a step of 4: reserved is 105.
	want := []uint64{}
	for seq := uint64(105 - 64); seq <= 100; seq++ {
		want = append(want, seq)
	}
	if diff := cmp.Diff(want, seqs); diff != "" {
		t.Errorf("numbers (-want +got):\n%s", diff)
	}
}

func TestRecorderFileLivesFromNewToClose(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("flight files need linux")
	}
	dir := filepath.Join(t.TempDir(), "var", "flight")
	c := Config{Dir: dir, Name: "a.b", Worker: 3, Records: 64, Lifecycle: 64}
	r := newTest(t, c)
	writePacket(r)
	if _, err := NewRecorder(c); !errors.Is(err, ErrInUse) {
		t.Errorf("second recorder on one file: %v", err)
	}
	r.Begin(1, 2, 3)
	f, err := OpenFile(Path(dir, "a.b", 3))
	if err != nil || len(f.Packets) != 2 || f.Packets[1].Flags != FlagOpen || f.Closed {
		t.Errorf("while it runs: %+v, %v", f, err)
	}
	if live := r.Snapshot(nil); !slices.Equal(live, f.Packets) {
		t.Errorf("the file holds %+v, the ring %+v", f.Packets, live)
	}
	if err := errors.Join(r.Close(), r.Close()); err != nil {
		t.Error(err)
	}
	if f, err := OpenFile(Path(dir, "a.b", 3)); err != nil || !f.Closed {
		t.Errorf("after Close: %+v, %v", f, err)
	}
	newTest(t, c)
	if f, err := OpenFile(Path(dir, "a.b", 3) + ".prev"); err != nil || len(f.Packets) != 2 {
		t.Errorf("previous: %+v, %v", f, err)
	}
}

func TestDirWithoutFlightFilesFallsBackToTheHeap(t *testing.T) {
	if runtime.GOOS == "linux" {
		t.Skip("linux has them")
	}
	r, err := NewRecorder(Config{Dir: t.TempDir()})
	if !errors.Is(err, ErrUnsupported) || r == nil {
		t.Fatalf("recorder %v, error %v", r, err)
	}
	writePacket(r)
	if len(r.Snapshot(nil)) != 1 {
		t.Error("the heap recorder does not record")
	}
}

func FuzzOpenFile(f *testing.F) {
	good := fileBytes(f, 70)
	f.Add(good, 0, uint64(0))
	f.Add(good[:headerSize], 0, uint64(0))
	f.Add(good, offPacketCursors, ^uint64(0))
	f.Add(good, headerSize, ^uint64(0))
	f.Add(good, len(good)-recordSize+8, uint64(1)<<63)
	f.Add(good, offRecords, uint64(1)<<40|1<<16)
	f.Fuzz(func(t *testing.T, data []byte, at int, word uint64) {
		// One word is set and the header sealed, so that what lies behind the
		// checksum is reached.
		data = slices.Clone(data)
		if len(data) >= headerSize {
			if at >= 0 && at+8 <= len(data) {
				order.PutUint64(data[at:], word)
			}
			order.PutUint32(data[offCRC:], headerCRC(data))
		}
		file, err := read(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			for _, typed := range []error{ErrBadMagic, ErrBadVersion, ErrBadHeader, ErrBadSize} {
				if errors.Is(err, typed) {
					return
				}
			}
			t.Fatalf("untyped error %v", err)
		}
		if n := len(file.Packets) + len(file.Lifecycle) + file.Torn; n > (len(data)-headerSize)/recordSize {
			t.Fatalf("%d records out of %d bytes", n, len(data))
		}
		ascending := func(a, b Record) int { return int(int64(a.Seq - b.Seq)) }
		if !slices.IsSortedFunc(file.Packets, ascending) || !slices.IsSortedFunc(file.Lifecycle, ascending) {
			t.Fatal("out of order")
		}
	})
}

func TestOpenFileAllocatesNoMoreThanTheFileIsWorth(t *testing.T) {
	// A file that claims the largest rings but is small, and a large file that
	// claims small ones.
	claim := fileBytes(t, 1)
	order.PutUint32(claim[offRecords:], maxRecords)
	order.PutUint32(claim[offLifecycle:], maxRecords)
	order.PutUint32(claim[offCRC:], headerCRC(claim))
	small := writeFile(t, claim)
	large := writeFile(t, fileBytes(t, 1))
	if err := os.Truncate(large, 1<<40); err != nil {
		t.Skip("no sparse files: ", err)
	}
	if _, err := OpenFile(small); err == nil { // once, for what the first call allocates
		t.Error("no error")
	}
	for _, path := range []string{small, large} {
		var m0, m1 runtime.MemStats
		runtime.ReadMemStats(&m0)
		_, err := OpenFile(path)
		runtime.ReadMemStats(&m1)
		if !errors.Is(err, ErrBadSize) {
			t.Errorf("%v", err)
		}
		if n := m1.TotalAlloc - m0.TotalAlloc; n > 64<<10 {
			t.Errorf("%d bytes allocated", n)
		}
	}
}
