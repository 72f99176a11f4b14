package flight

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// createMapped creates c's file, maps it and writes its header. A file that an
// earlier process left is kept as <path>.prev, in place of the one before it.
//
// The file is locked (flock) as long as its recorder lives, which keeps a
// second process of the same name from taking it away. Its blocks are allocated
// up front: a hole that cannot be filled on a full disk would raise SIGBUS.
func createMapped(c *Config) (data []byte, release func() error, err error) {
	if err := os.MkdirAll(c.Dir, 0o750); err != nil {
		return nil, nil, err
	}
	path := Path(c.Dir, c.Name, c.Worker)
	if err := keepPrevious(path); err != nil {
		return nil, nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o640)
	if err != nil {
		return nil, nil, err
	}
	data, err = mapFile(f, fileSize(c.Records, c.Lifecycle))
	if err != nil {
		return nil, nil, errors.Join(fmt.Errorf("map %q: %w", path, err), f.Close(), os.Remove(path))
	}
	putHeader(data, c)
	return data, func() error { return unmap(f, data) }, nil
}

// keepPrevious renames a file left at path. It returns ErrInUse when a recorder
// still holds it.
func keepPrevious(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer f.Close()
	if err := lock(f); err != nil {
		return err
	}
	return os.Rename(path, path+".prev")
}

func lock(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == unix.EWOULDBLOCK {
		return fmt.Errorf("lock %q: %w", f.Name(), ErrInUse)
	}
	return err
}

func mapFile(f *os.File, size int64) ([]byte, error) {
	if err := lock(f); err != nil {
		return nil, err
	}
	if err := allocate(f, size); err != nil {
		return nil, err
	}
	return unix.Mmap(int(f.Fd()), 0, int(size),
		unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
}

// allocate gives the file its blocks: by fallocate, or by writing them where
// the file system has no such call.
func allocate(f *os.File, size int64) error {
	err := unix.Fallocate(int(f.Fd()), 0, 0, size)
	if err != unix.EOPNOTSUPP && err != unix.ENOSYS {
		return err
	}
	_, err = f.Write(make([]byte, size))
	return err
}

// unmap marks the file closed and lets it go. The file stays.
func unmap(f *os.File, data []byte) error {
	atomic.StoreUint32((*uint32)(unsafe.Pointer(&data[offClosed])), 1)
	return errors.Join(unix.Munmap(data), f.Close())
}
