package segment

import (
	"errors"
	"math"
	"os"
	"path/filepath"

	"vitrine/logx/record"
)

// bufferBytes is the room a writer keeps for what waits to be written; more is given back when it was needed.
const (
	bufferBytes     = 512 << 10
	keepBufferBytes = 4 << 20
)

// live is the segment that is being written. It belongs to the writer's goroutine.
//
//	.log   | header | records taken by the file           |  records that wait  |
//	                                                 log.size                   the next record goes here
//	buf                 | sent .. taken from the front ...|                     |
//	                    0     ^ mark: the first record      sent                len(buf)
//	                            that is not taken in full
//
// mark <= sent <= len(buf); log.size + len(buf) - sent = the end of the open block.
type live struct {
	header  header
	index   *indexer
	log     growing
	idx     growing
	warn    growing
	buf     []byte // the header first, when the file is new
	sent    int
	mark    int
	records uint64 // all of the segment
	minTime int64  // over all records
	maxTime int64
}

// newLive begins a segment in memory. Its files are made by the first write.
func newLive(c *Config, h header, buf []byte) (*live, error) {
	buf, err := appendHeader(buf[:0], &h)
	if err != nil {
		return nil, err
	}
	h.size = len(buf)
	s := &live{
		header: h, buf: buf, mark: len(buf), index: newIndexer(h.store, h.base, h.size),
		minTime: math.MaxInt64, maxTime: math.MinInt64,
	}
	s.name(c)
	return s, nil
}

// name says where the files are. A .log that is there is never opened for a new segment.
func (s *live) name(c *Config) {
	path := func(suffix string) string { return filepath.Join(c.Dir, fileName(s.header.base, suffix)) }
	s.log = growing{fs: c.FS, path: path(suffixLog), flag: os.O_EXCL}
	s.idx = growing{fs: c.FS, path: path(suffixIndex), flag: os.O_TRUNC, summed: true}
	s.warn = growing{fs: c.FS, path: path(suffixWarn), flag: os.O_TRUNC, summed: true}
}

// add buffers a record.
func (s *live) add(h *record.Head, payload []byte) {
	start := len(s.buf)
	s.buf = record.Append(s.buf, h, payload)
	s.count(h, s.buf[start:])
}

// count takes note of a record.
func (s *live) count(h *record.Head, raw []byte) {
	s.index.add(h, raw)
	s.records++
	s.minTime, s.maxTime = min(s.minTime, h.Time), max(s.maxTime, h.Time)
}

// waiting counts the bytes that wait. A header waits for its first record.
func (s *live) waiting() int {
	if s.records == 0 {
		return 0
	}
	return len(s.buf) - s.sent
}

// writeData writes what waits. It returns how many records the file has now taken in full that it had not before, with
// an error as well: then the next call goes on behind the last byte that was taken.
func (s *live) writeData(created int64) (records uint64, err error) {
	if s.waiting() == 0 {
		return 0, nil
	}
	if s.log.size == 0 {
		s.header.created = created
		if _, err := appendHeader(s.buf[:0], &s.header); err != nil {
			return 0, err
		}
	}
	n, err := s.log.write(s.buf[s.sent:])
	s.sent += n
	for s.mark < s.sent {
		size := int(order.Uint32(s.buf[s.mark:]))
		if s.mark+size > s.sent {
			break
		}
		s.mark += size
		records++
	}
	if err == nil {
		s.emptied()
	}
	return records, err
}

// emptied forgets what was written.
func (s *live) emptied() {
	if cap(s.buf) > keepBufferBytes {
		s.buf = make([]byte, 0, bufferBytes)
	}
	s.buf, s.sent, s.mark = s.buf[:0], 0, 0
}

// writeIndex writes the entries of finished blocks and the postings, if there are any. Postings go first: a reader
// takes the last entry for the place up to which they are complete.
func (s *live) writeIndex() error {
	if err := s.warn.take(&s.index.warn); err != nil {
		return err
	}
	return s.idx.take(&s.index.idx)
}

// footer describes the segment when it is complete. The checksums count what was written of the index and the postings
// and what waits, so the footer is right even if that is never written.
func (s *live) footer() footer {
	return footer{
		count: s.records, last: s.header.base + s.records - 1, minTime: s.minTime, maxTime: s.maxTime,
		offset: uint64(s.log.size), index: s.idx.sumWith(s.index.idx), warn: s.warn.sumWith(s.index.warn),
	}
}

// sync makes durable what was written.
func (s *live) sync() error { return errors.Join(s.log.sync(), s.warn.sync(), s.idx.sync()) }

func (s *live) close() error { return errors.Join(s.log.close(), s.warn.close(), s.idx.close()) }
