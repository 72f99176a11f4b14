//go:build !linux && !darwin

package ring

import (
	"errors"
	"fmt"
)

// mapping returns the process's memory: what is in it dies with the process.
func mapping(path string, size int) ([]byte, error) {
	if path == "" {
		return aligned(size), nil
	}
	return aligned(size), fmt.Errorf("map %q: %w", path, errors.ErrUnsupported)
}

func unmap([]byte) {}
