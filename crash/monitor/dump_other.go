//go:build !linux

package monitor

import (
	"errors"
	"fmt"
)

// Dump needs Linux: the error wraps errors.ErrUnsupported.
func Dump(setup *Setup) (*Dumped, error) {
	return nil, fmt.Errorf("dump process %d: %w", setup.Process.PID, errors.ErrUnsupported)
}

// Discover needs Linux: the error wraps errors.ErrUnsupported.
func Discover(pid int, _ string) (*Setup, bool, error) {
	return nil, false, fmt.Errorf("process %d: %w", pid, errors.ErrUnsupported)
}
