package snapshot

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"
)

// readMemory reads the memory of a process and gives how much of it could be read, from the front. It needs the right
// to trace, but no tracing, so any thread may call it.
func readMemory(pid int, addr uint64, b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	local := []unix.Iovec{{Base: &b[0], Len: uint64(len(b))}}
	remote := []unix.RemoteIovec{{Base: uintptr(addr), Len: len(b)}}
	n, err := unix.ProcessVMReadv(pid, local, remote, 0)
	if n == len(b) {
		return n, nil
	}
	if errors.Is(err, unix.ESRCH) {
		return 0, fmt.Errorf("read memory of process %d: %w", pid, ErrGone)
	}
	// What cannot be read so, since it has no read permission or the call is filtered, may be there for a debugger.
	m, err := readMemoryFile(pid, addr+uint64(max(n, 0)), b[max(n, 0):])
	return max(n, 0) + m, err
}

// readMemoryFile reads the memory of a process as a debugger does. It is slower.
func readMemoryFile(pid int, addr uint64, b []byte) (int, error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		return 0, fmt.Errorf("read memory of process %d: %w", pid, err)
	}
	defer f.Close()
	// Not ReadAt: addresses of the upper half are negative offsets to it.
	n := 0
	for n < len(b) {
		m, err := unix.Pread(int(f.Fd()), b[n:], int64(addr)+int64(n))
		if m <= 0 {
			return n, fmt.Errorf("read memory of process %d at %#x: %w", pid, addr+uint64(n), errors.Join(err, io.ErrUnexpectedEOF))
		}
		n += m
	}
	return n, nil
}
