//go:build !linux

package probe

import (
	"errors"
	"fmt"
	"time"
)

func exit(int, time.Duration) (ExitInfo, error) {
	return ExitInfo{Why: "needs linux"}, fmt.Errorf("exit status of a pidfd: %w", errors.ErrUnsupported)
}
