package blackbox

import (
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// createMapped makes the file and maps it. The file is locked as long as its
// process lives, which keeps a second process from taking it away.
func createMapped(path string) (*image, func() error, error) {
	if err := moveAside(path); err != nil {
		return nil, nil, err
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, nil, err
	}
	m, err := mapNew(f)
	if err != nil {
		return nil, nil, errors.Join(err, f.Close(), os.Remove(path))
	}
	return m, releaseOnce(m, f), nil
}

// moveAside renames what an earlier process left at path.
func moveAside(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NONBLOCK|unix.O_NOFOLLOW, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = lock(f)
		defer f.Close()
	}
	if err != nil {
		return err
	}
	return os.Rename(path, path+".prev")
}

func lock(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == unix.EWOULDBLOCK {
		return ErrInUse
	}
	return err
}

// mapNew locks, sizes and maps a new file. Its blocks are written, not left as
// holes: one that cannot be filled on a full disk would raise SIGBUS later.
func mapNew(f *os.File) (*image, error) {
	if err := lock(f); err != nil {
		return nil, err
	}
	if _, err := f.Write(make([]byte, fileBytes)); err != nil {
		return nil, err
	}
	return mapFile(f)
}

// openMapped maps the box at path, once its header and size are what Create
// leaves.
func openMapped(path string) (*image, func() error, error) {
	f, err := openRegular(path, os.O_RDWR)
	if err != nil {
		return nil, nil, err
	}
	if _, err = readImage(f); err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	m, err := mapFile(f)
	if err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return m, releaseOnce(m, f), nil
}

func mapFile(f *os.File) (*image, error) {
	p, err := unix.MmapPtr(int(f.Fd()), 0, nil, fileBytes,
		unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
	if err != nil {
		return nil, fmt.Errorf("map: %w", err)
	}
	return (*image)(p), nil
}

// releaseOnce returns what lets the file go. It puts empty memory in place of
// the file's, so that a loop that is still telling its beat has where to write.
func releaseOnce(m *image, f *os.File) func() error {
	var done atomic.Bool
	return func() error {
		if done.Swap(true) {
			return nil
		}
		_, err := unix.MmapPtr(-1, 0, unsafe.Pointer(m), fileBytes,
			unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_FIXED)
		return errors.Join(err, f.Close())
	}
}
