package ring

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"unsafe"

	"github.com/google/go-cmp/cmp"

	"vitrine/logx/record"
)

func newRing(t testing.TB, c Config) *Ring {
	t.Helper()
	if c.Slots == 0 {
		c.Slots = MinSlots
	}
	r, err := Create(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// put publishes a record with that payload.
func put(t testing.TB, r *Ring, session uint64, payload []byte) uint64 {
	t.Helper()
	if len(payload) > InlineBytes {
		spilled, err := r.Spill(payload)
		if err != nil {
			t.Fatal(err)
		}
		s, index := claim(t, r)
		s.Session, s.Level, s.Flags, s.Type, s.Time = session, record.Info, 0, record.TypeGame, int64(index)
		r.PublishSpilled(s, index, spilled)
		return index
	}
	s, index := claim(t, r)
	s.Session, s.Level, s.Flags, s.Type, s.Time = session, record.Info, 0, record.TypeGame, int64(index)
	r.Publish(s, index, len(append(s.Buffer(), payload...)))
	return index
}

func claim(t testing.TB, r *Ring) (*Slot, uint64) {
	t.Helper()
	s, index, err := r.Claim()
	if err != nil {
		t.Fatal(err)
	}
	return s, index
}

// long returns a payload of n bytes that no other has.
func long(n int, seed byte) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)*31 + seed
	}
	return b
}

func TestIndexesAreGivenInOrderAndOnlyWithASlot(t *testing.T) {
	r := newRing(t, Config{First: 1})
	for want := range uint64(MinSlots) {
		if got := put(t, r, 7, []byte("x")); got != want+1 {
			t.Fatalf("index %d, want %d", got, want+1)
		}
	}
	for range 3 {
		if _, _, err := r.Claim(); err != ErrFull {
			t.Fatalf("claim of a full ring: %v, want %v", err, ErrFull)
		}
	}
	if r.Len() != MinSlots || r.Head() != MinSlots+1 {
		t.Fatalf("%d slots in use and head %d, want %d and %d", r.Len(), r.Head(), MinSlots, MinSlots+1)
	}
	if _, ok := r.Peek(1); !ok {
		t.Fatal("the first record is not there")
	}
	r.Release(2)
	if got := put(t, r, 7, nil); got != MinSlots+1 {
		t.Fatalf("index %d after a release, want %d: a refused claim must use none", got, MinSlots+1)
	}
}

func TestPayloadsComeOutAsTheyWentIn(t *testing.T) {
	r := newRing(t, Config{First: 100})
	scratch := make([]byte, 0, record.MaxBytes)
	for i, n := range []int{0, 1, InlineBytes, InlineBytes + 1, chunkData, chunkData + 1, 3*chunkData - 1, record.MaxBytes - record.HeadBytes} {
		want := long(n, byte(i))
		index := put(t, r, uint64(i), want)
		s, ok := r.Peek(index)
		if !ok {
			t.Fatalf("%d bytes: not published", n)
		}
		if got := r.Payload(s, scratch); !bytes.Equal(got, want) {
			t.Errorf("%d bytes: other bytes came out", n)
		}
		r.Release(index + 1)
	}
	if places := make([]uint32, chunkCount); r.free.PopN(places) != chunkCount {
		t.Error("chunks were lost")
	}
}

func TestSpillTakesAllChunksOrNone(t *testing.T) {
	r := newRing(t, Config{})
	var held []Spilled
	for {
		p, err := r.Spill(long(record.MaxBytes, 0))
		if err == ErrFull {
			break
		}
		held = append(held, p)
	}
	if len(held) == 0 {
		t.Fatal("no payload of the largest size fits")
	}
	left := chunkCount - len(held)*((record.MaxBytes+chunkData-1)/chunkData)
	if _, err := r.Spill(long(left*chunkData, 0)); left > 0 && err != nil {
		t.Errorf("%d chunks should be left: %v", left, err)
	}
	r.Unspill(held[0])
	if _, err := r.Spill(long(record.MaxBytes, 0)); err != nil {
		t.Errorf("chunks that were given back are not there: %v", err)
	}
	if _, err := r.Spill(make([]byte, chunkCount*chunkData+1)); err != ErrFull {
		t.Errorf("a payload larger than all chunks: %v, want %v", err, ErrFull)
	}
}

