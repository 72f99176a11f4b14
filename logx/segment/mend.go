package segment

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"

	"vitrine/logx/record"
)

// mender goes on with a segment that is not sealed, as the process that wrote it left it:
//
//	.idx   | entry 0 | .. | entry n-1 | half an entry
//	.log   | block 0 | .. | block n-1 | records without an entry | half a record
//	                      ^ restart: trusted before, checked behind            ^ end
//	.warn  | postings of blocks before restart | the rest is compared with what the records give
//
// Entries are trusted as far as their checksums hold and each begins where the one before it ends. Records are read and
// checked from the last of these blocks on, so the time it takes does not grow with the segment. Postings say of no
// block that they are complete; so restart moves back to the block of the last posting when that has fewer than its
// records give, or when a block behind it has a WARN. What the indexer makes of the records from there on is what must
// be in the files.
type mender struct {
	*recovery
	base   uint64
	source plain
	file   File
	size   int64 // of the .log
	head   header
	live   *live
	blocks []Block // of the index, those that are trusted
	posted []int   // postings of each
	titled bool    // .warn has the segment's header
	walker walker  // from restart on
	beside []known // what index and postings named before they were mended
	begun  bool    // the file may be a first write that was cut short
	torn   bool    // the walk ended within a record, or at the end
	spoilt bool    // it ended at a record that is damaged
	cause  error   // what ended it
}

// run is false when the segment has no records, and nothing was set aside.
func (m *mender) run() (there bool, err error) {
	info, err := m.file.Stat()
	if err != nil {
		return false, err
	}
	if m.beside, err = m.lookBeside(m.base); err != nil {
		return false, err
	}
	if m.size = info.Size(); m.size > MaxSegmentBytes {
		return false, fmt.Errorf("%w: %d bytes are more than a segment has", ErrCorrupt, m.size)
	}
	if there, err = m.readHead(); err != nil || m.head.size == 0 {
		return there, err
	}
	b, at, err := m.source.foot()
	if err != nil {
		return false, err
	}
	if foot, ok := parseFooter(b, at); ok && foot.last+1-m.base == foot.count {
		m.found.Next = foot.last + 1
		return true, m.checkSealed(m.base, &foot)
	}
	return m.mend()
}

// readHead reads the header. Without one, the head stays empty: the file is set aside if it has records.
func (m *mender) readHead() (there bool, err error) {
	b, err := m.source.head()
	if err != nil {
		return false, err
	}
	m.head, err = m.checkHeader(b, m.base)
	if !errors.Is(err, ErrCorrupt) {
		return true, err
	}
	m.head = header{}
	m.begun = begun(b) && string(b[:min(len(b), len(magicLog))]) == magicLog[:min(len(b), len(magicLog))]
	return m.setAside(0, err)
}

// mend finds where to restart, and brings data, index and postings to where the records end.
func (m *mender) mend() (there bool, err error) {
	if err := m.open(); err != nil {
		return false, errors.Join(err, m.closeIndex())
	}
	there, err = m.mendOpen()
	if err != nil || !there || m.goesOn == nil {
		err = errors.Join(err, m.closeIndex())
	}
	if err == nil && !there {
		m.begun = m.torn
		return m.setAside(int64(m.head.size), m.cause)
	}
	return there, err
}

// mendOpen is false when the walk finds no record.
func (m *mender) mendOpen() (bool, error) {
	if err := m.readIndex(); err != nil {
		return false, err
	}
	restart, err := m.restart()
	if err != nil {
		return false, err
	}
	if err := m.rewind(restart); err != nil {
		return false, err
	}
	if err := m.walk(); err != nil {
		return false, err
	}
	if m.walker.next == m.base {
		return false, nil
	}
	m.found.Next = m.walker.next
	if err := m.cut(); err != nil {
		return false, err
	}
	return true, m.finish()
}

// open opens index and postings, which it makes when they are missing.
func (m *mender) open() error {
	m.live = &live{header: m.head, buf: make([]byte, 0, bufferBytes), minTime: math.MaxInt64, maxTime: math.MinInt64}
	m.live.name(m.config)
	for _, g := range []*growing{&m.live.idx, &m.live.warn} {
		file, err := m.config.FS.OpenFile(g.path, os.O_RDWR|os.O_CREATE, fileMode)
		if err != nil {
			return err
		}
		g.file = file
	}
	return nil
}

func (m *mender) closeIndex() error { return errors.Join(m.live.idx.close(), m.live.warn.close()) }

