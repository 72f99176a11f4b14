package segment

import (
	"io"
	"io/fs"
	"os"
)

// FS is the part of a file system the package writes through. [OS] is the real one; tests put one in its place that
// is full, slow or failing. Names are paths of the operating system. All methods may be called from any goroutine.
type FS interface {
	// OpenFile opens name as os.OpenFile does; flag never holds O_APPEND.
	OpenFile(name string, flag int, perm fs.FileMode) (File, error)
	// MkdirAll makes a directory and those above it.
	MkdirAll(name string, perm fs.FileMode) error
	// ReadDir lists a directory, sorted by name.
	ReadDir(name string) ([]fs.DirEntry, error)
	// Stat describes a file; the error of one that is not there is fs.ErrNotExist.
	Stat(name string) (fs.FileInfo, error)
	// Rename puts one file in the place of another in one step.
	Rename(from, to string) error
	// Remove deletes a file.
	Remove(name string) error
	// SyncDir makes what was created, renamed and removed in a directory durable.
	SyncDir(name string) error
}

// File is an open file. Reads may run beside each other and beside writes; writes, Truncate, Sync and Close belong to
// the one that opened it.
type File interface {
	io.ReaderAt
	// WriteAt writes b at an offset. With an error, n tells how many bytes at the front of b were taken.
	io.WriterAt
	io.Closer
	// Truncate cuts or extends the file to size bytes.
	Truncate(size int64) error
	// Sync returns when what was written is durable.
	Sync() error
	// Stat describes the file.
	Stat() (fs.FileInfo, error)
	// TryLock locks the file for as long as it is open, for itself or shared with other sharers. It does not wait:
	// the error is ErrInUse when the lock is taken, and wraps errors.ErrUnsupported where there is no such lock.
	TryLock(shared bool) error
}

// OS returns the file system of the operating system.
func OS() FS { return osFS{} }

type osFS struct{}

type osFile struct{ *os.File }

func (osFS) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	f, err := os.OpenFile(name, flag, perm)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

func (osFS) MkdirAll(name string, perm fs.FileMode) error { return os.MkdirAll(name, perm) }
func (osFS) ReadDir(name string) ([]fs.DirEntry, error)   { return os.ReadDir(name) }
func (osFS) Stat(name string) (fs.FileInfo, error)        { return os.Stat(name) }
func (osFS) Rename(from, to string) error                 { return os.Rename(from, to) }
func (osFS) Remove(name string) error                     { return os.Remove(name) }
func (osFS) SyncDir(name string) error                    { return syncDir(name) }
func (f osFile) TryLock(shared bool) error                { return tryLock(f.File, shared) }
