package segment

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"

	"vitrine/logx/record"
)

const (
	// maxAside bounds the files that keep what was taken out of one segment. Damage beyond that replaces the last.
	maxAside = 9

	// salvageAhead is how far from the index that is due a record may be, to be taken for one of this segment.
	salvageAhead = MaxSegmentBytes / record.HeadBytes
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

// setAside takes a .log that cannot be gone on with out of the log, and keeps it with what index and postings name beyond
// it. The log goes on behind all of that, unless the ring of the last owner has it. It is false when the file is what a first
// write leaves that was cut short: there is nothing to keep.
func (m *mender) setAside(from int64, cause error) (there bool, err error) {
	m.found.CutBytes += m.size
	rest, err := salvage(m.file, from, m.size, m.base)
	if err != nil || m.begun && rest.records == 0 && len(m.beside) == 0 {
		return false, err
	}
	d := Damage{Records: rest.records, From: m.base, To: max(rest.last, m.base), Err: cause}
	if m.size > 0 {
		err = m.keep(m.base, suffixLog, d)
	} else {
		d.File = fileName(m.base, suffixLog)
		m.damaged(d)
		err = remove(m.config.FS, m.config.path(m.base, suffixLog))
	}
	m.found.Next = m.base
	if err == nil {
		err = m.keepBeside(m.base, rest.end(), m.beside)
	}
	return true, errors.Join(err, m.removeNew())
}

// removeNew removes index and postings that mend has made.
func (m *mender) removeNew() error {
	return errors.Join(
		remove(m.config.FS, m.config.path(m.base, suffixIndex)),
		remove(m.config.FS, m.config.path(m.base, suffixWarn)))
}

// copyAside keeps the end of the data in a file of its own, if whole records or other damage are in it, and index and postings
// that name what the data have not. The end of a log that was torn by the death of its writer is neither. What the last
// owner's ring does not have of it is lost: the indexes are not used again.
func (m *mender) copyAside(from int64) error {
	rest, err := salvage(m.file, from, m.size, m.walker.next)
	if err != nil {
		return err
	}
	if !m.torn || rest.records > 0 {
		last := rest.last
		if last == 0 && m.spoilt {
			last = m.walker.next
		}
		d := Damage{File: fileName(m.base, suffixLog), Bytes: m.size - from, Records: rest.records, Err: m.cause}
		if last > 0 {
			d.From, d.To = m.walker.next, last
		}
		if err := m.copyPart(m.file, from, m.size, &d); err != nil {
			return err
		}
	}
	for _, k := range m.beside {
		if k.next <= m.walker.next {
			continue
		}
		if err := m.copyBeside(k); err != nil {
			return err
		}
	}
	return nil
}

// copyBeside copies index or postings, of which mend will cut the end off.
func (m *mender) copyBeside(k known) error {
	file := m.live.idx.file
	if k.suffix == suffixWarn {
		file = m.live.warn.file
	}
	info, err := file.Stat()
	if err != nil {
		return err
	}
	d := k.damage(m.base, m.walker.next)
	d.File, d.Bytes = fileName(m.base, k.suffix), info.Size()
	return m.copyPart(file, 0, info.Size(), &d)
}

// copyPart keeps a part of a file, and tells of it. The segment is sealed then: its records do not go on where these ended.
func (m *mender) copyPart(file File, from, to int64, d *Damage) error {
	aside, err := m.freeAside(m.base)
	if err != nil {
		return err
	}
	part := aside + suffixTemp
	if err := m.copyTo(part, file, from, to); err != nil {
		return errors.Join(err, remove(m.config.FS, part))
	}
	if err := m.config.FS.Rename(part, aside); err != nil {
		return err
	}
	m.found.Aside, d.Kept, m.ends = aside, filepath.Base(aside), true
	m.damaged(*d)
	return nil
}

func (m *mender) copyTo(path string, source File, from, to int64) error {
	file, err := m.config.FS.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, fileMode)
	if err != nil {
		return err
	}
	buf := make([]byte, MaxBlockBytes)
	for at := from; at < to && err == nil; {
		var n int
		if n, err = source.ReadAt(buf[:min(int64(len(buf)), to-at)], at); n > 0 {
			err = writeAll(file, buf[:n], at-from)
		}
		at += int64(n)
	}
	return errors.Join(err, file.Sync(), file.Close())
}

// reachAside takes note of the indexes in what was set aside of the last segment. Of a whole .log that counts only while the
// segment has no other: the ring may have had its records.
func (r *recovery) reachAside(s *stored) error {
	for _, name := range s.names {
		_, suffix, _ := parseName(name)
		if !isAside(suffix) {
			continue
		}
		path := filepath.Join(r.config.Dir, name)
		front, err := r.front(path)
		if err != nil {
			return err
		}
		if s.data() && string(front[:len(magicLog)]) == magicLog {
			continue
		}
		next, err := r.named(path, s.base)
		if err != nil {
			return fmt.Errorf("read what was set aside: %w", err)
		}
		if order.Uint64(front[8:]) == r.found.Next { // the record that is due, damaged
			next = max(next, r.found.Next+1)
		}
		r.reach(next)
	}
	return nil
}

// front reads as much of a file as is before the time of a record, or zeros.
func (r *recovery) front(path string) (b [16]byte, err error) {
	file, err := r.config.FS.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		return b, err
	}
	defer file.Close()
	_, err = file.ReadAt(b[:], 0)
	return b, notEOF(err)
}

// salvaged is what was found of whole records.
type salvaged struct {
	records     int
	first, last uint64 // the least and the greatest index, 0 without records
}

// end is the index after the last of them, 0 without records.
func (s *salvaged) end() uint64 {
	if s.records == 0 {
		return 0
	}
	return s.last + 1
}

func (s *salvaged) add(index uint64) {
	if s.records == 0 || index < s.first {
		s.first = index
	}
	s.records++
	s.last = max(s.last, index)
}

// salvage looks for whole records of this log between two offsets, at any byte, whose index is at least next.
func salvage(file io.ReaderAt, from, size int64, next uint64) (found salvaged, err error) {
	buf := make([]byte, MaxBlockBytes)
	for from < size {
		n, err := file.ReadAt(buf[:min(int64(len(buf)), size-from)], from)
		if n == 0 {
			return found, notEOF(err)
		}
		from += int64(found.run(buf[:n], next, from+int64(n) >= size))
	}
	return found, nil
}

// run is salvage in b. It stops before a record that may go on behind b, unless b is the end.
func (s *salvaged) run(b []byte, next uint64, end bool) (used int) {
	for used < len(b) {
		v, err := record.ParseUnchecked(b[used:])
		switch {
		case errors.Is(err, record.ErrShort) && !end && used > 0:
			return used
		case err == nil && ours(v.Index, next) && sound(b[used:]):
			s.add(v.Index)
			used += v.Size()
		default:
			used++
		}
	}
	return used
}

// ours tells whether an index is near enough to the one that is due, and another can follow it.
func ours(index, next uint64) bool {
	return index >= next && index-next < salvageAhead && index < math.MaxUint64
}

func sound(b []byte) bool {
	_, err := record.Parse(b)
	return err == nil
}
