//go:build !linux || !amd64

package snapshot

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"
)

type state struct{}

func unsupported(operation string, pid int) error {
	return fmt.Errorf("%s process %d on %s/%s: %w", operation, pid, runtime.GOOS, runtime.GOARCH, errors.ErrUnsupported)
}

// Take is for linux/amd64; here it fails with errors.ErrUnsupported.
func Take(pid int, _ Options) (*Snapshot, error) { return nil, unsupported("snapshot", pid) }

// SelfTest is for linux/amd64; here it fails with errors.ErrUnsupported.
func SelfTest(pid int) error { return unsupported("trace", pid) }

// Prepare is for linux/amd64; here it fails with errors.ErrUnsupported.
func Prepare(time.Duration) (Prepared, error) { return Prepared{}, unsupported("prepare", os.Getpid()) }

// Read is for linux/amd64; here it fails with errors.ErrUnsupported.
func (s *Snapshot) Read(uint64, []byte) (int, error) { return 0, unsupported("read memory of", s.PID) }

// WriteCore is for linux/amd64; here it fails with errors.ErrUnsupported.
func (s *Snapshot) WriteCore(io.Writer, CoreOptions) (Core, error) {
	return Core{}, unsupported("write core of", s.PID)
}

// Orphan is for linux/amd64; here there is none.
func (s *Snapshot) Orphan() int { return 0 }

// Release is for linux/amd64; here it does nothing.
func (s *Snapshot) Release() error { return nil }
