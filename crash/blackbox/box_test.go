package blackbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// newBox makes a box in a folder of its own.
func newBox(t testing.TB) (*Box, string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.box")
	b, err := Create(path, Header{PID: 42, Started: time.Unix(7, 8), Boot: 9, Build: "build/id", Name: "game-1"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	return b, path
}

// state reads the box from its file where there is one.
func state(t testing.TB, b *Box, path string) *State {
	t.Helper()
	if !b.Shared() {
		return b.State()
	}
	s, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestReadReturnsWhatWasWritten(t *testing.T) {
	b, path := newBox(t)
	idle, _ := b.Loop("worker 0")
	busy, _ := b.Loop("zone 3")
	idle.Begin()
	idle.End()
	busy.Begin()
	busy.End()
	busy.Begin()
	b.Note("one")
	b.Note("two\x1b[31m\nthree")
	b.Metrics([]byte(`{"old":1}`))
	b.Metrics([]byte(`{"new":2}`))
	b.Exclude(0, 0x1000, 32)
	b.Exclude(5, 0x5000, 64)
	b.Exclude(6, 0x6000, 64)
	b.Include(6)
	b.Step(0)
	b.Step(1)
	b.Step(1)
	b.Panic()

	want := &State{
		Header:   Header{PID: 42, Started: time.Unix(7, 8), Boot: 9, Build: "build/id", Name: "game-1"},
		Loops:    []Loop{{"worker 0", 1, false}, {"zone 3", 2, true}},
		Metrics:  []byte(`{"new":2}`),
		Excluded: []Range{{0x1000, 32}, {0x5000, 64}},
		Notes:    []string{"one", "two [31m three"},
		Steps:    [2]uint64{1, 2},
		Panics:   1,
	}
	if got := state(t, b, path); !reflect.DeepEqual(got, want) {
		t.Errorf("Read: %+v, want %+v", got, want)
	}
	if got := b.State(); !reflect.DeepEqual(got, want) {
		t.Errorf("State: %+v, want %+v", got, want)
	}
}

func TestLimitsCutRefuseAndCount(t *testing.T) {
	b, path := newBox(t)
	for i := range MaxNotes + 3 {
		b.Note(fmt.Sprint("note ", i))
	}
	b.Note(strings.Repeat("x", MaxNote-1) + "é")
	long := slices.Repeat([]byte("m"), MaxMetrics+1)
	b.Metrics(long)
	for _, r := range []struct {
		key        uint64
		addr, size uintptr
		want       bool
	}{
		{MaxExcluded - 1, 1, MaxRangeBytes, true},
		{MaxExcluded, 1, 1, false},
		{0, 1, MaxRangeBytes + 1, false},
		{0, ^uintptr(0), 2, false},
	} {
		if got := b.Exclude(r.key, r.addr, r.size); got != r.want {
			t.Errorf("Exclude(%d, %#x, %d) = %t", r.key, r.addr, r.size, got)
		}
	}
	b.Include(MaxExcluded)

	s := state(t, b, path)
	if len(s.Notes) != MaxNotes || s.Notes[0] != "note 4" || s.Notes[MaxNotes-1] != strings.Repeat("x", MaxNote-1) || s.NotesCut != 1 {
		t.Errorf("notes %q, %d cut", s.Notes, s.NotesCut)
	}
	if len(s.Metrics) != MaxMetrics || !s.MetricsCut || s.Overlong != 1 {
		t.Errorf("metrics: %d bytes, cut %t, %d too long", len(s.Metrics), s.MetricsCut, s.Overlong)
	}
	if len(s.Excluded) != 1 || s.Refused != 3 {
		t.Errorf("excluded %v, %d refused", s.Excluded, s.Refused)
	}
	b.Metrics(long[:MaxMetrics])
	if s := state(t, b, path); s.MetricsCut || s.Overlong != 1 || len(s.Problems) != 0 {
		t.Errorf("cut %t, %d too long, problems %q", s.MetricsCut, s.Overlong, s.Problems)
	}
}

func TestLoopsAreLimitedAndTheirSlotsUsedAgain(t *testing.T) {
	b, path := newBox(t)
	var beats []*Beat
	for i := range MaxLoops {
		beat, err := b.Loop(fmt.Sprint("loop ", i))
		if err != nil {
			t.Fatal(err)
		}
		beat.Begin()
		beats = append(beats, beat)
	}
	if beat, err := b.Loop("one more"); beat != nil || err == nil {
		t.Errorf("loop %d: %v, %v", MaxLoops, beat, err)
	}
	beats[7].Close()
	if n := len(state(t, b, path).Loops); n != MaxLoops-1 {
		t.Errorf("%d loops after one closed", n)
	}
	if _, err := b.Loop("x"); err != nil {
		t.Fatal(err)
	}
	if got, want := b.Loops(nil)[7], (Loop{Name: "x"}); got != want {
		t.Errorf("slot used again: %+v, want %+v", got, want)
	}
	for _, name := range []string{"", strings.Repeat("n", MaxLoopName+1)} {
		if _, err := b.Loop(name); err == nil {
			t.Errorf("Loop(%q) is no error", name)
		}
	}
}

func TestATurnCutShortByAPanicDoesNotTurnBusyAround(t *testing.T) {
	b, _ := newBox(t)
	beat, _ := b.Loop("w")
	beat.End()
	if got := b.Loops(nil)[0]; got.Busy || got.Count != 0 {
		t.Errorf("End alone: %+v", got)
	}
	beat.Begin()
	beat.Begin()
	if got := b.Loops(nil)[0]; !got.Busy || got.Count != 2 {
		t.Errorf("Begin twice: %+v", got)
	}
	beat.End()
	if got := b.Loops(nil)[0]; got.Busy || got.Count != 2 {
		t.Errorf("End: %+v", got)
	}
}

func TestDeadmanIsSeenFromOutside(t *testing.T) {
	b, path := newBox(t)
	if limit, due := b.Due(); limit != 0 || due != 0 {
		t.Errorf("due %d after %v of a box that was told nothing", due, limit)
	}
	b.Deadman(3*time.Second, 42)
	watcher := b
	if b.Shared() {
		var err error
		if watcher, err = Open(path); err != nil {
			t.Fatal(err)
		}
		defer watcher.Close()
		watcher.Deadman(time.Hour, 7) // is the owner's to say
	}
	if limit, due := watcher.Due(); limit != 3*time.Second || due != 42 {
		t.Errorf("due %d after %v, want 42 after 3 s", due, limit)
	}
	for _, odd := range []struct{ limit, due int64 }{{3, 0}, {3, -1}, {-3, 42}, {0, 42}} {
		b.image.live.deadman.Store(odd.limit)
		b.image.live.due.Store(odd.due)
		if limit, due := watcher.Due(); limit != 0 || due != 0 {
			t.Errorf("due %d after %v of %v, want nothing", due, limit, odd)
		}
	}
}

func TestNilBoxAndNilBeatDoNothing(t *testing.T) {
	var b *Box
	beat, err := b.Loop("w")
	if beat != nil || err != nil {
		t.Errorf("Loop: %v, %v", beat, err)
	}
	beat.Begin()
	beat.End()
	beat.Close()
	b.Note("n")
	b.Metrics(nil)
	b.Include(1)
	b.Step(0)
	if b.Exclude(0, 1, 1) || b.Steps(0) != 0 || b.Shared() || b.Loops(nil) != nil || b.State().PID != 0 || b.Close() != nil {
		t.Error("a nil box holds something")
	}
}

func TestHeaderThatDoesNotFitIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.box")
	for _, h := range []Header{{Build: strings.Repeat("b", MaxBuild+1)}, {Name: strings.Repeat("n", MaxName+1)}} {
		if _, err := Create(path, h); err == nil {
			t.Errorf("Create with build of %d and name of %d bytes is no error", len(h.Build), len(h.Name))
		}
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file was left: %v", err)
	}
	b, err := Create(path, Header{Build: strings.Repeat("b", MaxBuild), Name: strings.Repeat("n", MaxName)})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	s := state(t, b, path)
	if s.PID != os.Getpid() || len(s.Build) != MaxBuild || len(s.Name) != MaxName || time.Since(s.Started) > time.Minute {
		t.Errorf("header: %+v", s.Header)
	}
}

// Everybody writes while everybody reads, under the race detector as well.
func TestWritersAndReadersDoNotDisturbEachOther(t *testing.T) {
	b, path := newBox(t)
	const rounds = 300
	var wg sync.WaitGroup
	for g := range 4 {
		// Each goroutine ends by itself.
		wg.Go(func() {
			beat, _ := b.Loop(fmt.Sprint("loop ", g))
			defer beat.Close()
			for i := range rounds {
				beat.Begin()
				b.Note(fmt.Sprintf("%d %d", g, i))
				b.Metrics(slices.Repeat([]byte{byte('a' + i%26)}, i))
				b.Exclude(uint64(g), uintptr(i)<<12, uintptr(i))
				beat.End()
			}
		})
	}
	for range 30 {
		for _, s := range []*State{b.State(), state(t, b, path)} {
			if len(s.Problems) != 0 || s.PID != 42 || len(s.Loops) > 4 {
				t.Fatalf("while written: %+v", s)
			}
			if text := s.Metrics; len(text) > 0 && len(slices.Compact(slices.Clone(text))) != 1 {
				t.Fatalf("metrics of two writes: %q", text)
			}
			for _, r := range b.State().Excluded {
				if r.Addr>>12 != r.Size {
					t.Fatalf("a range of two writes: %+v", r)
				}
			}
		}
		runtime.Gosched()
	}
	wg.Wait()
	if s := state(t, b, path); len(s.Notes) != MaxNotes || s.Changed || len(s.Loops) != 0 {
		t.Errorf("after: %d notes, changed %t, loops %v", len(s.Notes), s.Changed, s.Loops)
	}
}

// A range that is read while its owner writes is one that the owner wrote, or
// none: never the address of one and the size of another.
func TestARangeIsNeverHalfOfTwo(t *testing.T) {
	b, _ := newBox(t)
	var wg sync.WaitGroup
	var stop atomic.Bool
	// The goroutine ends when stop is set.
	wg.Go(func() {
		for i := uintptr(1); !stop.Load(); i = i%MaxRangeBytes + 1 { // so far that no size comes back
			b.Exclude(0, i<<12, i)
		}
	})
	slot := &b.image.excluded[0]
	for range 300_000 {
		if r := slot.load(); r.Size != 0 && r.Addr>>12 != r.Size {
			t.Errorf("got %+v", r)
			break
		}
	}
	stop.Store(true)
	wg.Wait()
}

func TestHotCallsDoNotAllocate(t *testing.T) {
	b, _ := newBox(t)
	beat, _ := b.Loop("w")
	line, text := strings.Repeat("l", 2*MaxNote), make([]byte, 1000)
	for name, f := range map[string]func(){
		"Begin and End":       func() { beat.Begin(); beat.End() },
		"Exclude and Include": func() { b.Exclude(3, 4096, 32); b.Include(3) },
		"Note":                func() { b.Note(line) },
		"Metrics":             func() { b.Metrics(text) },
		"Step and Steps":      func() { b.Step(1); b.Steps(1) },
		"Panic and Panics":    func() { b.Panic(); b.Panics() },
	} {
		if n := testing.AllocsPerRun(100, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	loops := make([]Loop, 0, 4)
	if n := testing.AllocsPerRun(100, func() { loops = b.Loops(loops[:0]) }); n > 1 {
		t.Errorf("Loops: %v allocations, want the name's at most", n)
	}
}

func BenchmarkBeat(b *testing.B) {
	box, _ := newBox(b)
	beat, _ := box.Loop("w")
	for b.Loop() {
		beat.Begin()
		beat.End()
	}
}

func BenchmarkExclude(b *testing.B) {
	box, _ := newBox(b)
	for b.Loop() {
		box.Exclude(7, 1<<20, 32)
		box.Include(7)
	}
}

func BenchmarkNote(b *testing.B) {
	box, _ := newBox(b)
	line := strings.Repeat("l", 100)
	for b.Loop() {
		box.Note(line)
	}
}

func BenchmarkRead(b *testing.B) {
	box, path := newBox(b)
	if !box.Shared() {
		b.Skip("the box is on the heap")
	}
	for b.Loop() {
		if _, err := Read(path); err != nil {
			b.Fatal(err)
		}
	}
}
