package probe

import (
	"fmt"
	"math"
	"time"

	"golang.org/x/sys/unix"
)

// pollSlice is how long one look for the parent takes: some kernels wake nobody
// when a process that has ended is collected.
const pollSlice = 10 * time.Millisecond

// Why a status is not known.
const (
	whyNotCollected = "the process ended, but its parent has not collected it"
	whyForgotten    = "the kernel forgot it: statuses are told since Linux 6.15"
	whyNoInfo       = "the kernel has no PIDFD_GET_INFO"
)

// exits is where Exit asks; the tests give it other kernels.
type exits struct {
	info func(fd int, info *unix.PidfdInfo) error
	poll func(fds []unix.PollFd, ms int) (int, error)
}

func exit(pidfd int, wait time.Duration) (ExitInfo, error) {
	return exits{unix.IoctlPidfdInfo, unix.Poll}.wait(pidfd, time.Now().Add(wait))
}

func (x exits) wait(pidfd int, deadline time.Time) (ExitInfo, error) {
	ended, err := x.until(pidfd, unix.POLLIN, deadline)
	if err == nil && !ended {
		err = ErrRunning
	}
	if err != nil {
		return ExitInfo{Why: err.Error()}, fmt.Errorf("wait for pidfd %d: %w", pidfd, err)
	}
	for {
		info := x.ask(pidfd)
		if info.Why != whyNotCollected || !time.Now().Before(deadline) {
			return info, nil
		}
		slice := time.Now().Add(pollSlice)
		if slice.After(deadline) {
			slice = deadline
		}
		// Only the hang-up is waited for, and ask sees what comes of it.
		if _, err := x.until(pidfd, 0, slice); err != nil {
			return ExitInfo{Why: err.Error()}, fmt.Errorf("wait for pidfd %d: %w", pidfd, err)
		}
	}
}

// until waits for one of the events, or the hang-up, and tells whether it came.
func (x exits) until(pidfd int, events int16, deadline time.Time) (bool, error) {
	if pidfd < 0 {
		return false, unix.EBADF // poll would pass it over
	}
	for {
		left := min(max(time.Until(deadline), 0), math.MaxInt32*time.Millisecond)
		fds := []unix.PollFd{{Fd: int32(pidfd), Events: events}}
		n, err := x.poll(fds, int((left+time.Millisecond-1)/time.Millisecond))
		switch {
		case err == unix.EINTR:
		case err != nil:
			return false, err
		case n > 0 && fds[0].Revents&unix.POLLNVAL != 0:
			return false, unix.EBADF
		default:
			return n > 0, nil
		}
	}
}

// ask asks the kernel for the status of a process that has ended.
func (x exits) ask(pidfd int) ExitInfo {
	info := unix.PidfdInfo{Mask: unix.PIDFD_INFO_EXIT | unix.PIDFD_INFO_COREDUMP}
	switch err := x.info(pidfd, &info); {
	case err == unix.ESRCH:
		return ExitInfo{Why: whyForgotten}
	case err != nil:
		return ExitInfo{Why: whyNoInfo + ": " + err.Error()}
	case info.Mask&unix.PIDFD_INFO_EXIT == 0:
		return ExitInfo{Why: whyNotCollected}
	}
	dumped := info.Mask&unix.PIDFD_INFO_COREDUMP != 0 && info.Coredump_mask&unix.PIDFD_COREDUMPED != 0
	return exitInfo(uint32(info.Exit_code), dumped)
}
