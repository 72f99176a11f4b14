package monitor

import (
	"fmt"
	"os"
	"os/signal"
	"unsafe"

	"golang.org/x/sys/unix"
)

// wakeEvery is how long a monitor stays stopped by a signal, in seconds.
const wakeEvery = 1

// stayAwake has the kernel send this process SIGCONT again and again, which ends what SIGSTOP and its like begin: with all monitors
// stopped a dying server would wait for them until its deadman timer kills it. A tracer's stops it does not end.
func stayAwake() error {
	signal.Notify(make(chan os.Signal, 1), unix.SIGCONT) // a timer whose signal is ignored does not go on in every kernel
	event := struct {                                    // sigevent: value u64, signal i32, notify i32 (0: a signal), padding to 64 bytes
		value  uint64
		signal int32
		notify int32
		_      [48]byte
	}{signal: int32(unix.SIGCONT)}
	var id int32
	_, _, errno := unix.Syscall(unix.SYS_TIMER_CREATE, unix.CLOCK_MONOTONIC, uintptr(unsafe.Pointer(&event)), uintptr(unsafe.Pointer(&id)))
	if errno != 0 {
		return fmt.Errorf("create timer: %w", errno)
	}
	every := unix.Timespec{Sec: wakeEvery}
	spec := struct{ interval, value unix.Timespec }{every, every} // itimerspec
	_, _, errno = unix.Syscall6(unix.SYS_TIMER_SETTIME, uintptr(id), 0, uintptr(unsafe.Pointer(&spec)), 0, 0, 0)
	if errno != 0 {
		return fmt.Errorf("set timer: %w", errno)
	}
	return nil
}
