package blackbox

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// fullImage is a box with something in each part.
func fullImage() *image {
	b := &Box{image: new(image), owner: true}
	b.image.putHeader(&Header{PID: 1, Build: "b", Name: "n"})
	for _, name := range []string{"one", "two"} {
		beat, _ := b.Loop(name)
		beat.Begin()
	}
	for range MaxNotes + 5 {
		b.Note("a note")
	}
	b.Metrics([]byte("older"))
	b.Metrics([]byte("newer"))
	for i := range uint64(10) {
		b.Exclude(i, uintptr(i+1)<<20, 4096)
	}
	return b.image
}

func TestReadLeavesOutWhatMakesNoSenseAndSaysSo(t *testing.T) {
	cases := []struct {
		name    string
		damage  func(m *image)
		problem string // of the one problem, "" for none
		holds   func(s *State) bool
	}{
		{"nothing", func(*image) {}, "", func(s *State) bool {
			return len(s.Loops) == 2 && len(s.Notes) == MaxNotes && string(s.Metrics) == "newer" && len(s.Excluded) == 10
		}},
		{"a loop of an odd kind", func(m *image) { m.loops[9].used.Store(7) }, "loop 9", func(s *State) bool { return len(s.Loops) == 2 }},
		{"a loop's name too long", func(m *image) { m.loops[0].size = 48 }, "loop 0", func(s *State) bool { return len(s.Loops) == 1 }},
		{"a loop's name without end", func(m *image) { m.loops[0].size = 1 << 31 }, "loop 0", func(s *State) bool { return len(s.Loops) == 1 }},
		{"a loop's name of bytes", func(m *image) { copy(m.loops[0].name[:], "\xff\x1b\x00") }, "", func(s *State) bool { return s.Loops[0].Name == "\uFFFD  " }},
		{"a note's text", func(m *image) { m.notes[3].body[0]++ }, "note 3", func(s *State) bool { return len(s.Notes) == MaxNotes-1 }},
		{"a note's length", func(m *image) { m.notes[3].text.size = 1 << 31 }, "note 3", func(s *State) bool { return len(s.Notes) == MaxNotes-1 }},
		{"a note of another number", func(m *image) { m.notes[3].text.number.Add(MaxNotes) }, "note 3", func(s *State) bool { return len(s.Notes) == MaxNotes-1 }},
		{"a note in another's place", func(m *image) { m.notes[3].text.put(4, nil) }, "note 3", func(s *State) bool { return len(s.Notes) == MaxNotes-1 }},
		{"a note taken out", func(m *image) { m.notes[3].text.take() }, "", func(s *State) bool { return len(s.Notes) == MaxNotes-1 }},
		{"the newer metrics", func(m *image) { m.metrics[0].body[0]++ }, "metrics 0", func(s *State) bool { return string(s.Metrics) == "older" }},
		{"the newer metrics taken out", func(m *image) { m.metrics[0].text.take() }, "", func(s *State) bool { return string(s.Metrics) == "older" }},
		{"the older metrics", func(m *image) { m.metrics[1].text.size = MaxMetrics + 1 }, "metrics 1", func(s *State) bool { return string(s.Metrics) == "newer" }},
		{"a range that is too long", func(m *image) { m.excluded[2].size.Store(MaxRangeBytes + 1) }, "excluded range 2", func(s *State) bool { return len(s.Excluded) == 9 }},
		{"a range around the end", func(m *image) { m.excluded[2].addr.Store(1<<64 - 1) }, "excluded range 2", func(s *State) bool { return len(s.Excluded) == 9 }},
		{"the end of the ranges", func(m *image) { m.live.excludedEnd.Store(1 << 63) }, "slots in use", func(s *State) bool { return len(s.Excluded) == 10 }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			m := fullImage()
			c.damage(m)
			s := merge(m, m)
			if c.problem == "" && len(s.Problems) != 0 || c.problem != "" && (len(s.Problems) != 1 || !strings.Contains(s.Problems[0], c.problem)) {
				t.Errorf("problems %q, want %q", s.Problems, c.problem)
			}
			if !c.holds(s) {
				t.Errorf("got %+v", s)
			}
		})
	}
}

func TestReadRefusesWhatIsNoBox(t *testing.T) {
	sound := fullImage().bytes()
	resum := func(b []byte) []byte {
		m := new(image)
		copy(m.bytes(), b)
		m.header.crc = m.headerCRC()
		return m.bytes()
	}
	put := func(at int, v byte) []byte {
		b := slices.Clone(sound)
		b[at] = v
		return b
	}
	for name, content := range map[string][]byte{
		"empty":            nil,
		"text":             []byte("this is no box"),
		"zeros":            make([]byte, fileBytes),
		"short":            sound[:fileBytes-1],
		"header alone":     sound[:headerBytes],
		"long":             append(slices.Clone(sound), 0),
		"magic":            resum(put(0, 'X')),
		"version":          resum(put(8, 2)),
		"header size":      resum(put(12, 1)),
		"file size":        resum(put(16, 1)),
		"build too long":   resum(put(49, 1)),
		"name too long":    resum(put(51, 1)),
		"pid without crc":  put(24, 200),
		"name without crc": put(192, 'X'),
	} {
		path := filepath.Join(t.TempDir(), "a.box")
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if s, err := Read(path); !errors.Is(err, ErrFormat) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %+v, %v", name, s, err)
		}
		if b, err := Open(path); err == nil {
			t.Errorf("%s: opened %+v", name, b)
		}
	}
	if _, err := Read(t.TempDir()); !errors.Is(err, ErrFormat) {
		t.Errorf("folder: %v", err)
	}
	if _, err := Read(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// A file that becomes shorter while it is read is refused, not waited for.
func TestReadRefusesAFileThatShrinks(t *testing.T) {
	sound := fullImage().bytes()
	for _, size := range []int{0, 100, 4096, 176128, 176128 + 159} {
		if _, err := readImage(bytes.NewReader(sound[:size])); !errors.Is(err, ErrFormat) {
			t.Errorf("%d bytes: %v", size, err)
		}
	}
	if _, err := readImage(bytes.NewReader(sound[:176128+160])); err != nil {
		t.Errorf("all that is in use: %v", err)
	}
	if _, err := readImage(brokenDisk{}); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("disk: %v", err)
	}
}

