package blackbox

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"
	"unicode"
	"unsafe"
)

const (
	maxProblems = 16 // problems that State tells one by one
	maxLoads    = 16 // times a range that is being written is read again
)

// State is what a box held. It is a copy; nothing in it changes.
type State struct {
	Header
	Closed  bool // the process closed it; false after a kill
	Changed bool // it was written to while it was read

	Loops      []Loop
	Metrics    []byte // nil when there were none
	MetricsCut bool   // they were longer than MaxMetrics
	Excluded   []Range
	Notes      []string // oldest first, control characters taken out
	Steps      [Monitors]uint64
	Panics     uint64 // that the process has caught

	NotesCut uint64   // notes that were too long
	Overlong uint64   // metrics that were too long
	Refused  uint64   // ranges that Exclude did not take
	Problems []string // what did not make sense and was left out, the first few
	Unlisted int      // problems beyond those
}

// numbered is a note under its number.
type numbered struct {
	number uint64
	line   string
}

// Read reads the box at path, of a dead process or a living one. It trusts
// nothing in it: what makes no sense is left out and told in Problems, and only
// a file that is no box of this version is an error, ErrFormat, or the
// system's, with the path.
//
// Of a box that is being written to, the excluded ranges are those before and
// those after; of a process that is stopped they are exactly its own, so read
// them before it goes on.
func Read(path string) (*State, error) {
	s, err := readPath(path)
	if err != nil {
		return nil, fmt.Errorf("read black box %q: %w", path, err)
	}
	return s, nil
}

