package snapshot

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// injection borrows a stopped thread for system calls that it never made:
//
//	begin   registers and signal mask noted, all signals blocked
//	call    program counter on a `syscall` instruction, the call's number and arguments in the registers; run to its exit
//	end     registers and signal mask as they were
//
// The thread stops at the entry and the exit of the call and nowhere else: single steps would do without the two stops,
// but their SIGTRAP changes the handler of a process that ignores or blocks it. orig_rax is -1 while the thread is
// borrowed, so that the kernel does not restart the call that the stop interrupted with the registers of another; with
// the old registers it comes back, and the kernel restarts the call when the thread is let go. Whoever lets go in between
// leaves the thread with foreign registers, so a call once begun has a deadline of its own, callTime.
type injection struct {
	th    *thread
	gate  uint64
	saved unix.PtraceRegs
	mask  uint64
	child int // of the last call, 0 when it made none
}

// callTime is how long an injected call may take: a fork copies page tables, about 10 us per MiB of memory in use.
const callTime = 30 * time.Second

// maxCallStops bounds the stops within one injected call: entry, clone event, exit, and a few that are not ours.
const maxCallStops = 32

// The options of a thread that is borrowed and of the child, which inherits them at birth: it must not outlive the tracer
// for a moment, since it would run. So for the time of the call the process would not either; with foreign registers in one
// of its threads it would go wrong anyway.
const (
	childOptions  = unix.PTRACE_O_TRACESYSGOOD | unix.PTRACE_O_EXITKILL
	borrowOptions = childOptions | unix.PTRACE_O_TRACECLONE
)

// borrow begins an injection. When it fails the thread is as it was.
func borrow(th *thread, gate uint64, options uintptr) (*injection, error) {
	j := &injection{th: th, gate: gate}
	if err := readRegs(th.tid, &j.saved); err != nil {
		return nil, fmt.Errorf("borrow thread %d: %w", th.tid, th.refusal(err))
	}
	if err := readSignalMask(th.tid, &j.mask); err != nil {
		return nil, fmt.Errorf("borrow thread %d: %w", th.tid, th.refusal(err))
	}
	if gate == 0 {
		return nil, fmt.Errorf("borrow thread %d: no system call instruction", th.tid)
	}
	if err := ptrace(unix.PTRACE_SETOPTIONS, th.tid, 0, options); err != nil {
		return nil, fmt.Errorf("borrow thread %d: %w", th.tid, th.refusal(err))
	}
	j.dropFault()
	if err := writeSignalMask(th.tid, ^uint64(0)); err != nil {
		_ = ptrace(unix.PTRACE_SETOPTIONS, th.tid, 0, 0) // it is about to die, or refuses this too
		return nil, fmt.Errorf("borrow thread %d: %w", th.tid, th.refusal(err))
	}
	return j, nil
}

// end gives the thread back as it was.
func (j *injection) end() error {
	err := writeRegs(j.th.tid, &j.saved)
	if maskErr := writeSignalMask(j.th.tid, j.mask); err == nil {
		err = maskErr
	}
	if optionErr := ptrace(unix.PTRACE_SETOPTIONS, j.th.tid, 0, 0); err == nil {
		err = optionErr
	}
	if err != nil {
		return fmt.Errorf("give back thread %d: %w", j.th.tid, j.th.refusal(err))
	}
	return nil
}

// call makes the thread do one system call and gives what it returned, a negative error number included. An error means
// that the call's end was not seen: the thread is lost to us.
func (j *injection) call(number uint64, args ...uint64) (int64, error) {
	r := j.saved
	r.Rip, r.Rax, r.Orig_rax = j.gate, number, ^uint64(0)
	for i, to := range []*uint64{&r.Rdi, &r.Rsi, &r.Rdx, &r.R10, &r.R8, &r.R9} {
		*to = 0
		if i < len(args) {
			*to = args[i]
		}
	}
	if err := writeRegs(j.th.tid, &r); err != nil {
		return 0, fmt.Errorf("inject call %d into thread %d: %w", number, j.th.tid, j.th.refusal(err))
	}
	if err := j.runToExit(); err != nil {
		return 0, fmt.Errorf("inject call %d into thread %d: %w", number, j.th.tid, j.th.refusal(err))
	}
	if err := readRegs(j.th.tid, &r); err != nil {
		return 0, fmt.Errorf("inject call %d into thread %d: %w", number, j.th.tid, j.th.refusal(err))
	}
	return int64(r.Rax), nil
}

// runToExit runs the thread through the entry of a call to its exit.
func (j *injection) runToExit() error {
	j.child = 0
	deadline := time.Now().Add(callTime)
	entered := false
	for range maxCallStops {
		if err := ptrace(unix.PTRACE_SYSCALL, j.th.tid, 0, 0); err != nil {
			return err
		}
		st, err := await(j.th.tid, deadline)
		switch {
		case err != nil:
			return err
		case st.gone:
			return unix.ESRCH
		case st.event == unix.PTRACE_EVENT_CLONE:
			if err := j.noteChild(); err != nil {
				return err
			}
		case st.event != 0: // the stop that was asked for before, or the whole process is stopped
		case st.syscall && entered:
			return nil
		case st.syscall:
			entered = true
		default:
			j.th.signals = append(j.th.signals, st.signal) // SIGSTOP, which no mask holds back
		}
	}
	return errStuck
}

func (j *injection) noteChild() error {
	var child uint64
	if err := ptracePointer(unix.PTRACE_GETEVENTMSG, j.th.tid, 0, unsafe.Pointer(&child)); err != nil {
		return err
	}
	j.child = int(child)
	return nil
}

// refusal gives the reason why a request to a thread that stood was refused: it obeys until its process is killed, which
// may be between any two requests.
func (th *thread) refusal(err error) error {
	if errors.Is(err, unix.ESRCH) {
		th.gone = true
		return ErrGone
	}
	return err
}

// dropFault forgets a fault whose delivery the stop holds up: the thread stands at the faulty instruction, does it again
// when it is let go, and the kernel makes the same signal anew, address and all, which nobody else can.
func (j *injection) dropFault() {
	if len(j.th.signals) != 1 {
		return
	}
	switch j.th.signals[0] {
	case unix.SIGSEGV, unix.SIGBUS, unix.SIGFPE, unix.SIGILL:
	default:
		return
	}
	var info struct { // siginfo_t: 128 bytes
		signo, errno, code int32
		_                  [116]byte
	}
	if ptracePointer(unix.PTRACE_GETSIGINFO, j.th.tid, 0, unsafe.Pointer(&info)) == nil && info.code > 0 {
		j.th.signals = nil
	}
}
