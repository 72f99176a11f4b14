

package snapshot

import (
	"errors"
	"fmt"
	"io"
	"runtime"
)

type state struct{}

func unsupported(operation string, pid int) error {
	return fmt.Errorf("%s process %d on %s/%s: %w", operation, pid, runtime.GOOS, runtime.GOARCH, errors.ErrUnsupported)
}

// Take is not there yet.
func Take(pid int, _ Options) (*Snapshot, error) { return nil, unsupported("snapshot", pid) }

// SelfTest is not there yet.
func SelfTest(pid int) error { return unsupported("trace", pid) }

// Read is not there yet.
func (s *Snapshot) Read(uint64, []byte) (int, error) { return 0, unsupported("read memory of", s.PID) }

// WriteCore is not there yet.
func (s *Snapshot) WriteCore(io.Writer, CoreOptions) (Core, error) {
	return Core{}, unsupported("write core of", s.PID)
}

// Orphan is for linux/amd64; here there is none.
func (s *Snapshot) Orphan() int { return 0 }

// Release is for linux/amd64; here it does nothing.
func (s *Snapshot) Release() error { return nil }
