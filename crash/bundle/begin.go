package bundle

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"time"
)

// beginTries is how often a directory is made when sweeps of other processes take it away again.
const beginTries = 20

// Begin makes the directory of a bundle. It takes no lock, so it waits for nobody. pid is of the process that the
// bundle is about, and at is when it crashed. On a full disk it prunes the store, which may wait LockWait, and tries again.
func (s *Store) Begin(class Class, fingerprint string, pid int, at time.Time) (*Writer, error) {
	if !class.Known() {
		return nil, fmt.Errorf("begin crash bundle of class %q: not one of the list", class)
	}
	l := makeLabel(class, fingerprint, pid, at, s.now())
	w, err := s.begin(l)
	if isFull(err) {
		if _, pruneErr := s.Prune(); pruneErr == nil {
			w, err = s.begin(l)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("begin crash bundle in %q: %w", s.dir, err)
	}
	return w, nil
}

func (s *Store) begin(l label) (w *Writer, err error) {
	for range beginTries {
		w, err = s.tryBegin(l)
		if !errors.Is(err, os.ErrNotExist) && !errors.Is(err, errHeld) {
			break
		}
	}
	return w, err
}

// tryBegin makes a directory with a lock in it and then gives it its name, so that a bundle with a name always has a
// lock that tells whether its writer lives.
func (s *Store) tryBegin(l label) (*Writer, error) {
	name := newBegin()
	if err := s.disk.mkdir(name); err != nil {
		return nil, err
	}
	w := &Writer{store: s, label: l, name: name}
	err := w.makeLock()
	if err == nil {
		err = w.claim(l)
	}
	if err != nil {
		return nil, errors.Join(err, w.unlock(), s.disk.removeAll(name))
	}
	return w, nil
}

// newBegin makes a name that no one else has.
func newBegin() string {
	var b [8]byte
	rand.Read(b[:])
	return prefixBegin + hex.EncodeToString(b[:])
}

// makeLock makes the file that is locked while the writer lives. The process id in it is for systems without locks, and
// is missing when the disk is full.
func (w *Writer) makeLock() error {
	f, err := w.store.disk.create(w.name + "/" + writerName)
	if err != nil {
		return err
	}
	w.store.disk.write(f, fmt.Appendf(nil, "pid %d\n", os.Getpid()))
	err = w.store.disk.lock(f)
	if err == nil {
		w.lock = f
		return nil
	}
	if errors.Is(err, errors.ErrUnsupported) {
		err = nil
	}
	return errors.Join(err, f.Close())
}

func (w *Writer) unlock() error {
	if w.lock == nil {
		return nil
	}
	f := w.lock
	w.lock = nil
	return f.Close()
}

// claim gives the directory the first name of the label that is free.
func (w *Writer) claim(l label) error {
	for l.again = 0; l.again <= maxAgain; l.again++ {
		if l.again == 1 || w.taken(l) {
			continue // the second is called 2
		}
		partial := l.String() + suffixPartial
		err := w.store.disk.rename(w.name, partial)
		if err == nil {
			w.label, w.name = l, partial
			return nil
		}
		if !exists(w.store.disk, partial) {
			return err
		}
	}
	return fmt.Errorf("%w: name %s", os.ErrExist, w.label)
}

// taken tells whether a name is in use by another bundle.
func (w *Writer) taken(l label) bool {
	partial := l.String() + suffixPartial
	return exists(w.store.disk, l.String()) || partial != w.name && exists(w.store.disk, partial)
}
