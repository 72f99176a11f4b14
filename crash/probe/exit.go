package probe

import (
	"errors"
	"syscall"
	"time"
)

// ErrRunning is Exit's answer when the process has not ended in time.
var ErrRunning = errors.New("the process is still running")

// ExitInfo is how a process ended.
type ExitInfo struct {
	Known  bool
	Why    string         // why it is not known, "" when it is
	Code   int            // what it gave to exit, 0 when a signal ended it
	Signal syscall.Signal // what ended it, 0 for none
	Core   bool           // the kernel wrote a core, or handed one to its handler; false proves nothing unless the first thread died
}

// Exit waits up to wait for a process to end and be collected by its parent,
// and returns how it ended. The process need not be a child: its pidfd must
// have been opened while it lived. It blocks its thread in poll(2).
//
// A process that still runs is ErrRunning. One that ended is no error even when
// nobody can tell how, because the kernel is older than 6.15 or the parent has
// not collected it in time: Known is false and Why says it. Elsewhere than on
// Linux the error wraps errors.ErrUnsupported.
func Exit(pidfd int, wait time.Duration) (ExitInfo, error) {
	return exit(pidfd, wait)
}

// exitInfo takes a wait(2) status apart.
func exitInfo(status uint32, dumped bool) ExitInfo {
	signal := syscall.Signal(status & 0x7f)
	info := ExitInfo{Known: true, Signal: signal, Core: signal != 0 && (status&0x80 != 0 || dumped)}
	if signal == 0 {
		info.Code = int(status >> 8 & 0xff)
	}
	return info
}