type brokenDisk struct{}

func (brokenDisk) ReadAt([]byte, int64) (int, error) { return 0, io.ErrNoProgress }

// What either copy excludes is excluded; the rest is the later one's.
func TestReadOfALivingBoxExcludesBeforeAndAfter(t *testing.T) {
	before, after := fullImage(), fullImage()
	after.excluded[0].addr.Store(0xabc000)
	after.excluded[1].size.Store(0)
	after.notes[3].body[0]++ // being written
	s := merge(before, after)
	for _, want := range []Range{{1 << 20, 4096}, {0xabc000, 4096}, {2 << 20, 4096}} {
		if !slices.Contains(s.Excluded, want) {
			t.Errorf("%+v is not excluded: %v", want, s.Excluded)
		}
	}
	if !s.Changed || len(s.Excluded) != 11 || len(s.Problems) != 0 || len(s.Notes) != MaxNotes-1 {
		t.Errorf("got %+v", s)
	}
}

func TestReadAllocatesLittleWhateverTheFileHolds(t *testing.T) {
	before, after := fullImage(), fullImage()
	for _, m := range []*image{before, after} {
		m.live.excludedEnd.Store(1<<64 - 1)
		for i := range m.excluded {
			m.excluded[i].size.Store(1)
			m.excluded[i].addr.Store(uint64(i))
		}
		for i := range m.loops {
			m.loops[i].used.Store(2)
		}
	}
	after.excluded[0].addr.Store(77777777)
	var start, end runtime.MemStats
	runtime.ReadMemStats(&start)
	a, err := readImage(bytes.NewReader(before.bytes()))
	b, err2 := readImage(bytes.NewReader(after.bytes()))
	if err != nil || err2 != nil {
		t.Fatal(err, err2)
	}
	s := merge(a, b)
	runtime.ReadMemStats(&end)
	if n := end.TotalAlloc - start.TotalAlloc; n > 8<<20 {
		t.Errorf("%d bytes allocated", n)
	}
	if len(s.Excluded) != MaxExcluded+1 || len(s.Problems) != maxProblems || s.Unlisted == 0 {
		t.Errorf("%d ranges, %d problems, %d unlisted", len(s.Excluded), len(s.Problems), s.Unlisted)
	}
}

// FuzzRead changes a sound box at two places, the second in the later copy
// alone, and takes its header's sum anew, so that what lies behind it is met.
func FuzzRead(f *testing.F) {
	f.Add(uint32(0), []byte("VITRBOX1"), uint32(0), []byte{}, true)
	f.Add(uint32(48), []byte{255, 255, 255, 255}, uint32(392), []byte{255, 255, 255, 255, 255, 255, 255, 255}, true)
	f.Add(uint32(4096), bytes.Repeat([]byte{255}, 64), uint32(20480), bytes.Repeat([]byte{1}, 256), true)
	f.Add(uint32(36864), bytes.Repeat([]byte{2}, 16), uint32(36864+69632), []byte{1, 0, 0}, false)
	f.Add(uint32(176128), bytes.Repeat([]byte{255}, 160), uint32(176128), bytes.Repeat([]byte{127}, 32), true)
	sound := slices.Clone(fullImage().bytes())
	copies := [2]*image{new(image), new(image)} // a worker of the fuzzer runs one call at a time
	f.Fuzz(func(t *testing.T, at uint32, patch []byte, at2 uint32, patch2 []byte, resum bool) {
		for i, m := range copies {
			b := m.bytes()
			copy(b, sound)
			copy(b[at%fileBytes:], patch)
			if i == 1 {
				copy(b[at2%fileBytes:], patch2)
			}
			if resum {
				m.header.crc = m.headerCRC()
			}
		}
		before, err := readImage(bytes.NewReader(copies[0].bytes()))
		after, err2 := readImage(bytes.NewReader(copies[1].bytes()))
		if err = errors.Join(err, err2); err != nil {
			if !errors.Is(err, ErrFormat) {
				t.Fatal(err)
			}
			return
		}
		checkState(t, merge(before, after))
	})
}

// checkState finds what no box may make Read say.
func checkState(t *testing.T, s *State) {
	t.Helper()
	if len(s.Loops) > MaxLoops || len(s.Notes) > MaxNotes || len(s.Metrics) > MaxMetrics ||
		len(s.Excluded) > 2*MaxExcluded || len(s.Problems) > maxProblems {
		t.Fatalf("beyond a limit: %d loops, %d notes, %d bytes, %d ranges, %d problems",
			len(s.Loops), len(s.Notes), len(s.Metrics), len(s.Excluded), len(s.Problems))
	}
	texts := append([]string{s.Name, s.Build}, s.Notes...)
	for _, l := range s.Loops {
		texts = append(texts, l.Name)
	}
	for _, text := range texts {
		if !utf8.ValidString(text) || strings.ContainsAny(text, "\x1b\n\x00") || len(text) > 3*MaxNote {
			t.Fatalf("text %q", text)
		}
	}
	for _, r := range s.Excluded {
		if r.Size == 0 || r.Size > MaxRangeBytes || r.Addr+r.Size < r.Addr {
			t.Fatalf("range %+v", r)
		}
	}
}
