package segment

import (
	"bufio"
	"errors"
	"io"

	"vitrine/logx/record"
)

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
	m.titled, clean, err = eachPosting(m.live.warn.file, m.head.store, m.base, yield)
	return clean, err
}

// eachPosting is postings of any file. It is titled when it has the header of the segment.
func eachPosting(file File, store, base uint64, yield func(p *Posting, size int) bool) (titled, clean bool, err error) {
	info, err := file.Stat()
	if err != nil {
		return false, false, err
	}
	r := bufio.NewReaderSize(io.NewSectionReader(file, 0, info.Size()), 64<<10)
	head, err := r.Peek(warnHeaderBytes)
	if checkWarnHeader(head, store, base) != nil {
		return false, false, notEOF(err)
	}
	r.Discard(warnHeaderBytes)
	for next := base; ; {
		b, err := r.Peek(postingBytes + maxCopyBytes)
		if len(b) == 0 {
			return true, true, notEOF(err)
		}
		size := postingSize(b)
		p, broken := parsePosting(b[:size], base)
		if notEOF(err) != nil || broken != nil || p.Index < next {
			return true, false, notEOF(err)
		}
		if !yield(&p, size) {
			return true, true, nil
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
