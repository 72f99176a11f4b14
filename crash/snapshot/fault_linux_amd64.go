package snapshot

import (
	"errors"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// FaultLimit is how long the process stands while threads run to their next fault, which takes microseconds. One that is deep
// in its handler looks like any other: then all run for a moment, each longer than the last, and it is tried again.
const (
	FaultLimit = 5 * time.Millisecond
	faultTries = 6
)

var errNoFault = errors.New("no thread faults")

// runToFault lets threads run on that may be about to fault, until the faulty instruction stops one of them. All others stand.
func (t *target) runToFault() error {
	if slices.ContainsFunc(t.alive(), atFault) {
		return nil
	}
	var running []*thread
	for _, th := range t.alive() {
		if mayFault(th.tid) && ptrace(unix.PTRACE_CONT, th.tid, 0, 0) == nil {
			th.stopped = false
			running = append(running, th)
		}
	}
	t.awaitFault(running)
	for _, th := range running {
		if !th.stopped {
			_ = ptrace(unix.PTRACE_INTERRUPT, th.tid, 0, 0) // the wait tells of its end
		}
	}
	if err := t.awaitAll(); err != nil {
		return err
	}
	if !slices.ContainsFunc(running, atFault) {
		return errNoFault
	}
	began := t.began
	defer func() { t.began = began }()
	return t.stopAll() // those that ran may have started others
}

// awaitFault waits until one of them stands at a fault. Signals of another kind are kept for later.
func (t *target) awaitFault(running []*thread) {
	late := time.Now().Add(FaultLimit)
	for i := 0; len(running) > 0 && time.Now().Before(late) && !slices.ContainsFunc(running, atFault); i++ {
		t.collect()
		for _, th := range running {
			if th.stopped && !atFault(th) && ptrace(unix.PTRACE_CONT, th.tid, 0, 0) == nil {
				th.stopped = false
			}
		}
		pause(i)
	}
}

func atFault(th *thread) bool { return slices.ContainsFunc(th.signals, isFault) }

// mayFault tells whether a stopped thread is in a handler, which blocks SIGSEGV, or runs code, not a system call.
func mayFault(tid int) bool {
	var mask uint64
	var regs unix.PtraceRegs
	return readSignalMask(tid, &mask) == nil && mask&(1<<(unix.SIGSEGV-1)) != 0 || readRegs(tid, &regs) == nil && int64(regs.Orig_rax) < 0
}
