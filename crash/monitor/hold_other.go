//go:build !linux

package monitor

import "io"

// HoldRun says that a run directory is in use, which only Linux has a use for.
func HoldRun(string) (io.Closer, error) { return io.NopCloser(nil), nil }

// takeRun answers that the run directory is in use.
func takeRun(string) (io.Closer, error) { return nil, nil }
