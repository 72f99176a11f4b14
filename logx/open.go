package logx

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"vitrine/logx/record"
	"vitrine/logx/ring"
	"vitrine/logx/segment"
)

// sharedMemory is where Linux keeps files in memory only.
const sharedMemory = "/dev/shm"

// Open makes the directory the caller's, brings its files in order after a crash, writes what the last owner's ring still
// holds, and starts the writer. segment.ErrInUse says that another process, or another Log, has the directory. The caller
// closes the Log. What was found and mended is in Recovered.
func Open(c Config) (*Log, error) {
	if err := c.fill(); err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	types, err := record.NewTypes(c.Types...)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	lock, err := segment.Lock(c.FS, c.Dir)
	if err != nil {
		return nil, fmt.Errorf("open log: %w", err)
	}
	l := &Log{
		cfg: c, types: types, lock: lock, wake: make(chan struct{}, 1),
		stop: make(chan struct{}), done: make(chan struct{}),
	}
	if err = l.start(); err != nil {
		return nil, errors.Join(fmt.Errorf("open log %q: %w", c.Dir, err), lock.Close())
	}
	return l, nil
}

// start does what needs the lock.
func (l *Log) start() error {
	if err := l.setLevels(); err != nil {
		return err
	}
	files, err := l.openOutput()
	if err != nil {
		return err
	}
	next, err := l.replay(files, l.found.Next)
	if err != nil {
		return errors.Join(err, files.Close())
	}
	if l.ring, err = l.newRing(next); err != nil {
		return errors.Join(err, files.Close())
	}
	l.counters.written.Store(next - 1)
	l.writer = newWriter(l, files, next)
	go l.writer.run() // Ends with Close.
	return nil
}

func (l *Log) setLevels() error {
	l.general = l.cfg.Level
	for name, level := range l.cfg.TypeLevels {
		typ, ok := l.types.Parse(name)
		if !ok {
			return fmt.Errorf("level for the unknown type %q", name)
		}
		l.own[typ] = level
	}
	l.applyLevels()
	return nil
}

// openOutput opens the files and sets found.
func (l *Log) openOutput() (output, error) {
	notify := func(err error) { fmt.Fprintf(l.cfg.Complain, "log: %v\n", err) }
	if l.cfg.Format == Text {
		files, next, err := openText(&l.cfg, l.types)
		l.found.Next = next
		return files, err
	}
	files, found, err := segment.OpenWriter(l.cfg.segments(l.types, notify), l.lock)
	l.found = found
	return files, err
}

// replay writes what the ring of the last owner holds from next on, and returns the index that follows. That ring stays until
// all of it is in the files.
func (l *Log) replay(files output, next uint64) (uint64, error) {
	old := l.lock.Ring()
	if old == "" {
		return next, nil
	}
	var failed error
	err := ring.ReadDead(old, l.lock.Store(), next, func(h *record.Head, payload []byte) bool {
		if h.Flags&record.FlagTombstone != 0 {
			payload = record.AppendPayload(nil, nil, nil, tombstone, nil)
		}
		if h.Index > next { // the files have lost what was in them
			if failed = files.Skip(h.Index); failed != nil {
				return false
			}
		}
		files.Add(h, payload)
		next = h.Index + 1
		if files.Buffered() >= flushBytes {
			failed = files.Flush()
		}
		return failed == nil
	})
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, ring.ErrForeign) {
		return next, nil
	}
	if err = errors.Join(err, failed, files.Flush()); err != nil {
		return next, fmt.Errorf("write what ring %q holds: %w", old, err)
	}
	return next, os.Remove(old)
}

// tombstone is the message of a record whose caller was killed while it wrote it.
const tombstone = "record lost: the process died while it was written"

// newRing makes the ring where its memory is cheapest, and notes the place for whoever opens the log after a crash.
func (l *Log) newRing(first uint64) (*ring.Ring, error) {
	var err error
	for _, dir := range l.ringDirs() {
		path := filepath.Join(dir, fmt.Sprintf("vitrine-log-%016x.ring", l.lock.Store()))
		if err = l.lock.SetRing(path); err != nil {
			return nil, err
		}
		var r *ring.Ring
		r, err = ring.Create(ring.Config{Path: path, Slots: l.cfg.RingRecords, Store: l.lock.Store(), First: first})
		if r != nil {
			return r, nil // with an error: shared mappings are not to be had here
		}
	}
	return nil, err
}

func (l *Log) ringDirs() []string {
	if l.cfg.RingDir != "" {
		return []string{l.cfg.RingDir}
	}
	if info, err := os.Stat(sharedMemory); err == nil && info.IsDir() {
		return []string{sharedMemory, l.cfg.Dir}
	}
	return []string{l.cfg.Dir}
}

// Recovered returns what Open found and mended.
func (l *Log) Recovered() segment.Recovery { return l.found }

// Close writes everything that was accepted, ends the writer and lets the directory go. Calls of Write that come later are
// dropped and counted. When the files do not take the rest within two seconds, the error says how many records wait in the
// ring's file, where the next Open finds them. More calls return the same.
func (l *Log) Close() error {
	l.closing.Do(func() {
		l.closed.Store(true)
		l.room.open()
		close(l.stop)
	})
	<-l.done
	if l.closeErr != nil {
		return fmt.Errorf("close log: %w", l.closeErr)
	}
	return nil
}
