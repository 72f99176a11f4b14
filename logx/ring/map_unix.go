//go:build linux || darwin

package ring

import (
	"fmt"
	"os"
	"syscall"
)

// mapping returns zeroed memory that is the file of that name, or the process's own when the name is empty.
func mapping(path string, size int) ([]byte, error) {
	if path == "" {
		return aligned(size), nil
	}
	// An older ring is removed, not reused: somebody may be reading it.
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		return nil, fmt.Errorf("remove the old file: %w", err)
	}
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	if err = reserve(file, int64(size)); err != nil {
		os.Remove(path)
		return nil, fmt.Errorf("reserve %d bytes for %q: %w", size, path, err)
	}
	memory, err := syscall.Mmap(int(file.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		os.Remove(path)
		return nil, fmt.Errorf("map %q: %w", path, err)
	}
	return memory, nil
}

func unmap(memory []byte) { _ = syscall.Munmap(memory) }
