//go:build linux

package logs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// lineCounter counts the lines written to it.
type lineCounter int64

func (c *lineCounter) Write(b []byte) (int, error) {
	*c += lineCounter(bytes.Count(b, []byte{'\n'}))
	return len(b), nil
}

// grep runs grep -F over a file and returns how many lines it printed and
// how long it took, its start included. They go into a pipe, not to /dev/null:
// there GNU grep would end at the first.
func grep(ctx context.Context, fixed, path string) (lines int64, took time.Duration, err error) {
	var counted lineCounter
	command := exec.CommandContext(ctx, "grep", "-F", "-e", fixed, "--", path)
	command.Env = append(os.Environ(), "LC_ALL=C")
	command.Stdout, command.Stderr = &counted, os.Stderr
	start := time.Now()
	err = command.Run()
	took = time.Since(start)
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		err = nil // No line.
	}
	if err != nil {
		err = fmt.Errorf("grep -F %q: %w", fixed, err)
	}
	return int64(counted), took, err
}
