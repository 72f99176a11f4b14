package segment

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"os"
)

// comparison holds a file against the bytes it should have.
type comparison struct {
	name string   // in the directory
	file readFile // nil when it is not there
	size int64    // when the walk began: a writer may be ahead of the walk, not of itself
	at   int64    // bytes given so far
	sum  uint32   // of these
	off  bool     // there is nothing to compare any more
	buf  []byte
}

// open tells whether the file is missing.
func (m *comparison) open(c *content, d *Dir, suffix string) (missing bool, err error) {
	m.name = fileName(c.head.base, suffix)
	f, err := os.Open(d.name(c.head.base, suffix))
	if errors.Is(err, os.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	c.files = append(c.files, f)
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	m.file, m.size = f, info.Size()
	return false, nil
}

// check compares the next bytes, as far as the file has them. It tells where they differ.
func (m *comparison) check(want []byte) (at int64, err error) {
	if m.off {
		return 0, nil
	}
	at = m.at
	m.at += int64(len(want))
	m.sum = crc32.Update(m.sum, castagnoli, want)
	if have := int(min(max(m.size-at, 0), int64(len(want)))); m.file != nil && have > 0 {
		m.buf = sized(m.buf, have)
		if _, err := m.file.ReadAt(m.buf, at); err != nil {
			m.off = true
			return at, cut(err)
		}
		if !bytes.Equal(m.buf, want[:have]) {
			m.off = true
			return at, fmt.Errorf("%w: it is not what the records give", ErrCorrupt)
		}
	}
	return at, nil
}

// ahead tells whether the file is longer than the bytes given so far. The index of a segment is while its seal is being
// written: what only the end of a segment gives is there before the footer.
func (m *comparison) ahead() bool { return !m.off && m.file != nil && m.size > m.at }

// leftover tells whether the file is longer than the bytes it should have, or, when it is to be whole, shorter.
func (m *comparison) leftover(whole bool) error {
	if m.off || m.file == nil || m.size == m.at || m.size < m.at && !whole {
		return nil
	}
	return fmt.Errorf("%w: %d bytes, the records give %d", ErrCorrupt, m.size, m.at)
}
