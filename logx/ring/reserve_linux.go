package ring

import (
	"os"
	"syscall"
)

// reserve allocates the file's blocks now: a full file system is an error here, not a fault at some later store.
// File systems that cannot are taken at their word.
func reserve(file *os.File, size int64) error {
	for {
		switch err := syscall.Fallocate(int(file.Fd()), 0, 0, size); err {
		case syscall.EINTR:
		case syscall.EOPNOTSUPP:
			return file.Truncate(size)
		default:
			return err
		}
	}
}
