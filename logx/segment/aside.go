package segment

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"strconv"

	"vitrine/logx/record"
)

const (
	// maxAside bounds the files that keep what was taken out of one segment. Damage beyond that replaces the last.
	maxAside = 9

	// salvageAhead is how far from the index that is due a record may be, to be taken for one of this log.
	salvageAhead = 1 << 32
)

// asideSuffix is what the name of the nth of these files ends in: .cut, .cut.2, .. .cut.9.
func asideSuffix(n int) string {
	if n == 1 {
		return suffixAside
	}
	return suffixAside + "." + strconv.Itoa(n)
}

func isAside(suffix string) bool {
	for n := 1; n <= maxAside; n++ {
		if suffix == asideSuffix(n) {
			return true
		}
	}
	return false
}

// freeAside gives the path of the next of these files.
func (r *recovery) freeAside(base uint64) (path string, err error) {
	for n := 1; ; n++ {
		path = r.config.path(base, asideSuffix(n))
		_, err = r.config.FS.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return path, nil
		}
		if err != nil || n == maxAside {
			return path, err
		}
	}
}

// setAside keeps a .log that cannot be gone on with, if there are whole records of this log from an offset on. The log
// goes on behind these, unless they stand in what is the front of a longer record: then they may be part of its message,
// and the ring of the last owner may still have it.
func (m *mender) setAside(from int64) (there bool, err error) {
	m.found.CutBytes += m.size
	last, err := salvage(m.file, from, m.size, m.base)
	if err != nil || last < m.base {
		return false, err
	}
	if m.found.Aside, err = m.freeAside(m.base); err != nil {
		return false, err
	}
	if !m.torn {
		m.found.Next = last + 1
	}
	return !m.torn, errors.Join(
		m.config.FS.Rename(m.config.path(m.base, suffixLog), m.found.Aside),
		remove(m.config.FS, m.config.path(m.base, suffixIndex)),
		remove(m.config.FS, m.config.path(m.base, suffixWarn)))
}

// copyAside keeps the end of the data in a file of its own, if there are whole records in it. The log goes on before
// these: it is the last owner's ring that has the records from there on, if anything has.
func (m *mender) copyAside(from int64) error {
	last, err := salvage(m.file, from, m.size, m.walker.next)
	if err != nil || last < m.walker.next {
		return err
	}
	if m.found.Aside, err = m.freeAside(m.base); err != nil {
		return err
	}
	part := m.found.Aside + suffixTemp
	if err := m.copyTo(part, from); err != nil {
		return errors.Join(err, remove(m.config.FS, part))
	}
	return m.config.FS.Rename(part, m.found.Aside)
}

func (m *mender) copyTo(path string, from int64) error {
	file, err := m.config.FS.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	buf := make([]byte, MaxBlockBytes)
	for at := from; at < m.size && err == nil; {
		var n int
		if n, err = m.file.ReadAt(buf[:min(int64(len(buf)), m.size-at)], at); n > 0 {
			err = writeAll(file, buf[:n], at-from)
		}
		at += int64(n)
	}
	return errors.Join(err, file.Sync(), file.Close())
}

// behindAside goes on behind a segment of which there is only what was set aside: the owner that did it wrote nothing. It
// is false when that has no records.
func (r *recovery) behindAside(s *stored) (there bool, err error) {
	for _, name := range s.names {
		_, suffix, _ := parseName(name)
		if !isAside(suffix) {
			continue
		}
		last, err := r.lastAside(s.base, suffix)
		if err != nil {
			return false, err
		}
		if last >= s.base {
			there, r.found.Next = true, max(r.found.Next, last+1)
		}
	}
	return there, nil
}

// lastAside gives the last index in one of these files, 0 when it has no record.
func (r *recovery) lastAside(base uint64, suffix string) (last uint64, err error) {
	file, err := r.config.FS.OpenFile(r.config.path(base, suffix), os.O_RDONLY, 0)
	if err != nil {
		return 0, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err == nil {
		last, err = salvage(file, 0, min(info.Size(), MaxSegmentBytes), base)
	}
	if err != nil {
		return 0, fmt.Errorf("read what was set aside: %w", err)
	}
	return last, nil
}

// salvage looks for whole records of this log between two offsets, at any byte, and gives the last index it finds that
// is at least next; 0 when there is none.
func salvage(file File, from, size int64, next uint64) (last uint64, err error) {
	buf := make([]byte, MaxBlockBytes)
	for from < size {
		n, err := file.ReadAt(buf, from)
		if n == 0 {
			return last, notEOF(err)
		}
		used, found := salvageRun(buf[:n], next, from+int64(n) >= size)
		from += int64(used)
		last = max(last, found)
	}
	return last, nil
}

// salvageRun is salvage in b. It stops before a record that may go on behind b, unless b is the end.
func salvageRun(b []byte, next uint64, end bool) (used int, last uint64) {
	for used < len(b) {
		v, err := record.ParseUnchecked(b[used:])
		switch {
		case errors.Is(err, record.ErrShort) && !end && used > 0:
			return used, last
		case err == nil && ours(v.Index, next) && sound(b[used:]):
			last = max(last, v.Index)
			used += v.Size()
		default:
			used++
		}
	}
	return used, last
}

// ours tells whether an index is near enough to the one that is due, and another can follow it.
func ours(index, next uint64) bool {
	return index >= next && index-next < salvageAhead && index < math.MaxUint64
}

func sound(b []byte) bool {
	_, err := record.Parse(b)
	return err == nil
}
