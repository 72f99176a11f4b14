package segment

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"vitrine/logx/record"
)

const (
	// MaxBuffered bounds what may wait for Flush: the offsets of a segment have 32 bits. Add panics beyond it.
	MaxBuffered = 1 << 30

	// maxUnsynced bounds the sealed segments whose files stay open for Sync; the oldest is synced to make room.
	maxUnsynced = 4
)

// Writer writes the segments of a directory. It belongs to one goroutine, Stats excepted. Files are made by the first
// write of a segment, never earlier: a segment has at least one record.
type Writer struct {
	config   Config           // fixed after OpenWriter
	lock     *DirLock         // fixed after OpenWriter
	now      func() time.Time // fixed after OpenWriter
	counters counters         // atomic
	back     *background      // its own goroutine's, but for its channels

	next     uint64   // index that Add takes next
	written  uint64   // last index the files have taken in full
	live     *live    // the segment that Add fills
	sealing  *sealing // the one before, when its footer is not written yet; else nil
	unsynced []*live  // sealed since the last Sync, oldest first; at most maxUnsynced
	lost     error    // of the first segment that was let go without a sync since the last Sync
	renamed  bool     // files were made since the last Sync
	closed   bool
}

// OpenWriter goes on where the last owner of the directory ended: see [Recovery] for what it mends. The caller holds
// the lock of Config.Dir until after Close. It blocks while it reads the end of the last segment: milliseconds, or, when
// that segment's index is lost, as long as it takes to read all of it.
//
// Where Recovery.Behind is not 0, the caller Skips to it, unless the ring of the last owner has the record Recovery.Next.
//
// Errors are those of Config, of the file system, ErrForeign for a segment that was written for another directory, and
// ErrCorrupt for a last segment that is compressed and damaged.
func OpenWriter(c Config, lock *DirLock) (*Writer, Recovery, error) {
	if err := c.SetDefaults(); err != nil {
		return nil, Recovery{}, fmt.Errorf("open log segments: %w", err)
	}
	w := &Writer{config: c, lock: lock, now: time.Now}
	found, err := w.open()
	if err != nil {
		return nil, found, fmt.Errorf("open log segments in %q: %w", c.Dir, err)
	}
	return w, found, nil
}

func (w *Writer) open() (Recovery, error) {
	r := recovery{config: &w.config, store: w.lock.Store()}
	if err := r.run(); err != nil {
		return r.found, err
	}
	w.next, w.written, w.live = r.found.Next, r.found.Next-1, r.goesOn
	if w.live == nil {
		if err := w.begin(w.next); err != nil {
			return r.found, err
		}
	}
	w.counters.wrote(w.live)
	w.back = startBackground(&w.config, &w.counters, w.live.header.base)
	if r.goesOn != nil {
		w.back.began(w.live.header.base)
	}
	if !r.ends && slices.Equal(w.live.header.custom, w.config.Types.Custom()) {
		return r.found, nil
	}
	if err := w.Rotate(); err != nil { // the names of a segment's types are fixed, and damage ends it
		return r.found, errors.Join(err, w.Close())
	}
	return r.found, nil
}

// begin starts a segment in memory.
func (w *Writer) begin(base uint64) error {
	h := header{store: w.lock.Store(), base: base, created: w.now().UnixNano(), custom: w.config.Types.Custom()}
	s, err := newLive(&w.config, h, make([]byte, 0, bufferBytes))
	if err != nil {
		return err
	}
	w.live, w.next = s, base
	return nil
}

// Next returns the index of the record that Add takes next.
func (w *Writer) Next() uint64 { return w.next }

// Add buffers a record, whose index must be Next: it panics when it is not, or when more than MaxBuffered waits. It
// touches no file. It corrects h as record.Append does. The payload is copied.
func (w *Writer) Add(h *record.Head, payload []byte) {
	if h.Index != w.next || len(w.live.buf) > MaxBuffered {
		w.misused(h.Index)
	}
	w.live.add(h, payload)
	w.next++
}

func (w *Writer) misused(index uint64) {
	panic(fmt.Sprintf("segment: record %d added where %d is due, %d bytes wait", index, w.next, len(w.live.buf)))
}

