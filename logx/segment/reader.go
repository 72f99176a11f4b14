package segment

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"vitrine/logx/record"
)

// Want says which records are asked for. The zero Want asks for all.
type Want struct {
	From, To     uint64        // indexes; To is not among them, 0 = no end
	Since, Until int64         // unix ns; Until is not among them, 0 = no bound. Times may run backwards
	Levels       record.Levels // 0 = all
	Types        uint64        // bit t asks for type t; 0 = all
	Session      uint64        // 0 = all
}

// Segment is a run of a log's records in one file, with its index. Any goroutine may call its methods. They open its
// files when they need them, which fails with ErrRemoved when retention was faster, and with ErrCorrupt when the data
// are not those of a segment. A missing or damaged index is made again in memory from the data (0.2 s for
// 128 MiB), which is no error.
//
// A segment that is not sealed grows: each call sees what the writer has written until then.
type Segment struct {
	dir  *Dir   // fixed
	base uint64 // fixed

	mu      sync.Mutex
	content *content // guarded by mu: nil when no files are open
}

// Base is the index of the first record, as in the file's name.
func (s *Segment) Base() uint64 { return s.base }

// Load opens the segment's files, if they are not, and tells whether that can be done. Calling it is never needed.
func (s *Segment) Load() error {
	_, err := s.look()
	return err
}

// Close closes the files. The next call opens them again. Calls in other goroutines go on.
func (s *Segment) Close() error {
	s.dir.forget(s)
	s.mu.Lock()
	c := s.content
	s.content = nil
	s.mu.Unlock()
	if c == nil {
		return nil
	}
	return c.close()
}

// with calls fn with the open content, and once more when another goroutine closed it meanwhile.
func (s *Segment) with(fn func(*content) error) error {
	const tries = 3
	var err error
	for range tries {
		var c *content
		if c, err = s.load(); err != nil {
			return err
		}
		if err = fn(c); !errors.Is(err, fs.ErrClosed) {
			return err
		}
		s.drop(c)
	}
	return err
}

// load gives the content and opens it first if need be.
func (s *Segment) load() (*content, error) {
	s.mu.Lock()
	c := s.content
	if c != nil {
		s.mu.Unlock()
		return c, nil
	}
	c, err := openContent(s.dir, s.base)
	s.content = c
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	return c, s.dir.opened(s)
}

// drop forgets a content that was closed.
func (s *Segment) drop(c *content) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.content == c {
		s.content = nil
	}
}

// look tells what the segment has now.
func (s *Segment) look() (snap snapshot, err error) {
	err = s.with(func(c *content) (err error) {
		snap, err = c.look(s.dir)
		return err
	})
	if errors.Is(err, errUnborn) {
		return snapshot{first: s.base, next: s.base}, nil
	}
	return snap, err
}

// End is the index after the last record: Base when there is none, or when the segment cannot be opened.
func (s *Segment) End() uint64 {
	snap, err := s.look()
	if err != nil {
		return s.base
	}
	return snap.next
}

// Sealed tells whether the segment has its footer: it never changes again.
func (s *Segment) Sealed() bool {
	snap, err := s.look()
	return err == nil && snap.sealed
}

// Compressed tells whether the segment is read from its .log.zst.
func (s *Segment) Compressed() bool {
	c, err := s.load()
	return err == nil && c.data.framed()
}

// Types gives the names of the record types; nil, which knows those every log has, when the segment cannot be opened.
func (s *Segment) Types() *record.Types {
	c, err := s.load()
	if err != nil {
		return nil
	}
	return c.types
}

// Store is the id of the log directory the segment was written for, 0 when it cannot be opened.
func (s *Segment) Store() uint64 {
	c, err := s.load()
	if err != nil {
		return 0
	}
	return c.head.store
}

// Times gives the least and the greatest time of its records, 0 and 0 when there are none. A segment that is not
// sealed reads its index for that.
func (s *Segment) Times() (least, greatest int64) {
	snap, err := s.look()
	if err == nil && snap.sealed {
		return snap.foot.minTime, snap.foot.maxTime
	}
	first := true
	for b, err := range s.Blocks(Want{}) {
		if err != nil {
			break
		}
		if first {
			least, greatest, first = b.MinTime, b.MaxTime, false
		}
		least, greatest = min(least, b.MinTime), max(greatest, b.MaxTime)
	}
	return least, greatest
}

// Bytes gives the size of the uncompressed .log, and that of .idx and .warn together; 0 for what cannot be read.
func (s *Segment) Bytes() (data, index int64) {
	snap, err := s.look()
	if err != nil {
		return 0, 0
	}
	data = snap.end
	if snap.sealed {
		data += FooterBytes
	}
	return data, s.dir.size(s.base, suffixIndex) + s.dir.size(s.base, suffixWarn)
}

// Stored is the size of the file that holds the data, compressed or not; 0 when it cannot be read.
func (s *Segment) Stored() int64 {
	if s.Compressed() {
		return s.dir.size(s.base, suffixZstd)
	}
	return s.dir.size(s.base, suffixLog)
}

// Read gives the records of a block that Blocks gave, whole and without check: record.Parse each, or
// record.ParseUnchecked and Parse on a hit. buf is reused when it is large enough; a new one has at most
// MaxBlockBytes + 32. The error wraps ErrCorrupt when the block is not there or cannot be decoded, ErrRemoved when the
// segment is gone.
func (s *Segment) Read(b Block, buf []byte) ([]byte, error) { return s.ReadSession(b, 0, buf) }

// ReadSession is Read for the session that Blocks was asked for. It may give no records when it sees, without decoding the
// block, that none is of that session.
func (s *Segment) ReadSession(b Block, session uint64, buf []byte) ([]byte, error) {
	var out []byte
	err := s.with(func(c *content) (err error) {
		out, err = readBlock(c.data, &b, session, buf)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read records %d to %d in %q: %w", b.First, b.End()-1, s.dir.path, err)
	}
	return out, nil
}
