package monitor

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// holdName is the file of a run directory that is locked, shared, by the process and its monitors as long as they live: process
// ids say nothing across containers.
const holdName = "hold"

// HoldRun says that a run directory is in use, until the Closer is closed or the process ends.
func HoldRun(runDir string) (io.Closer, error) {
	if runDir == "" {
		return io.NopCloser(nil), nil // there is none
	}
	f, err := os.OpenFile(filepath.Join(runDir, holdName), os.O_CREATE|os.O_RDWR|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("hold run directory: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_SH|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("hold run directory: %w", err), f.Close())
	}
	return f, nil
}

// takeRun takes a run directory that nobody uses any more, until the Closer is closed. It is nil when somebody does.
func takeRun(runDir string) (io.Closer, error) {
	f, err := os.OpenFile(filepath.Join(runDir, holdName), os.O_RDWR|unix.O_NOFOLLOW, 0)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil // its process has just made it
	}
	if err != nil {
		return nil, fmt.Errorf("take run directory: %w", err)
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == nil {
		return f, nil
	}
	f.Close()
	if err == unix.EWOULDBLOCK {
		return nil, nil
	}
	return nil, fmt.Errorf("take run directory: %w", err)
}
