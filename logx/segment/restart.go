package segment

import (
	"bufio"
	"errors"
	"io"
	"os"

	"vitrine/logx/record"
)

// salvageAhead is how far from the index that is due a record may be, to be taken for one of this log.
const salvageAhead = 1 << 32

// restart gives the number of the block from which index and postings are made again: the last one, or an earlier one
// behind which postings are missing.
func (m *mender) restart() (int, error) {
	if len(m.blocks) == 0 {
		return 0, nil
	}
	clean, err := m.countPostings()
	if err != nil {
		return 0, err
	}
	at, last := len(m.blocks)-1, -1
	for i := range m.blocks {
		if m.posted[i] > 0 {
			last = i
		} else if m.blocks[i].Levels&record.AtLeast(postingLevel) != 0 {
			if last < 0 {
				return i, nil
			}
			return last, nil
		}
	}
	if last < 0 || last == at {
		return at, nil
	}
	if n, err := m.countDue(last); err != nil || !clean || n != m.posted[last] {
		return last, err
	}
	return at, nil
}

// countPostings counts the postings of each block. It is not clean when the file has more than these and the postings of
// records behind the last block.
func (m *mender) countPostings() (clean bool, err error) {
	m.posted = make([]int, len(m.blocks))
	i := 0
	return m.postings(func(p *Posting, _ int) bool {
		for i < len(m.blocks) && int64(p.Offset) >= m.blocks[i].end() {
			i++
		}
		if i < len(m.blocks) {
			m.posted[i]++
		}
		return i < len(m.blocks)
	})
}

// postings reads the postings as far as they are whole and ascend. It is clean when that is all of the file, or yield
// had enough.
func (m *mender) postings(yield func(p *Posting, size int) bool) (clean bool, err error) {
	info, err := m.live.warn.file.Stat()
	if err != nil {
		return false, err
	}
	r := bufio.NewReaderSize(io.NewSectionReader(m.live.warn.file, 0, info.Size()), 64<<10)
	head, err := r.Peek(warnHeaderBytes)
	if m.titled = checkWarnHeader(head, m.head.store, m.base) == nil; !m.titled {
		return false, notEOF(err)
	}
	r.Discard(warnHeaderBytes)
	for next := m.base; ; {
		b, err := r.Peek(postingBytes + maxCopyBytes)
		if len(b) == 0 {
			return true, notEOF(err)
		}
		size := postingSize(b)
		p, broken := parsePosting(b[:size], m.base)
		if notEOF(err) != nil || broken != nil || p.Index < next {
			return false, notEOF(err)
		}
		if !yield(&p, size) {
			return true, nil
		}
		next = p.Index + 1
		r.Discard(size)
	}
}

func notEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// countDue counts the records of a block that have to have a posting. A block that cannot be read has 0.
func (m *mender) countDue(number int) (n int, err error) {
	b, err := m.source.block(&m.blocks[number], nil)
	if err != nil {
		return 0, err
	}
	m.found.Scanned += int64(len(b))
	for len(b) > 0 {
		v, err := record.ParseUnchecked(b)
		if err != nil {
			return 0, nil
		}
		if v.Level >= postingLevel {
			n++
		}
		b = b[v.Size():]
	}
	return n, nil
}

// salvage looks for whole records of this log from an offset on, at any byte, and gives the last index it finds that is
// at least next; 0 when there is none.
func (m *mender) salvage(from int64, next uint64) (last uint64, err error) {
	buf := make([]byte, MaxBlockBytes)
	for from < m.size {
		n, err := m.file.ReadAt(buf, from)
		if n == 0 {
			return last, notEOF(err)
		}
		used, found := salvageRun(buf[:n], next, from+int64(n) >= m.size)
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
		case err == nil && v.Index >= next && v.Index-next < salvageAhead && sound(b[used:]):
			last = max(last, v.Index)
			used += v.Size()
		default:
			used++
		}
	}
	return used, last
}

func sound(b []byte) bool {
	_, err := record.Parse(b)
	return err == nil
}

// copyAside keeps the end of the data in a file of its own.
func (m *mender) copyAside(from int64) error {
	file, err := m.config.FS.OpenFile(m.found.Aside, os.O_RDWR|os.O_CREATE|os.O_TRUNC, fileMode)
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
