//go:build !linux

package cli

import (
	"errors"
	"path/filepath"
)

func permitTracing(int) {}

func diskSpace(string) (free, total int64, err error) { return 0, 0, errors.ErrUnsupported }

func runPlace(dir string) (where string, quick bool) { return filepath.Join(dir, "run"), false }