// State returns what the box holds now, as Read would.
func (b *Box) State() *State {
	s := new(State)
	if b == nil {
		return s
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	s.parse(b.image)
	s.exclude(b.image)
	return s
}

func readPath(path string) (*State, error) {
	f, err := openRegular(path, os.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	before, err := readImage(f)
	if err != nil {
		return nil, err
	}
	after, err := readImage(f)
	if err != nil {
		return nil, err
	}
	return merge(before, after), nil
}

// openRegular opens a regular file and nothing else: a pipe or a device would
// block or never end.
func openRegular(path string, flag int) (*os.File, error) {
	info, err := os.Lstat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: not a regular file", ErrFormat)
	}
	f, err := os.OpenFile(path, flag, 0)
	if err != nil {
		return nil, err
	}
	if info, err = f.Stat(); err == nil && info.Size() != fileBytes {
		err = fmt.Errorf("%w: %d bytes", ErrFormat, info.Size())
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return f, nil
}

// readImage reads a box whose header is sound, of the excluded ranges only the
// slots in use.
func readImage(r io.ReaderAt) (*image, error) {
	m := new(image)
	used := int64(unsafe.Offsetof(m.excluded))
	if err := readAt(r, m.bytes()[:used], 0); err != nil {
		return nil, err
	}
	if err := m.check(); err != nil {
		return nil, err
	}
	end := min(m.live.excludedEnd.Load(), MaxExcluded)
	ranges := m.bytes()[used : used+int64(end)*int64(unsafe.Sizeof(rangeSlot{}))]
	return m, readAt(r, ranges, used)
}

// readAt fills b. A file that has become shorter is none of ours.
func readAt(r io.ReaderAt, b []byte, at int64) error {
	n, err := r.ReadAt(b, at)
	switch {
	case n == len(b):
		return nil
	case err == io.EOF:
		return fmt.Errorf("%w: %d bytes", ErrFormat, at+int64(n))
	default:
		return err
	}
}

// merge returns what two copies of a box say: the ranges that either excludes,
// of everything else the later one.
func merge(before, after *image) *State {
	s := &State{Changed: !bytes.Equal(before.bytes(), after.bytes())}
	s.parse(after)
	s.exclude(after)
	if s.Changed {
		s.exclude(before)
		s.Excluded = union(s.Excluded)
	}
	return s
}

// union sorts the ranges and leaves out those that stand twice.
func union(r []Range) []Range {
	slices.SortFunc(r, func(a, b Range) int {
		return cmp.Or(cmp.Compare(a.Addr, b.Addr), cmp.Compare(a.Size, b.Size))
	})
	return slices.Compact(r)
}

// parse reads everything but the ranges.
func (s *State) parse(m *image) {
	h := &m.header
	s.Header = Header{
		PID:     int(h.pid),
		Started: time.Unix(0, h.started),
		Boot:    h.boot,
		Build:   clean(h.build[:min(h.buildLen, MaxBuild)]),
		Name:    clean(h.name[:min(h.nameLen, MaxName)]),
	}
	s.Closed = m.live.closed.Load() == 1
	s.NotesCut = m.live.notesCut.Load()
	s.Overlong = m.live.metricsCut.Load()
	s.Refused = m.live.refused.Load()
	s.Panics = m.live.panics.Load()
	for i := range s.Steps {
		s.Steps[i] = m.live.steps[i].count.Load()
	}
	s.parseLoops(m)
	s.parseNotes(m)
	s.parseMetrics(m)
}

func (s *State) parseLoops(m *image) {
	for i := range m.loops {
		slot := &m.loops[i]
		switch used := slot.used.Load(); {
		case used == 0:
		case used == 1 && slot.size > 0 && slot.size <= MaxLoopName:
			s.Loops = append(s.Loops, slot.loop())
		default:
			s.problem("loop %d: in use %d, a name of %d bytes", i, used, slot.size)
		}
	}
}

// parseNotes reads the notes whose number belongs where they stand.
func (s *State) parseNotes(m *image) {
	var found []numbered
	for i := range m.notes {
		slot := &m.notes[i]
		text, number, damaged := slot.text.whole(slot.body[:])
		switch {
		case damaged && s.Changed:
		case damaged || number != 0 && number%MaxNotes != uint64(i):
			s.problem("note %d: damaged", i)
		case number != 0:
			found = append(found, numbered{number, clean(text)})
		}
	}
	slices.SortFunc(found, func(a, b numbered) int { return cmp.Compare(a.number, b.number) })
	for _, n := range found {
		s.Notes = append(s.Notes, n.line)
	}
}

// parseMetrics takes the newer half that is whole.
func (s *State) parseMetrics(m *image) {
	var newest uint64
	for i := range m.metrics {
		h := &m.metrics[i]
		text, number, damaged := h.text.whole(h.body[:])
		if damaged && !s.Changed {
			s.problem("metrics %d: damaged", i)
		}
		if number > newest {
			newest = number
			s.Metrics, s.MetricsCut = slices.Clone(text), h.cut.Load() != 0
		}
	}
}

// exclude adds the ranges of the slots in use.
func (s *State) exclude(m *image) {
	end := m.live.excludedEnd.Load()
	if end > MaxExcluded {
		s.problem("excluded ranges: %d slots in use", end)
		end = MaxExcluded
	}
	s.Excluded = slices.Grow(s.Excluded, int(end))
	for i := range end {
		r := m.excluded[i].load()
		switch {
		case r.Size == 0:
		case r.Size > MaxRangeBytes || r.Addr+r.Size < r.Addr:
			s.problem("excluded range %d: %d bytes at %#x", i, r.Size, r.Addr)
		default:
			s.Excluded = append(s.Excluded, r)
		}
	}
}

// load reads a slot that its owner may be writing: an address belongs to the
// size that stands there before and after it. It does not try for ever, and
// gives none then: of a process that stands still it reads what there is.
func (r *rangeSlot) load() Range {
	for range maxLoads {
		got := Range{Size: r.size.Load(), Addr: r.addr.Load()}
		if r.size.Load() == got.Size {
			return got
		}
	}
	return Range{}
}

// problem keeps the first few.
func (s *State) problem(format string, args ...any) {
	if len(s.Problems) == maxProblems {
		s.Unlisted++
		return
	}
	s.Problems = append(s.Problems, fmt.Sprintf(format, args...))
}

// clean makes valid, printable UTF-8 of what a file holds.
func clean(b []byte) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(string(b), "\uFFFD"))
}
