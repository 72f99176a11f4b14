package monitor

import (
	"bytes"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// peer is the other monitor as the reserve sees it. Who it is may be told late, for the server may die while it tells, and anew when
// another has been started.
type peer struct {
	mu    sync.Mutex
	pid   int  // 0 = nobody told; guarded by mu
	pidfd int  // another process may get the id of one that has ended, but not its descriptor; guarded by mu
	gone  bool // it had ended before it could be opened; guarded by mu
}

// meet takes note of the other monitor; 0 says that there is none yet.
func (p *peer) meet(pid int) {
	if pid == 0 {
		return
	}
	pidfd, err := unix.PidfdOpen(pid, 0)
	if err != nil && err != unix.ESRCH {
		return // it cannot be watched: as if nobody had told
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pid != 0 && !p.gone {
		unix.Close(p.pidfd)
	}
	p.pid, p.pidfd, p.gone = pid, pidfd, err != nil
}

// ended waits for the end of the other monitor, at most so long, and tells whether it came. One that nobody told of has not ended.
func (p *peer) ended(wait time.Duration) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.gone:
		return true
	case p.pid == 0:
		time.Sleep(wait)
		return false
	}
	return ended(p.pidfd, wait)
}

// patience is how long it may make no progress: one that is stopped never will, nor may one that nobody told of be there; one that
// runs may be slow.
func (p *peer) patience() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pid == 0 || stopped(p.pid) {
		return StandbyAfter
	}
	return StandbySlow
}

// end kills it. What it had stopped goes on: the kernel lets go of it.
func (p *peer) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pid == 0 || p.gone {
		return
	}
	_ = unix.PidfdSendSignal(p.pidfd, unix.SIGKILL, nil, 0) // one that has ended needs none
	ended(p.pidfd, StandbyAfter)
}

// stopped tells whether a process is stopped by a signal or a tracer, or is dead: proc(5), the state behind the name.
func stopped(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return true
	}
	_, rest, _ := bytes.Cut(stat, []byte(") "))
	return len(rest) > 0 && bytes.IndexByte([]byte("TtZX"), rest[0]) >= 0
}

// ended waits for the end of a process, and tells whether it came.
func ended(pidfd int, wait time.Duration) bool {
	fds := []unix.PollFd{{Fd: int32(pidfd), Events: unix.POLLIN}}
	n, _ := unix.Poll(fds, int(wait/time.Millisecond)) // an interruption is one wait less
	return n > 0
}
