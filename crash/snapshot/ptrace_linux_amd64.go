package snapshot

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ptrace makes one request. Only the thread that traces may call it. It does not block: what it asks for is done at once
// or refused. Raw, since the scheduler must not get between two requests while a process stands still.
func ptrace(request, tid int, addr, data uintptr) error {
	if _, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, uintptr(request), uintptr(tid), addr, data, 0, 0); errno != 0 {
		return errno
	}
	return nil
}

// ptracePointer is ptrace with the address of a variable.
func ptracePointer(request, tid int, addr uintptr, data unsafe.Pointer) error {
	if _, _, errno := unix.RawSyscall6(unix.SYS_PTRACE, uintptr(request), uintptr(tid), addr, uintptr(data), 0, 0); errno != 0 {
		return errno
	}
	return nil
}

func readRegs(tid int, r *unix.PtraceRegs) error {
	return ptracePointer(unix.PTRACE_GETREGS, tid, 0, unsafe.Pointer(r))
}

func writeRegs(tid int, r *unix.PtraceRegs) error {
	return ptracePointer(unix.PTRACE_SETREGS, tid, 0, unsafe.Pointer(r))
}

// readRegSet reads a set of registers into b and gives what there is of it, nothing where the machine has no such set.
func readRegSet(tid int, set uintptr, b []byte) []byte {
	vec := unix.Iovec{Base: &b[0], Len: uint64(len(b))}
	if ptracePointer(unix.PTRACE_GETREGSET, tid, set, unsafe.Pointer(&vec)) != nil {
		return nil
	}
	return b[:vec.Len]
}

// sigsetBytes is the size of the kernel's set of signals.
const sigsetBytes = 8

func readSignalMask(tid int, mask *uint64) error {
	return ptracePointer(unix.PTRACE_GETSIGMASK, tid, sigsetBytes, unsafe.Pointer(mask))
}

func writeSignalMask(tid int, mask uint64) error {
	return ptracePointer(unix.PTRACE_SETSIGMASK, tid, sigsetBytes, unsafe.Pointer(&mask))
}

// stop is what a wait told of a traced thread.
type stop struct {
	gone    bool        // it ended
	event   int         // PTRACE_EVENT_x, 0 for none
	syscall bool        // at the entry or the exit of a system call
	signal  unix.Signal // without event and syscall: the signal whose delivery is held up
}

// look tells what a traced thread has to tell, without blocking; known is false while there is nothing.
func look(tid int) (st stop, known bool) {
	var status unix.WaitStatus
	n, _, errno := unix.RawSyscall6(unix.SYS_WAIT4, uintptr(tid), uintptr(unsafe.Pointer(&status)), unix.WNOHANG|unix.WALL, 0, 0, 0)
	switch {
	case errno != 0, n != 0 && !status.Stopped(): // nobody's child any more, or exited, or killed
		return stop{gone: true}, true
	case n == 0:
		return stop{}, false
	}
	st.event = int(status) >> 16
	if st.event == 0 {
		st.syscall = status.StopSignal() == unix.SIGTRAP|syscallMark
		st.signal = status.StopSignal()
	}
	return st, true
}

// syscallMark is set in the signal of a stop at a system call (PTRACE_O_TRACESYSGOOD).
const syscallMark = 0x80

// errStuck says that a thread did not stop in time.
var errStuck = errors.New("does not stop")

// doubtAfter is how long a thread may be silent before it is asked whether it is alive at all: of the death of a first
// thread no wait tells as long as other threads have not been waited for.
const doubtAfter = 5 * time.Millisecond

// await waits until a traced thread has something to tell.
func await(tid int, deadline time.Time) (stop, error) {
	doubt := time.Now().Add(doubtAfter)
	for i := 0; ; i++ {
		if st, known := look(tid); known {
			return st, nil
		}
		now := time.Now()
		if now.After(deadline) {
			return stop{}, fmt.Errorf("thread %d: %w", tid, errStuck)
		}
		if now.After(doubt) {
			if st, err := readStat(fmt.Sprintf("/proc/%d/stat", tid)); err != nil || st.ended() {
				return stop{gone: true}, nil
			}
			doubt = now.Add(doubtAfter)
		}
		pause(i)
	}
}

// The rounds of a wait without a pause, and how long the pauses after them become, each longer than the last.
const (
	eagerRounds = 4
	pauseGrowth = 5 * time.Microsecond
	maxPause    = 200 * time.Microsecond
)

// pause gives the processor to those who are waited for: most stops come within microseconds. Yielding would not do,
// since the tracer may have a higher priority than they.
func pause(round int) {
	if round < eagerRounds {
		return
	}
	wait := unix.NsecToTimespec(int64(min(time.Duration(round)*pauseGrowth, maxPause)))
	_ = unix.Nanosleep(&wait, nil) // cut short by a signal, the caller looks again
}
