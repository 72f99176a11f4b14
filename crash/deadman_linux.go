package crash

import (
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// deadman is a timer of the kernel that kills the process unless it is set again in time: whatever holds the runtime, a crash that
// nobody reads or a world that is stopped for good, the process ends and can be started anew. A nil deadman does nothing.
type deadman struct {
	id    int32
	limit time.Duration
}

// sigevent is the kernel's: value u64, signal i32, notify i32, padding to 64 bytes.
type sigevent struct {
	value  uint64
	signal int32
	notify int32
	_      [48]byte
}

// itimerspec is the kernel's: interval, then the first expiry.
type itimerspec struct{ interval, value unix.Timespec }

func newDeadman(limit time.Duration) (*deadman, error) {
	d := &deadman{limit: limit}
	event := sigevent{signal: int32(unix.SIGKILL)}
	_, _, errno := unix.Syscall(unix.SYS_TIMER_CREATE, unix.CLOCK_MONOTONIC, uintptr(unsafe.Pointer(&event)), uintptr(unsafe.Pointer(&d.id)))
	if errno != 0 {
		return nil, fmt.Errorf("create timer: %w", errno)
	}
	return d, nil
}

// rearm begins the time anew.
func (d *deadman) rearm() {
	if d != nil {
		d.set(d.limit)
	}
}

// pause stops the time: the process is about to stand still by somebody's wish.
func (d *deadman) pause() {
	if d != nil {
		d.set(0)
	}
}

func (d *deadman) set(limit time.Duration) {
	spec := itimerspec{value: unix.NsecToTimespec(int64(limit))}
	_, _, _ = unix.Syscall6(unix.SYS_TIMER_SETTIME, uintptr(d.id), 0, uintptr(unsafe.Pointer(&spec)), 0, 0, 0) // its timer exists
}

// stop ends the timer.
func (d *deadman) stop() {
	if d != nil {
		_, _, _ = unix.Syscall(unix.SYS_TIMER_DELETE, uintptr(d.id), 0, 0) // its timer exists
	}
}
