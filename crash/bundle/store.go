package bundle

import (
	"errors"
	"fmt"
	"os"
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

// Store is a directory of bundles. Its methods may be called from any goroutine, and by several processes at once.
type Store struct{ dir string }

// Open opens the store in dir, which it makes when it is not there, with mode 0700. now is the clock, nil = time.Now.
// The error tells of every limit that makes no sense, or why the directory cannot be written to.
func Open(dir string, l Limits, now func() time.Time) (*Store, error) {
	return nil, fmt.Errorf("open crash store %q: %w", dir, errors.ErrUnsupported)
}

// Close lets the directory go. Writers that are open go on.
func (s *Store) Close() error { return nil }

// Dir returns the directory.
func (s *Store) Dir() string { return s.dir }

// Admission says what a crash may write.
type Admission struct {
	Bundle    bool
	Core      bool
	CoreBytes int64  // at most, when Core
	Why       string // why not more; "" = everything
	Before    Before
}

// Admit counts a crash and tells what it may write. It waits at most LockWait. With an error, which means that the
// counts could not be read or kept, the admission still holds: a dying process writes its text, and nothing else.
func (s *Store) Admit(class Class, fingerprint string) (Admission, error) {
	return Admission{}, errors.ErrUnsupported
}

// Seen tells what was counted of a fingerprint so far, or of a class when it is "".
func (s *Store) Seen(class Class, fingerprint string) (Before, error) {
	return Before{}, errors.ErrUnsupported
}

// Begin makes the directory of a bundle. It takes no lock. pid is of the process that the bundle is about, and at is
// when it crashed.
func (s *Store) Begin(class Class, fingerprint string, pid int, at time.Time) (*Writer, error) {
	return nil, errors.ErrUnsupported
}

// Writer fills one bundle. It belongs to one goroutine, and ends with Finish or Discard.
type Writer struct{ dir string }

// Dir returns the directory as it is named now. Rename and Finish change it.
func (w *Writer) Dir() string { return w.dir }

// Write makes a file of data, at most Limits.FileBytes of it. With an error, what was taken stays and counts as cut.
func (w *Writer) Write(name string, data []byte) error { return errors.ErrUnsupported }

// Create makes a file for the caller to write and to close. It is called NAME.part until Finish.
func (w *Writer) Create(name string) (*os.File, error) { return nil, errors.ErrUnsupported }

// Copy copies the last max bytes of the file at path, at most Limits.FileBytes, which is also what max 0 means.
func (w *Writer) Copy(name, path string, max int64) error { return errors.ErrUnsupported }

// Rename changes what the name of the bundle says, when it is known only later.
func (w *Writer) Rename(class Class, fingerprint string) error { return errors.ErrUnsupported }

// Finish writes meta.json, makes everything durable and gives the bundle its final name, which it returns.
func (w *Writer) Finish(m *Meta) (string, error) { return "", errors.ErrUnsupported }

// Discard removes the bundle.
func (w *Writer) Discard() error { return nil }

// Recover finishes what writers that died left behind, with what it has, and returns the names of the bundles that
// came of it. What is empty is removed. alive tells whether a process lives; it is asked only where the system has no
// locks to tell that a writer lives; nil = none does.
func (s *Store) Recover(alive func(pid int) bool) []string { return nil }

// Entry is a bundle in a store.
type Entry struct {
	ID          string // the name of its directory
	Class       Class
	Time        time.Time
	PID         int
	Fingerprint string // its first 8 digits
	Core        int64  // bytes of core.zst on the disk
	dir         string
	bytes       int64
}

// Path returns the directory of the bundle.
func (e Entry) Path() string { return e.dir }

// Size returns the bytes of its files, the core included.
func (e Entry) Size() int64 { return e.bytes }

// Meta reads meta.json.
func (e Entry) Meta() (*Meta, error) { return nil, errors.ErrUnsupported }

// Read reads a file of the bundle, at most max bytes of it. It follows no link.
func (e Entry) Read(name string, max int64) ([]byte, error) { return nil, errors.ErrUnsupported }

// List lists the bundles, newest first.
func (s *Store) List() ([]Entry, error) { return nil, errors.ErrUnsupported }

// Find finds a bundle by its id, by the beginning of its id when no other has it, or as "last".
func (s *Store) Find(id string) (Entry, error) { return Entry{}, errors.ErrUnsupported }

// Update changes meta.json of a bundle in one step.
func (s *Store) Update(id string, change func(*Meta)) error { return errors.ErrUnsupported }

// Removed is what Prune took away.
type Removed struct {
	Bundles int
	Cores   int // of bundles that stay
	Bytes   int64
}

// Prune removes what is over the limits: oldest first, the first and the newest of each fingerprint after all others,
// the newest bundle never.
func (s *Store) Prune() (Removed, error) { return Removed{}, errors.ErrUnsupported }

// ReadMeta reads meta.json of the bundle in dir, which may be a directory outside any store.
func ReadMeta(dir string) (*Meta, error) { return nil, errors.ErrUnsupported }

// Difference is one thing in which two crashes differ.
type Difference struct{ Name, A, B string }
