package snapshot

import (
	"errors"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A process that somebody else traces for a moment is waited for, one that is held for long is not.
func TestSelfTestWaitsForAnotherTracer(t *testing.T) {
	c := exec.Command("sleep", "60")
	if err := c.Start(); err != nil {
		t.Skip(err)
	}
	defer c.Wait()
	defer c.Process.Kill()
	pid := c.Process.Pid
	if err := SelfTest(pid); err != nil {
		t.Skip(err)
	}
	other := newTracer()
	var err error
	other.do(func() { err = ptrace(unix.PTRACE_SEIZE, pid, 0, 0) })
	if err != nil {
		t.Fatal(err)
	}
	if err := SelfTest(pid); !errors.Is(err, unix.EPERM) {
		t.Errorf("self test of a process held by another: %v, want EPERM", err)
	}
	done := make(chan error, 1)
	go func() { done <- SelfTest(pid) }() // ends by its limits
	select {
	case err := <-done:
		t.Fatalf("self test did not wait: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	other.end()
	if err := <-done; err != nil {
		t.Errorf("self test after the other let go: %v", err)
	}
}