func TestClosedRingGivesNoIndex(t *testing.T) {
	r := newRing(t, Config{First: 5})
	put(t, r, 0, nil)
	r.Close()
	if _, _, err := r.Claim(); err != ErrClosed {
		t.Fatalf("claim: %v, want %v", err, ErrClosed)
	}
	if r.Head() != 6 || r.Len() != 1 {
		t.Fatalf("head %d and %d in use, want 6 and 1", r.Head(), r.Len())
	}
}

func TestCallersAndWriterAgreeOnEveryRecord(t *testing.T) {
	r := newRing(t, Config{First: 1})
	const callers, each = 4, 5000
	var all sync.WaitGroup
	for caller := range callers {
		all.Add(1)
		go func() { // Ends when its records are in.
			defer all.Done()
			for i := 0; i < each; {
				s, index, err := r.Claim()
				if err != nil {
					runtime.Gosched()
					continue
				}
				s.Session = uint64(caller)<<32 | uint64(i)
				r.Publish(s, index, len(append(s.Buffer(), byte(caller), byte(i))))
				i++
			}
		}()
	}
	var next [callers]uint64
	for index := uint64(1); index <= callers*each; {
		s, ok := r.Peek(index)
		if !ok {
			runtime.Gosched()
			continue
		}
		caller, i := s.Session>>32, s.Session&(1<<32-1)
		if payload := r.Payload(s, nil); i != next[caller] || !bytes.Equal(payload, []byte{byte(caller), byte(i)}) {
			t.Fatalf("index %d: record %d of caller %d with payload %v, want record %d", index, i, caller, payload, next[caller])
		}
		next[caller]++
		if index++; index%16 == 0 {
			r.Release(index)
		}
	}
	all.Wait()
}

type found struct {
	Index, Session uint64
	Tombstone      bool
	Payload        string
}

