package snapshot

import (
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// state is what a snapshot needs besides. Fixed after Take, the marked field excepted.
type state struct {
	tracer   *tracer
	target   *target
	threads  []*thread   // the subject first
	released atomic.Bool // atomic
}

// Take takes the picture of a process. The process stands still for Times.Stopped and goes on as if nothing had happened:
// system calls are restarted or return EINTR as after any stop, signals are delivered. Any goroutine may call it. It blocks
// for Options.Deadline at most, and besides for the fork, which it does not give up: a thread of the process runs foreign
// code then, and the process would die with the caller. On any error the process runs. The caller must end the snapshot
// with Release. Errors: ErrGone, ErrNoFork, OrphanError, unix.EPERM where tracing is not allowed or somebody traces already.
func Take(pid int, o Options) (*Snapshot, error) {
	in, err := readInfo(pid)
	if err != nil {
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	if o.Deadline <= 0 {
		o.Deadline = DefaultStop
	}
	s := &Snapshot{PID: pid}
	s.tracer = newTracer()
	s.tracer.do(func() {
		for try := 0; ; try++ {
			s.target = newTarget(pid, in, s.tracer, o.Deadline)
			if err = s.takeFast(o); err != errNoFault {
				return
			}
			o.Fault = try < faultTries
			time.Sleep(time.Millisecond << try) // the process runs, and one of its threads faults
		}
	})
	if err != nil {
		s.tracer.end()
		return nil, fmt.Errorf("snapshot: %w", err)
	}
	return s, nil
}

// SelfTest tells whether a picture could be taken: it stops one thread of the process and lets it go. Any goroutine may
// call it; it blocks for DefaultStop at most.
func SelfTest(pid int) error {
	tracer := newTracer()
	defer tracer.end()
	var err error
	tracer.do(func() {
		t := newTarget(pid, info{}, tracer, DefaultStop)
		defer t.letGo()
		var th *thread
		if th, err = t.seize(pid); err != nil {
			return
		}
		t.threads = append(t.threads, th)
		if err = t.awaitAll(); err == nil && th.gone {
			err = ErrGone
		}
	})
	if err != nil {
		return fmt.Errorf("test tracing: %w", err)
	}
	return nil
}

func newTarget(pid int, in info, tracer *tracer, stop time.Duration) *target {
	return &target{pid: pid, info: in, known: map[int]*thread{}, tracer: tracer, deadline: time.Now().Add(stop)}
}

// takeFast is take with the haste that a process deserves that stands still.
func (s *Snapshot) takeFast(o Options) error {
	defer hurry(unix.Gettid())()
	return s.take(o)
}

// take runs on the tracer. Unless the process stays stopped on purpose, every thread runs when it returns.
func (s *Snapshot) take(o Options) error {
	t := s.target
	direct := false
	defer func() {
		if !direct {
			t.letGo()
		}
	}()
	if err := t.stopAll(); err != nil {
		return err
	}
	if o.Fault {
		if err := t.runToFault(); err != nil {
			return err // the process runs again, and may come to its fault
		}
	}
	stood := time.Now()
	s.Times.Seize = stood.Sub(t.began)
	if err := t.readRegisters(); err != nil {
		return err
	}
	s.threads = t.ordered(t.subject(o))
	s.Thread, s.Threads = s.threads[0].tid, len(s.threads)
	noted := time.Now()
	s.Times.Registers = noted.Sub(stood)

	child, err := t.fork()
	s.Times.Fork = time.Since(noted)
	if direct = o.Direct && errors.Is(err, ErrNoFork); direct {
		s.Times.Stopped = time.Since(t.began)
		return nil
	}
	if err != nil {
		return err
	}
	t.letGo()
	s.Times.Stopped = time.Since(t.began)
	if err := closeFiles(child, t.info.gate); err != nil {
		kill(child)
		return &OrphanError{PID: child, Err: err}
	}
	s.Child = child
	return nil
}

// Read reads memory as it was when the picture was taken and gives how much of b it filled, with an error when not all.
func (s *Snapshot) Read(addr uint64, b []byte) (int, error) {
	if s.released.Load() {
		return 0, ErrReleased
	}
	return readMemory(s.source(), addr, b)
}

// source is the process whose memory is read.
func (s *Snapshot) source() int {
	if s.Child != 0 {
		return s.Child
	}
	return s.PID
}

// Orphan gives the child that the process must wait for with wait4(pid, WNOHANG|__WALL), once Release has returned, if
// it goes on living: the child is its own, and a zombie until then. 0: there is none.
func (s *Snapshot) Orphan() int { return s.Child }

// Release ends the child, or lets the process go on that Options.Direct stopped. It blocks for killTime at most, may be
// called twice, and reports a child that would not go: that one is left to the kernel, which has killed it already.
func (s *Snapshot) Release() error {
	if s.released.Swap(true) {
		return nil
	}
	left := false
	s.tracer.do(func() {
		s.target.letGo()
		if s.Child != 0 {
			left = !kill(s.Child)
		}
	})
	s.tracer.end()
	if left {
		return fmt.Errorf("release copy %d of process %d: %w", s.Child, s.PID, errStuck)
	}
	return nil
}
