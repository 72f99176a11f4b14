//go:build !linux && !darwin

package bundle

import (
	"errors"
	"os"
)

// tryLock has no lock to offer here; whether a writer lives is asked of the system.
func tryLock(*os.File) error { return errors.ErrUnsupported }

func diskSpace(string) (free, total int64, err error) { return 0, 0, errors.ErrUnsupported }

// syncFile does nothing: neither directories nor files that are open for reading can be synced here.
func syncFile(*os.File) error { return nil }

func isFull(error) bool { return false }