func readDead(t testing.TB, path string, store, next uint64) []found {
	t.Helper()
	var all []found
	err := ReadDead(path, store, next, func(h *record.Head, payload []byte) bool {
		all = append(all, found{h.Index, h.Session, h.Flags&record.FlagTombstone != 0, string(payload)})
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestDeadRingGivesWhatIsNotInAFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ring")
	r := newRing(t, Config{Path: path, Store: 9, First: 1})
	spilled := string(long(3*chunkData, 1))
	put(t, r, 1, []byte("one"))
	put(t, r, 2, []byte("two"))
	put(t, r, 3, []byte(spilled))
	claim(t, r) // its caller is killed here
	put(t, r, 5, []byte("five"))
	r.Release(2)
	want := []found{{2, 2, false, "two"}, {3, 3, false, spilled}, {4, 0, true, ""}, {5, 5, false, "five"}}
	if diff := cmp.Diff(want, readDead(t, path, 9, 2)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if got := readDead(t, path, 9, 1); len(got) != 5 || got[0].Payload != "one" {
		t.Errorf("a released record that is still in its slot is not given: %v", got)
	}
	if got := readDead(t, path, 9, 6); len(got) != 0 {
		t.Errorf("everything is in the files, and yet: %v", got)
	}
}

func TestDeadRingBeginsWhereItsSlotsBegin(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ring")
	r := newRing(t, Config{Path: path, First: 1})
	for range 3 * MinSlots {
		index := put(t, r, 0, nil)
		r.Release(index + 1)
	}
	got := readDead(t, path, 0, 1)
	if len(got) != MinSlots || got[0].Index != 2*MinSlots+1 || got[len(got)-1].Index != 3*MinSlots {
		t.Errorf("%d records from %v, want the last %d", len(got), got, MinSlots)
	}
}

func TestDamagedChunksBecomeATombstone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ring")
	r := newRing(t, Config{Path: path, First: 1})
	put(t, r, 1, long(2*chunkData, 0))
	r.chunk(order.Uint32(r.slots[1].payload[:]) - 1)[chunkHeader+17] ^= 1
	if got := readDead(t, path, 0, 1); len(got) != 1 || !got[0].Tombstone {
		t.Errorf("%d records, want one tombstone", len(got))
	}
}

func TestReadDeadRefusesWhatIsNoRingOfTheLog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ring")
	if err := ReadDead(path, 1, 1, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	newRing(t, Config{Path: path, Store: 1})
	for name, store := range map[string]uint64{"another store": 2} {
		if err := ReadDead(path, store, 1, nil); !errors.Is(err, ErrForeign) {
			t.Errorf("%s: %v, want %v", name, err, ErrForeign)
		}
	}
	if err := os.Truncate(path, headerBytes+100); err != nil {
		t.Fatal(err)
	}
	if err := ReadDead(path, 1, 1, nil); !errors.Is(err, ErrForeign) {
		t.Errorf("a short file: %v, want %v", err, ErrForeign)
	}
}

func TestCreateRefusesBadSizes(t *testing.T) {
	for _, slots := range []int{0, 1, MinSlots - 1, MinSlots + 1, 2 * MaxSlots} {
		if _, err := Create(Config{Slots: slots}); err == nil {
			t.Errorf("%d slots are taken", slots)
		}
	}
	if _, err := Create(Config{Slots: MinSlots, Path: filepath.Join(t.TempDir(), "none", "ring")}); err == nil {
		t.Error("a directory that is not there is taken")
	}
}

func TestRingsDoNotAllocate(t *testing.T) {
	r := newRing(t, Config{First: 1})
	index := uint64(1)
	if got := testing.AllocsPerRun(100, func() {
		s, _, _ := r.Claim()
		r.Publish(s, index, len(append(s.Buffer(), "payload"...)))
		s, _ = r.Peek(index)
		r.Payload(s, nil)
		index++
		r.Release(index)
	}); got != 0 {
		t.Errorf("%v allocations per record", got)
	}
}

// The image of a dead ring is a file, and so hostile.
func FuzzReadDead(f *testing.F) {
	r := newRing(f, Config{First: 1})
	put(f, r, 1, []byte("short"))
	put(f, r, 2, long(2*chunkData, 0))
	claim(f, r)
	f.Add(uint16(headOffset), uint64(1)<<40, uint32(1))
	f.Add(uint16(headerBytes+slotBytes+28), uint64(1)<<31, uint32(1))
	f.Add(uint16(headerBytes+2*slotBytes+32), uint64(5), uint32(0))
	image := bytes.Clone(unsafe.Slice(unsafe.SliceData(r.memory), len(r.memory)))
	f.Fuzz(func(t *testing.T, at uint16, word uint64, next uint32) {
		if int(at)+8 > len(image) {
			return
		}
		old := order.Uint64(image[at:])
		defer order.PutUint64(image[at:], old)
		order.PutUint64(image[at:], word)
		d, err := parseDead(image, 0)
		if err != nil {
			return
		}
		for index, n := d.first(uint64(next)), 0; index < d.head && n < MinSlots; index, n = index+1, n+1 {
			h, payload := d.read(index)
			if h.Index != index || len(payload) > record.MaxBytes-record.HeadBytes {
				t.Fatalf("index %d came out as %d with %d bytes", index, h.Index, len(payload))
			}
		}
	})
}

func BenchmarkRecord(b *testing.B) {
	r := newRing(b, Config{First: 1, Slots: 1 << 12})
	index := uint64(1)
	b.ReportAllocs()
	for b.Loop() {
		s, _, _ := r.Claim()
		r.Publish(s, index, len(append(s.Buffer(), "payload"...)))
		index++
		if index%256 == 0 {
			r.Release(index)
		}
	}
}
