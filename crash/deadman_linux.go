package crash

import (
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
	"vitrine/crash/blackbox"
)

// deadman is a timer of the kernel that kills the process unless it is set again in time: whatever holds the runtime, a crash that
// nobody reads or a world that is stopped for good, the process ends and can be started anew. A nil deadman does nothing.
type deadman struct {
	id    int32         // fixed
	limit time.Duration // fixed
	box   *blackbox.Box // is told when the timer will end the process; fixed
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

func newDeadman(limit time.Duration, box *blackbox.Box) (*deadman, error) {
	d := &deadman{limit: limit, box: box}
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

// set notes the end before it sets the timer: a process that is stopped in between is later ended before the moment noted, which is
// then not taken for the timer's work.
func (d *deadman) set(limit time.Duration) {
	d.note(limit)
	spec := itimerspec{value: unix.NsecToTimespec(int64(limit))}
	_, _, _ = unix.Syscall6(unix.SYS_TIMER_SETTIME, uintptr(d.id), 0, uintptr(unsafe.Pointer(&spec)), 0, 0, 0) // its timer exists
}

// note tells the black box when the timer will end the process, 0 = it will not.
func (d *deadman) note(limit time.Duration) {
	var now unix.Timespec
	if limit == 0 || unix.ClockGettime(unix.CLOCK_MONOTONIC, &now) != nil {
		d.box.Deadman(d.limit, 0)
		return
	}
	d.box.Deadman(d.limit, now.Nano()+int64(limit))
}

// stop ends the timer.
func (d *deadman) stop() {
	if d != nil {
		d.note(0)
		_, _, _ = unix.Syscall(unix.SYS_TIMER_DELETE, uintptr(d.id), 0, 0) // its timer exists
	}
}
