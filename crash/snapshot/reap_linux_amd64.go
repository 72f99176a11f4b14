package snapshot

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Reap has a process that nobody can ask wait for the child that a released snapshot was, which is a zombie of that process
// until then: one of its threads is stopped once more and makes the call. Any goroutine may call it; it blocks for DefaultStop
// at most. A child that somebody waited for already is no error.
func (s *Snapshot) Reap() error {
	if s.Child == 0 {
		return nil
	}
	tracer := newTracer()
	defer tracer.end()
	var err error
	tracer.do(func() {
		t := newTarget(s.PID, s.target.info, tracer, DefaultStop)
		defer t.letGo()
		err = t.waitFor(s.Child)
	})
	if err != nil {
		return fmt.Errorf("reap copy %d of process %d: %w", s.Child, s.PID, err)
	}
	return nil
}

// waitFor borrows a thread for a wait that does not block.
func (t *target) waitFor(child int) error {
	if err := t.stopAll(); err != nil { // all: any of them may be in a restartable sequence, and one that waits is not
		return err
	}
	if err := t.readRegisters(); err != nil {
		return err
	}
	th := t.carrier()
	if th == nil {
		return ErrGone
	}
	j, err := borrow(th, t.gateFor(th), borrowOptions)
	if err != nil {
		return err
	}
	result, err := j.call(unix.SYS_WAIT4, uint64(child), 0, unix.WNOHANG|unix.WALL, 0)
	if endErr := j.end(); err == nil {
		err = endErr
	}
	switch {
	case err != nil:
		return err
	case result == 0:
		return errStuck // it has not ended yet
	case result < 0 && unix.Errno(-result) != unix.ECHILD:
		return unix.Errno(-result)
	}
	return nil
}
