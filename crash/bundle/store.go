package bundle

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// Errors that callers branch on.
var (
	ErrCorrupt   = errors.New("corrupt crash bundle")      // what is on the disk does not hold
	ErrNotFound  = errors.New("no such crash bundle")      // of Find
	ErrAmbiguous = errors.New("more than one such bundle") // of Find
	ErrBusy      = errors.New("crash store is locked")     // for longer than LockWait
	ErrClosed    = errors.New("crash bundle is finished")  // of a Writer after its end
)

// Store is a directory of bundles. Its methods may be called from any goroutine, and by several processes at once. All
// fields are fixed after Open.
type Store struct {
	dir    string // absolute
	disk   disk
	limits Limits
	now    func() time.Time
	gate   chan struct{} // holds one token: the goroutine that has it may ask for the lock
	wait   time.Duration // LockWait, less in tests
}

// Open opens the store in dir, which it makes when it is not there, with mode 0700. now is the clock, nil = time.Now.
// The error tells of every limit that makes no sense, or why the directory cannot be written to.
func Open(dir string, l Limits, now func() time.Time) (*Store, error) {
	if now == nil {
		now = time.Now
	}
	l, err := l.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("open crash store %q: %w", dir, err)
	}
	s, err := openStore(dir, l, now)
	if err != nil {
		return nil, fmt.Errorf("open crash store %q: %w", dir, err)
	}
	return s, nil
}

func openStore(dir string, l Limits, now func() time.Time) (*Store, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	d, err := openDisk(dir)
	if err != nil {
		return nil, err
	}
	s := newStore(dir, d, l, now)
	if err := s.tryOut(); err != nil {
		return nil, errors.Join(err, d.close())
	}
	return s, nil
}

func newStore(dir string, d disk, l Limits, now func() time.Time) *Store {
	s := &Store{dir: dir, disk: d, limits: l, now: now, gate: make(chan struct{}, 1), wait: LockWait}
	s.gate <- struct{}{}
	return s
}

// tryOut makes the lock file and a directory, so that a read-only disk is known now and not when it is needed.
func (s *Store) tryOut() error {
	f, err := s.lockFile()
	if err != nil {
		return err
	}
	name := newBegin()
	err = s.disk.mkdir(name)
	if errors.Is(err, os.ErrNotExist) {
		err = nil // another process swept it away at once
	}
	return errors.Join(f.Close(), err, s.disk.removeAll(name))
}

// Close lets the directory go. Its writers have ended before.
func (s *Store) Close() error { return s.disk.close() }

// Dir returns the directory, as an absolute path.
func (s *Store) Dir() string { return s.dir }

// lockFile opens the file that is locked, and makes it when it is missing.
func (s *Store) lockFile() (*os.File, error) {
	f, err := s.disk.open(lockName)
	if !errors.Is(err, os.ErrNotExist) {
		return f, err
	}
	f, err = s.disk.create(lockName)
	if errors.Is(err, os.ErrExist) {
		return s.disk.open(lockName) // another process was faster
	}
	return f, err
}

// locked runs do while no other goroutine or process changes the store. It gives up after LockWait: the holder may be a
// process that was stopped.
func (s *Store) locked(do func() error) error {
	limit := time.NewTimer(s.wait)
	defer limit.Stop()
	select {
	case <-s.gate:
	case <-limit.C:
		return ErrBusy
	}
	defer func() { s.gate <- struct{}{} }()
	f, err := s.lockFile()
	if err != nil {
		return err
	}
	defer f.Close()
	if err := s.take(f, limit.C); err != nil {
		return err
	}
	return do()
}

// take locks a file. Where there are no locks, the goroutines of this process still exclude each other.
func (s *Store) take(f *os.File, limit <-chan time.Time) error {
	again := time.NewTicker(lockPause)
	defer again.Stop()
	for {
		err := s.disk.lock(f)
		if err == nil || errors.Is(err, errors.ErrUnsupported) {
			return nil
		}
		if !errors.Is(err, errHeld) {
			return err
		}
		select {
		case <-again.C:
		case <-limit:
			return ErrBusy
		}
	}
}

// lockPause is how often a lock that is held is asked for.
const lockPause = 2 * time.Millisecond
