package segment

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Aside is a file that keeps what recovery took out of a log because it was damaged.
type Aside struct {
	Name  string // in the directory
	Base  uint64 // of the segment it was taken out of
	Bytes int64
}

// Orphan is a block index or postings without the data they were made from.
type Orphan struct {
	Name string // in the directory
	Base uint64 // of the segment that is gone
}

// Salvage tells of the whole records that a file which was set aside has at any byte.
type Salvage struct {
	Records     int
	First, Last uint64 // the least and the greatest index; 0, 0 without records
}

// listing is what the names in a directory tell.
type listing struct {
	bases   []uint64 // of segments with data, ascending
	asides  []Aside  // ascending by name, without sizes
	orphans []Orphan // candidates, ascending by name
}

// add takes note of a name.
func (l *listing) add(name string) {
	base, suffix, ok := parseName(name)
	switch {
	case !ok || strings.HasSuffix(suffix, suffixTemp):
	case suffix == suffixLog || suffix == suffixZstd:
		l.bases = append(l.bases, base)
	case isAside(suffix):
		l.asides = append(l.asides, Aside{Name: name, Base: base})
	default:
		l.orphans = append(l.orphans, Orphan{Name: name, Base: base})
	}
}

// settle sorts. Index and postings before the first data are what a removal has not come to yet: no orphans.
func (l *listing) settle() {
	slices.Sort(l.bases)
	l.bases = slices.Compact(l.bases)
	slices.SortFunc(l.asides, func(a, b Aside) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(l.orphans, func(a, b Orphan) int { return strings.Compare(a.Name, b.Name) })
	l.orphans = slices.DeleteFunc(l.orphans, func(o Orphan) bool {
		_, there := slices.BinarySearch(l.bases, o.Base)
		return there || len(l.bases) > 0 && o.Base < l.bases[0]
	})
}

// Asides gives the files that recovery has set aside, ascending by name, as of Open or the last Refresh. It looks at the size
// of each; those that retention has removed meanwhile are left out. Any goroutine may call it.
func (d *Dir) Asides() (asides []Aside) {
	d.mu.Lock()
	all := d.asides
	d.mu.Unlock()
	for _, a := range all {
		if info, err := os.Stat(filepath.Join(d.path, a.Name)); err == nil {
			a.Bytes = info.Size()
			asides = append(asides, a)
		}
	}
	return asides
}

// Orphans gives index and postings that have lost their data, ascending by name, as of Open or the last Refresh: the next
// writer sets them aside. What retention or compression is about to do makes none. Any goroutine may call it.
func (d *Dir) Orphans() (orphans []Orphan) {
	d.mu.Lock()
	all := d.orphans
	d.mu.Unlock()
	for _, o := range all {
		// In this order: a .log that is gone has its .zst in place already.
		if d.has(fileName(o.Base, suffixLog)) || d.has(fileName(o.Base, suffixZstd)) || !d.has(o.Name) {
			continue
		}
		orphans = append(orphans, o)
	}
	return orphans
}

func (d *Dir) has(name string) bool {
	_, err := os.Stat(filepath.Join(d.path, name))
	return !errors.Is(err, fs.ErrNotExist)
}

// Salvage counts the whole records in a file that was set aside. It reads all of it, a block at a time, until ctx ends; the
// error of one that is gone wraps ErrRemoved.
func (d *Dir) Salvage(ctx context.Context, a Aside) (Salvage, error) {
	f, err := os.Open(filepath.Join(d.path, a.Name))
	if errors.Is(err, fs.ErrNotExist) {
		err = ErrRemoved
	}
	if err != nil {
		return Salvage{}, fmt.Errorf("read %q in %q: %w", a.Name, d.path, err)
	}
	defer f.Close()
	found, err := salvage(endable{ctx, f}, 0, min(a.Bytes, MaxSegmentBytes), a.Base)
	if err != nil {
		return Salvage{}, fmt.Errorf("read %q in %q: %w", a.Name, d.path, err)
	}
	return Salvage{Records: found.records, First: found.first, Last: found.last}, nil
}

// endable is a file that is read until ctx ends.
type endable struct {
	ctx  context.Context
	file *os.File
}

func (e endable) ReadAt(b []byte, at int64) (int, error) {
	if err := e.ctx.Err(); err != nil {
		return 0, err
	}
	return e.file.ReadAt(b, at)
}

// Emptied is an error that wraps ErrCorrupt when the data have not even a header although index or postings are there, which
// are made behind the first records: what was in the segment is lost. Else it is nil.
func (s *Segment) Emptied() error {
	beside := func() bool {
		return s.dir.has(fileName(s.base, suffixIndex)) || s.dir.has(fileName(s.base, suffixWarn))
	}
	// Its writer may begin it meanwhile: so the data are looked at once more.
	if !s.unborn() || !beside() || !s.unborn() {
		return nil
	}
	return fmt.Errorf("%w: no records in it, but index or postings beside it", ErrCorrupt)
}

// unborn tells whether the data have no header yet.
func (s *Segment) unborn() bool {
	_, err := s.load()
	return errors.Is(err, errUnborn)
}