// Skip says that the next record has a larger index than Next: those between are lost for good. The segment is sealed,
// since the indexes of one have no gap. On an error it can be called again.
func (w *Writer) Skip(index uint64) error {
	if index < w.next {
		return fmt.Errorf("skip to record %d: %d is written", index, w.next-1)
	}
	if index == w.next {
		return nil
	}
	if err := w.Rotate(); err != nil {
		return fmt.Errorf("skip to record %d: %w", index, err)
	}
	w.written = index - 1
	return w.begin(index)
}

// Buffered returns how many bytes wait for Flush.
func (w *Writer) Buffered() int { return w.live.waiting() }

// Written returns the last index whose record the files have taken in full, 0 before the first.
func (w *Writer) Written() uint64 { return w.written }

// Flush gives all that is buffered to the files, in one write(2) for the data and, when a block is full or a WARN was
// among the records, one each for index and postings. It begins a new segment when this one is full or old.
//
// On an error nothing is lost and nothing is written twice: what the files did not take stays buffered, and the next
// Flush goes on at that byte. Written tells how far the data came: an error may also be about index, postings or the
// sealing of a full segment, with all data written. While Flush fails, the owner bounds what it adds.
func (w *Writer) Flush() error {
	if err := w.flush(); err != nil {
		w.counters.errors.Add(1)
		return err
	}
	if !w.due() {
		return nil
	}
	return w.Rotate()
}

func (w *Writer) flush() error {
	if w.closed {
		return fs.ErrClosed
	}
	if err := w.finishSeal(); err != nil {
		return err
	}
	w.renamed = w.renamed || w.live.log.file == nil && w.live.waiting() > 0
	n, err := w.live.writeData(w.now().UnixNano())
	w.written += n
	w.counters.wrote(w.live)
	if err != nil {
		return err
	}
	if w.live.records == 0 {
		return nil
	}
	w.back.began(w.live.header.base)
	return w.live.writeIndex()
}

// due tells whether the segment is full or old. A clock that was set back makes it no older.
func (w *Writer) due() bool {
	s := w.live
	return s.log.size >= w.config.SegmentBytes ||
		s.log.size > 0 && w.now().UnixNano()-s.header.created >= int64(w.config.SegmentAge)
}

// Sync makes durable what was flushed, sealed segments and the names of new files included. After an error the next
// Sync tries again; what a device lost then, it may have lost for good.
func (w *Writer) Sync() error {
	if w.closed {
		return fmt.Errorf("sync log: %w", fs.ErrClosed)
	}
	if err := w.sync(); err != nil {
		w.counters.errors.Add(1)
		return fmt.Errorf("sync log: %w", err)
	}
	w.counters.syncs.Add(1)
	return nil
}

func (w *Writer) sync() error {
	if err := w.lost; err != nil {
		w.lost = nil
		return err
	}
	for len(w.unsynced) > 0 {
		if err := w.syncOldest(); err != nil {
			return err
		}
	}
	if w.sealing != nil {
		if err := w.sealing.live.sync(); err != nil {
			return err
		}
	}
	if err := w.live.sync(); err != nil {
		return err
	}
	if !w.renamed {
		return nil
	}
	if err := w.config.FS.SyncDir(w.config.Dir); err != nil {
		return fmt.Errorf("sync directory: %w", err)
	}
	w.renamed = false
	return nil
}

// syncOldest syncs and closes the oldest sealed segment that is open.
func (w *Writer) syncOldest() error {
	s := w.unsynced[0]
	if err := s.sync(); err != nil {
		return err
	}
	w.unsynced = append(w.unsynced[:0], w.unsynced[1:]...)
	return s.close()
}

// Close flushes, ends the background goroutine and closes the files. It neither seals nor syncs: the next owner goes on
// in the last segment. With an error from the flush, Written tells what is in the files. More calls do nothing.
func (w *Writer) Close() error {
	if w.closed {
		return nil
	}
	err := w.flush()
	w.closed = true
	w.back.stop()
	errs := []error{err, w.live.close()}
	if w.sealing != nil {
		errs = append(errs, w.sealing.live.close())
	}
	for _, s := range w.unsynced {
		errs = append(errs, s.close())
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close log segments in %q: %w", w.config.Dir, err)
	}
	return nil
}
