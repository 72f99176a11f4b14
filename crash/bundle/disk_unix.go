//go:build linux || darwin

package bundle

import (
	"errors"
	"os"
	"syscall"
)

// tryLock takes the flock(2) of a file. It belongs to the open file, not to the process: closing the file, or the end
// of the process however it comes, gives it back. So it tells more than a process id, which is used again, and
// which means nothing in another container.
func tryLock(f *os.File) error {
	for {
		switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err {
		case syscall.EINTR:
		case syscall.EWOULDBLOCK:
			return errHeld
		case syscall.ENOLCK: // a network file system without locks
			return errors.ErrUnsupported
		default:
			return err
		}
	}
}

// diskSpace tells what is free for us, and what there is.
func diskSpace(dir string) (free, total int64, err error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(dir, &s); err != nil {
		return 0, 0, err
	}
	return int64(s.Bavail) * int64(s.Bsize), int64(s.Blocks) * int64(s.Bsize), nil
}

func syncFile(f *os.File) error { return f.Sync() }

// isFull tells whether a disk had no room.
func isFull(err error) bool { return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) }