// readIndex finds the entries that are to be trusted.
func (m *mender) readIndex() error {
	b, err := readOpen(m.live.idx.file, maxIndexBytes)
	if errors.Is(err, ErrCorrupt) {
		return nil
	}
	if err != nil || checkIndexHeader(b, m.head.store, m.base) != nil {
		return err
	}
	end := Block{First: m.base, Offset: uint32(m.head.size)}
	for i := range entriesIn(int64(len(b))) {
		if i > 0 && i%groupBlocks == 0 {
			if _, err := parseGroupFilter(b[filterOffset(i/groupBlocks-1):]); err != nil {
				return nil // the last block of the group is entered again, and the filter with it
			}
		}
		e, _, err := parseEntry(b[entryOffset(i):], i)
		if err != nil || e.First != end.End() || int64(e.Offset) != end.end() || e.end() > m.size {
			return nil
		}
		m.blocks, end = append(m.blocks, e), e
	}
	return nil
}

// rewind sets the writer's state to what it was when the block of a number began, and index and postings with it.
func (m *mender) rewind(restart int) error {
	s := m.live
	s.index = newIndexer(m.head.store, m.base, m.head.size)
	m.walker = walker{data: m.source, offset: int64(m.head.size), next: m.base}
	if restart == 0 {
		return nil
	}
	b := &m.blocks[restart]
	m.walker.offset, m.walker.next = int64(b.Offset), b.First
	s.records = b.First - m.base
	for _, e := range m.blocks[:restart] {
		s.minTime, s.maxTime = min(s.minTime, e.MinTime), max(s.maxTime, e.MaxTime)
	}
	x := s.index
	x.block = Block{Offset: b.Offset, number: restart}
	x.blocks = restart
	x.next, x.idx = b.First, x.idx[:0]
	if err := errors.Join(m.restoreGroup(restart), s.idx.rewind(entryOffset(restart))); err != nil {
		return err
	}
	if !m.titled {
		return nil // postings begin again, with the header
	}
	x.warn = x.warn[:0]
	return m.rewindPostings(b)
}

// rewindPostings goes back to the first posting of a block.
func (m *mender) rewindPostings(b *Block) error {
	at := int64(warnHeaderBytes)
	_, err := m.postings(func(p *Posting, size int) bool {
		if p.Offset >= b.Offset {
			return false
		}
		at += int64(size)
		m.live.index.copied += int64(len(p.Copy))
		return true
	})
	return errors.Join(err, m.live.warn.rewind(at))
}

// restoreGroup fills the filter of the group that is not full yet: at most 255 blocks. Their records were checked when
// they were written; one that cannot be read any more is for Verify to find.
func (m *mender) restoreGroup(restart int) error {
	var buf []byte
	var err error
	for _, b := range m.blocks[restart-restart%groupBlocks : restart] {
		if buf, err = m.source.block(&b, buf); err != nil {
			return err
		}
		m.found.Scanned += int64(len(buf))
		for rest := buf; len(rest) > 0; {
			v, err := record.ParseUnchecked(rest)
			if err != nil {
				break
			}
			if v.Session != 0 {
				m.live.index.group.add(mix(v.Session))
			}
			rest = rest[v.Size():]
		}
	}
	return nil
}

// walk reads the records from restart on, and compares and mends index and postings as it goes.
func (m *mender) walk() error {
	s, from := m.live, m.walker.offset
	buf := make([]byte, MaxBlockBytes)
	for {
		err := m.walker.step(buf, s.count)
		m.write()
		if err != nil {
			m.found.Scanned += m.walker.offset - from
			return m.ended(err)
		}
	}
}

// ended notes what ended the walk. The error is that of reading.
func (m *mender) ended(err error) error {
	m.torn = errors.Is(err, io.EOF)
	if !m.torn && !errors.Is(err, ErrCorrupt) {
		return err
	}
	if m.cause = err; m.torn {
		m.cause = fmt.Errorf("%w: the data end within record %d", ErrCorrupt, m.walker.next)
		return nil
	}
	var length [4]byte
	_, err = m.file.ReadAt(length[:], m.walker.offset)
	m.spoilt = order.Uint32(length[:]) != 0 // no record begins with 0, which is the front of a footer, or of nothing
	return notEOF(err)
}

func (m *mender) write() {
	m.live.warn.mend(&m.live.index.warn)
	m.live.idx.mend(&m.live.index.idx)
}

// cut takes off what stands behind the last record, or behind a footer.
func (m *mender) cut() error {
	end := m.walker.offset
	if m.walker.sealed {
		end += FooterBytes
	}
	if err := m.copyAside(end); err != nil || end == m.size {
		return err
	}
	m.found.CutBytes += m.size - end
	return m.file.Truncate(end)
}

// finish hands the segment over to the writer, unless it is sealed.
func (m *mender) finish() error {
	s := m.live
	if m.walker.sealed {
		s.index.seal()
		m.write()
	}
	for _, g := range []*growing{&s.idx, &s.warn} {
		changed, err := g.trim()
		if err != nil {
			return err
		}
		if changed {
			m.found.Rebuilt = append(m.found.Rebuilt, filepath.Base(g.path))
		}
	}
	if !m.walker.sealed {
		s.log.file, s.log.size = m.file, m.walker.offset
		m.goesOn = s
	}
	return nil
}
