package provoke

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// CanRefuseTracing tells whether RefuseTracing can be had on this platform.
const CanRefuseTracing = true

// untracedLacks says what is missing for [Options.Untraced]; "" = nothing.
const untracedLacks = ""

// Offsets of struct seccomp_data, and AUDIT_ARCH_X86_64, of linux/seccomp.h and linux/audit.h.
const (
	seccompNumber = 0
	seccompArch   = 4
	archAMD64     = 0xc000003e
)

// RefuseTracing runs this program again below a filter of system calls that answers EPERM to whoever traces or reads the memory of
// another process, as the profiles of some containers do; it returns only when that cannot be had. The filter is for this process and
// all that it starts, and needs no privilege, which the process gives up for it.
func RefuseTracing(env []string) error {
	runtime.LockOSThread() // the filter is this thread's, and execve leaves no other
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("give up privileges: %w", err)
	}
	filter := tracingFilter()
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0); err != nil {
		return fmt.Errorf("filter system calls: %w", err)
	}
	return fmt.Errorf("run again: %w", syscall.Exec("/proc/self/exe", os.Args, env))
}

// tracingFilter is a program for the kernel: all other calls, and those of other architectures, pass.
func tracingFilter() []unix.SockFilter {
	refused := []uint32{unix.SYS_PTRACE, unix.SYS_PROCESS_VM_READV, unix.SYS_PROCESS_VM_WRITEV}
	load := func(offset uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: offset}
	}
	answer := func(what uint32) unix.SockFilter { return unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: what} }
	filter := []unix.SockFilter{
		load(seccompArch),
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: 1, K: archAMD64},
		answer(unix.SECCOMP_RET_ALLOW),
		load(seccompNumber),
	}
	for i, call := range refused {
		filter = append(filter, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: uint8(len(refused) - i), K: call})
	}
	return append(filter, answer(unix.SECCOMP_RET_ALLOW), answer(unix.SECCOMP_RET_ERRNO|uint32(unix.EPERM)))
}
