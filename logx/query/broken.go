package query

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"vitrine/logx/record"
	"vitrine/logx/segment"
)

// brokenEnd finds damage at which the reading of the last segment ends: bytes that no writer leaves there, or whole
// records behind them. Half a record is in order: its writer is at work, or died at it.
func brokenEnd(dir string, s *segment.Segment) (Corruption, bool) {
	if err := s.Emptied(); err != nil {
		return Corruption{Segment: s.Base(), Err: err}, true
	}
	end, _ := s.Bytes()
	next := s.End()
	if again, _ := s.Bytes(); again != end || s.Sealed() || s.Stored() <= end {
		return Corruption{}, false // it grows: next may not be the index at end
	}
	b, err := readAt(filepath.Join(dir, fmt.Sprintf("%020d.log", s.Base())), end)
	if err == nil {
		err = endOf(b, next)
	}
	if err == nil || errors.Is(err, os.ErrNotExist) { // compressed or removed meanwhile
		return Corruption{}, false
	}
	return Corruption{Segment: s.Base(), Offset: end, Err: fmt.Errorf("record %d and all behind it: %w", next, err)}, true
}

// brokenBehind finds segments behind the last one, which ends at an index, whose data are gone.
func brokenBehind(d *segment.Dir, end uint64) (broken []Corruption) {
	for _, o := range d.Orphans() {
		if o.Base >= end {
			broken = append(broken, orphanCorruption(o))
		}
	}
	return broken
}

// orphanCorruption tells of index or postings without data.
func orphanCorruption(o segment.Orphan) Corruption {
	return Corruption{Segment: o.Base, File: o.Name, Offset: -1, Err: fmt.Errorf("%w: the data of its segment are gone", segment.ErrCorrupt)}
}

// readAt reads what a block and a record can have of a file.
func readAt(path string, offset int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.NewSectionReader(f, offset, segment.MaxBlockBytes))
}

// endOf says what is wrong with bytes that begin where a record is due and none was: nothing when it has come meanwhile,
// or half of it, or the footer.
func endOf(b []byte, next uint64) error {
	v, err := record.Parse(b)
	switch {
	case err == nil && v.Index == next, sealed(b):
		return nil
	case errors.Is(err, record.ErrShort) && !wholeBehind(b, next):
		return nil
	}
	return record.ErrCorrupt
}

// sealed tells whether b is a footer, or the front of one.
func sealed(b []byte) bool {
	const magic = "\x00\x00\x00\x00....VTRNSEAL"
	n := min(len(b), len(magic))
	return len(b) <= segment.FooterBytes && string(b[:min(n, 4)]) == magic[:min(n, 4)] && (n <= 8 || string(b[8:n]) == magic[8:n])
}

// wholeBehind tells whether a whole record with an index that comes soon stands at any byte of b.
func wholeBehind(b []byte, next uint64) bool {
	for ; len(b) >= record.HeadBytes; b = b[1:] {
		if index := binary.LittleEndian.Uint64(b[8:]); index < next || index-next > segment.MaxBlockBytes/record.HeadBytes {
			continue
		}
		if _, err := record.Parse(b); err == nil {
			return true
		}
	}
	return false
}
