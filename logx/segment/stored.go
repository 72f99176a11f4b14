package segment

import (
	"errors"
	"io/fs"
	"path/filepath"
	"time"
)

// stored is a segment as the names of its files tell of it.
type stored struct {
	base   uint64
	plain  bool // BASE.log is there
	zipped bool // BASE.log.zst is there
	index  bool // BASE.idx is there
	warn   bool // BASE.warn is there
	aside  bool // BASE.cut is there, or one more of its kind
	bytes  int64
	sealed time.Time // when its index was written last, or its data where there is no index
	names  []string  // without those of temporary files
}

// data tells whether there is a segment: index and postings may be left of one that was being removed.
func (s *stored) data() bool { return s.plain || s.zipped }

// leftover tells that there are index and postings alone.
func (s *stored) leftover() bool { return !s.data() && !s.aside }

// orphaned tells that index or postings have lost their data.
func (s *stored) orphaned() bool { return !s.data() && (s.index || s.warn) }

// list finds the segments of a directory, ascending, and the names of temporary files. What is no file of ours it
// passes over.
func list(c *Config) (segments []stored, temporary []string, err error) {
	entries, err := c.FS.ReadDir(c.Dir)
	if err != nil {
		return nil, nil, err
	}
	for _, entry := range entries {
		base, suffix, ok := parseName(entry.Name())
		if !ok || entry.IsDir() {
			continue
		}
		info, err := entry.Info()
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		if filepath.Ext(suffix) == suffixTemp {
			temporary = append(temporary, entry.Name())
			continue
		}
		if len(segments) == 0 || segments[len(segments)-1].base != base {
			segments = append(segments, stored{base: base})
		}
		segments[len(segments)-1].add(entry.Name(), suffix, info)
	}
	return segments, temporary, nil
}

// add takes note of a file. ReadDir sorts by name: .cut and .idx come before the data.
func (s *stored) add(name, suffix string, info fs.FileInfo) {
	switch suffix {
	case suffixLog:
		s.plain = true
	case suffixZstd:
		s.zipped = true
	case suffixIndex:
		s.index, s.sealed = true, info.ModTime()
	case suffixWarn:
		s.warn = true
	default:
		s.aside = true
	}
	if s.sealed.IsZero() {
		s.sealed = info.ModTime()
	}
	s.bytes += info.Size()
	s.names = append(s.names, name)
}

func (c *Config) path(base uint64, suffix string) string {
	return filepath.Join(c.Dir, fileName(base, suffix))
}
