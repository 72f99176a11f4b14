package segment

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
)

// maxOpen bounds the segments whose files a Dir holds open. The one that was opened first is closed for another, and
// opened again when it is asked.
const maxOpen = 64

// ErrRemoved is wrapped by the errors of a segment whose files are gone: retention has removed it. A reader skips it.
var ErrRemoved = errors.New("segment removed")

// Dir is a log directory as a reader sees it, beside its writer or without one. Any goroutine may call it.
type Dir struct {
	path      string    // fixed after Open
	inflaters inflaters // of all segments
	buffers   buffers   // of all segments, each for a block
	entries   buffers   // of all segments, each for a group of the index

	mu       sync.Mutex
	segments []*Segment // guarded by mu: ascending; replaced, never changed
	asides   []Aside    // guarded by mu: replaced, never changed
	orphans  []Orphan   // guarded by mu: candidates; replaced, never changed
	open     []*Segment // guarded by mu: those with open files, the first to go first
	closed   bool       // guarded by mu
}

// Open lists the segments of a directory. It opens none of them: each opens its files when it is first asked.
func Open(dir string) (*Dir, error) {
	d := &Dir{path: dir, buffers: buffers{size: MaxBlockBytes}, entries: buffers{size: max(groupBytes, maxPackedGroup) + ribbonSlack}}
	if err := d.Refresh(); err != nil {
		return nil, err
	}
	return d, nil
}

// Refresh lists the directory again: new segments join, removed ones leave and are closed. Segments that stay are the
// same values. What the list held before stays valid for those who have it.
func (d *Dir) Refresh() error {
	all, err := listNames(d.path)
	if err != nil {
		return fmt.Errorf("list log directory %q: %w", d.path, err)
	}
	left, err := d.replace(&all)
	for _, s := range left {
		err = errors.Join(err, s.Close())
	}
	return err
}

// replace makes the segments those of a listing, and gives the ones that are not among them any more.
func (d *Dir) replace(all *listing) (left []*Segment, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return nil, fmt.Errorf("list log directory %q: %w", d.path, fs.ErrClosed)
	}
	bases := all.bases
	d.asides, d.orphans = all.asides, all.orphans
	segments := make([]*Segment, 0, len(bases))
	for _, base := range bases {
		if i, ok := search(d.segments, base); ok {
			segments = append(segments, d.segments[i])
			continue
		}
		segments = append(segments, &Segment{dir: d, base: base})
	}
	for _, s := range d.segments {
		if _, stays := slices.BinarySearch(bases, s.base); !stays {
			left = append(left, s)
		}
	}
	d.segments = segments
	return left, nil
}

// search finds the place of a base among ascending segments.
func search(segments []*Segment, base uint64) (int, bool) {
	return slices.BinarySearchFunc(segments, base, func(s *Segment, base uint64) int {
		if s.base < base {
			return -1
		}
		return int(min(s.base-base, 1))
	})
}

// listNames reads the names in a directory.
func listNames(dir string) (all listing, err error) {
	f, err := os.Open(dir)
	if err != nil {
		return all, err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		return all, err
	}
	for _, name := range names {
		all.add(name)
	}
	all.settle()
	return all, nil
}

// Segments gives the segments, ascending by index, as of Open or the last Refresh. The slice must not be changed.
func (d *Dir) Segments() []*Segment {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.segments
}

// From gives the segments that may hold records from an index on: the last that begins at or before it, and those
// behind. It opens nothing.
func (d *Dir) From(index uint64) []*Segment {
	segments := d.Segments()
	i, found := search(segments, index)
	if !found && i > 0 {
		i--
	}
	return segments[i:]
}

// Close closes the files of all segments. Their methods fail with fs.ErrClosed from then on.
func (d *Dir) Close() error {
	d.mu.Lock()
	open := d.open
	d.open, d.closed = nil, true
	d.mu.Unlock()
	var errs []error
	for _, s := range open {
		errs = append(errs, s.Close())
	}
	return errors.Join(errs...)
}

// opened notes that a segment holds files, and closes the oldest when they are too many.
func (d *Dir) opened(s *Segment) error {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return errors.Join(fmt.Errorf("log directory %q: %w", d.path, fs.ErrClosed), s.Close())
	}
	d.open = append(d.open, s)
	var oldest *Segment
	if len(d.open) > maxOpen {
		oldest = d.open[0]
		d.open = slices.Delete(d.open, 0, 1)
	}
	d.mu.Unlock()
	if oldest != nil {
		return oldest.Close()
	}
	return nil
}

// forget takes a segment that holds no files any more off the list.
func (d *Dir) forget(s *Segment) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i := slices.Index(d.open, s); i >= 0 {
		d.open = slices.Delete(d.open, i, i+1)
	}
}

func (d *Dir) name(base uint64, suffix string) string {
	return filepath.Join(d.path, fileName(base, suffix))
}

// size is that of a file of a segment, 0 when it is not there.
func (d *Dir) size(base uint64, suffix string) int64 {
	info, err := os.Stat(d.name(base, suffix))
	if err != nil {
		return 0
	}
	return info.Size()
}
