package snapshot

import "golang.org/x/sys/unix"

// hurry lets a thread run before all ordinary ones as long as a process stands still, and gives what takes that back. On
// a busy machine the stop is several times longer without. It needs CAP_SYS_NICE; without it nothing changes. What the
// thread forks starts with ordinary priority.
func hurry(tid int) (restore func()) {
	was, err := unix.SchedGetAttr(tid, 0)
	if err != nil || was.Policy != unix.SCHED_NORMAL && was.Policy != unix.SCHED_BATCH {
		return func() {}
	}
	fast := unix.SchedAttr{
		Size: unix.SizeofSchedAttr, Policy: unix.SCHED_RR, Priority: 1, Flags: was.Flags | unix.SCHED_FLAG_RESET_ON_FORK,
	}
	if unix.SchedSetAttr(tid, &fast, 0) != nil {
		return func() {}
	}
	return func() { _ = unix.SchedSetAttr(tid, was, 0) } // the right that made it fast is there to undo it; it may have ended
}

// precise makes the pauses of the calling thread, which its goroutine holds, as short as they say; the kernel adds 50 us otherwise.
func precise() {
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // longer pauses are all there is to lose
}
