package monitor

import (
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// sleeper starts a process that does nothing, until the test ends.
func sleeper(t *testing.T) *exec.Cmd {
	t.Helper()
	c := exec.Command("sleep", "1000")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Process.Kill(); c.Wait() })
	return c
}

func TestPeerThatEndedBeforeItWasTold(t *testing.T) {
	c := sleeper(t)
	c.Process.Kill()
	c.Wait() // its id is nobody's now
	var p peer
	p.meet(c.Process.Pid)
	if !p.ended(0) {
		t.Error("it has not ended")
	}
	p.end()
}

func TestPeerThatNobodyTold(t *testing.T) {
	var p peer
	if p.ended(0) {
		t.Error("it has ended")
	}
	if got := p.patience(); got != StandbyAfter {
		t.Errorf("patience %v, want %v", got, StandbyAfter)
	}
}

// TestPeerToldAgain: to be told of it again while the reserve waits for its end is no end.
func TestPeerToldAgain(t *testing.T) {
	c := sleeper(t)
	var p peer
	p.meet(c.Process.Pid)
	done := make(chan bool)
	go func() { // ends with its wait
		ended := false
		for range 50 {
			ended = ended || p.ended(2*time.Millisecond)
		}
		done <- ended
	}()
	for waiting := true; waiting; {
		select {
		case ended := <-done:
			waiting = false
			if ended {
				t.Error("it has ended")
			}
		default:
			p.meet(c.Process.Pid)
		}
	}
	if got := p.patience(); got != StandbySlow {
		t.Errorf("patience %v, want %v", got, StandbySlow)
	}
	unix.Kill(c.Process.Pid, unix.SIGSTOP)
	for p.patience() != StandbyAfter {
		time.Sleep(time.Millisecond) // sleep: polls
	}
	p.end()
	if !p.ended(0) {
		t.Error("it lives on")
	}
}
