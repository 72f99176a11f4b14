//go:build !linux && !darwin

package segment

import (
	"errors"
	"fmt"
	"os"
	"runtime"
)

// tryLock has no lock to offer here. Two writers in one directory would ruin it, so there is no fallback.
func tryLock(*os.File, bool) error {
	return fmt.Errorf("lock a file on %s: %w", runtime.GOOS, errors.ErrUnsupported)
}

// syncDir does nothing: directories cannot be synced here.
func syncDir(string) error { return nil }
