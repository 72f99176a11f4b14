package segment

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

const (
	maxLockBytes = 8192
	maxRingPath  = 4096
	// A reader that asks whether the owner lives holds the lock for a moment: an owner tries a few times.
	lockTries = 5
	lockPause = 2 * time.Millisecond
)

// Owner is what LOCK says about the process that writes to a directory, or wrote to it last.
type Owner struct {
	Store uint64 // id of the directory; 0 = LOCK does not tell
	PID   int    // 0 = LOCK does not tell
	Ring  string // path of its ring, "" for none
	Alive bool   // it holds the lock
}

// DirLock keeps every other writer out of a directory. It belongs to one goroutine.
//
// LOCK is a text of three lines, which is overwritten in place: the lock is on the file itself.
//
//	store 8f3a6c1d09b2e457
//	pid 4711
//	ring /dev/shm/vitrine-log-8f3a6c1d09b2e457.ring
type DirLock struct {
	file  File
	dir   string
	owner Owner
}

// Lock makes the directory where there is none, and locks it until Close or the end of the process. It waits no longer
// than 10 ms. ErrInUse says, with the process id, that another writer has it; the errors of a directory that cannot be
// written are the system's. The store id is made on first use; where LOCK is lost it is that of the segments.
func Lock(fsys FS, dir string) (*DirLock, error) {
	l, err := lock(fsys, dir)
	if err != nil {
		return nil, fmt.Errorf("lock log directory %q: %w", dir, err)
	}
	return l, nil
}

func lock(fsys FS, dir string) (*DirLock, error) {
	if err := fsys.MkdirAll(dir, dirMode); err != nil {
		return nil, err
	}
	file, err := fsys.OpenFile(filepath.Join(dir, lockName), os.O_RDWR|os.O_CREATE, fileMode)
	if err != nil {
		return nil, err
	}
	l := &DirLock{file: file, dir: dir}
	if err := l.take(fsys); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return l, nil
}

// take locks the open file, learns who had it, and writes itself down.
func (l *DirLock) take(fsys FS) error {
	err := l.file.TryLock(false)
	for try := 1; errors.Is(err, ErrInUse) && try < lockTries; try++ {
		time.Sleep(lockPause)
		err = l.file.TryLock(false)
	}
	was, readErr := readOwner(l.file)
	if errors.Is(err, ErrInUse) {
		return fmt.Errorf("%w by process %d", ErrInUse, was.PID)
	}
	if err := errors.Join(err, readErr); err != nil {
		return err
	}
	l.owner = Owner{Store: was.Store, PID: os.Getpid(), Ring: was.Ring, Alive: true}
	if l.owner.Store == 0 {
		l.owner.Store = adoptStore(fsys, l.dir)
	}
	return l.write()
}

// Store returns the id of the directory, which its segments and its rings carry. It is never 0.
func (l *DirLock) Store() uint64 { return l.owner.Store }

// Ring returns the path last given to SetRing, by this owner or an earlier one; "" when there is none.
func (l *DirLock) Ring() string { return l.owner.Ring }

// SetRing writes down where the owner's ring is, so that others find it when the owner has died; "" = nowhere.
func (l *DirLock) SetRing(path string) error {
	if len(path) > maxRingPath || strings.ContainsAny(path, "\r\n") {
		return fmt.Errorf("path of the ring in %q: %d bytes or a line break", l.dir, len(path))
	}
	before := l.owner.Ring
	l.owner.Ring = path
	if err := l.write(); err != nil {
		l.owner.Ring = before
		return fmt.Errorf("write LOCK of %q: %w", l.dir, err)
	}
	return nil
}

// Close lets the directory go. LOCK stays, with the path of the ring.
func (l *DirLock) Close() error { return l.file.Close() }

func (l *DirLock) write() error {
	text := fmt.Sprintf("store %016x\npid %d\n", l.owner.Store, l.owner.PID)
	if l.owner.Ring != "" {
		text += "ring " + l.owner.Ring + "\n"
	}
	if err := writeAll(l.file, []byte(text), 0); err != nil {
		return err
	}
	return l.file.Truncate(int64(len(text)))
}

// ReadOwner reads LOCK, and tells whether somebody holds it, for which it takes a shared lock for a moment. It changes
// nothing. The error of a directory without LOCK is fs.ErrNotExist.
func ReadOwner(fsys FS, dir string) (Owner, error) {
	file, err := fsys.OpenFile(filepath.Join(dir, lockName), os.O_RDONLY, 0)
	if err != nil {
		return Owner{}, fmt.Errorf("read owner of log directory %q: %w", dir, err)
	}
	defer file.Close()
	held := file.TryLock(true)
	if errors.Is(held, errors.ErrUnsupported) {
		held = nil // no writer runs here either
	}
	owner, err := readOwner(file)
	if err == nil && !errors.Is(held, ErrInUse) {
		err = held
	}
	if err != nil {
		return Owner{}, fmt.Errorf("read owner of log directory %q: %w", dir, err)
	}
	owner.Alive = errors.Is(held, ErrInUse)
	return owner, nil
}

// readOwner reads the lines of LOCK. The first line of a kind counts; what is none of them is passed over.
func readOwner(file File) (Owner, error) {
	text := make([]byte, maxLockBytes)
	n, err := file.ReadAt(text, 0)
	if err != nil && err != io.EOF {
		return Owner{}, err
	}
	var o Owner
	for line := range strings.Lines(string(text[:n])) {
		line, whole := strings.CutSuffix(line, "\n")
		key, value, _ := strings.Cut(line, " ")
		switch {
		case !whole:
		case key == "store" && o.Store == 0 && len(value) == 16:
			o.Store, _ = strconv.ParseUint(value, 16, 64) // 0 when it is no number: then it is unknown
		case key == "pid" && o.PID == 0:
			o.PID, _ = strconv.Atoi(value)
		case key == "ring" && o.Ring == "":
			o.Ring = value
		}
	}
	return o, nil
}

// adoptStore finds the store id in the newest file that carries one, or makes one.
func adoptStore(fsys FS, dir string) uint64 {
	entries, _ := fsys.ReadDir(dir) // what cannot be read will be told when the segments are opened
	for i := len(entries) - 1; i >= 0; i-- {
		if store := storeOf(fsys, dir, entries[i]); store != 0 {
			return store
		}
	}
	var b [8]byte
	for {
		rand.Read(b[:])
		if store := order.Uint64(b[:]); store != 0 {
			return store
		}
	}
}

// storeOf reads the store id from an index, or from a segment that is not compressed; 0 when the file has none.
func storeOf(fsys FS, dir string, entry fs.DirEntry) uint64 {
	_, suffix, ok := parseName(entry.Name())
	if !ok || suffix != suffixIndex && suffix != suffixLog {
		return 0
	}
	file, err := fsys.OpenFile(filepath.Join(dir, entry.Name()), os.O_RDONLY, 0)
	if err != nil {
		return 0
	}
	defer file.Close()
	front := make([]byte, MaxHeaderBytes)
	n, _ := file.ReadAt(front, 0)
	if suffix == suffixLog {
		h, _ := parseHeader(front[:n])
		return h.store
	}
	if n < indexHeaderBytes || string(front[:8]) != indexMagic {
		return 0
	}
	return order.Uint64(front[8:])
}

// writeAll writes b at an offset, all of it or with an error.
func writeAll(file File, b []byte, offset int64) error {
	n, err := file.WriteAt(b, offset)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return err
}
