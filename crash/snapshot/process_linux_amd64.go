package snapshot

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// info is what is known of a process before it is stopped. Fixed once read.
type info struct {
	auxv    []byte
	command string // at most 15 bytes
	args    string // joined by spaces, cut
	stat    stat
	uid     uint32
	gid     uint32
	gate    uint64 // address of a `syscall` instruction in the vdso, 0 when there is none
}

// stat is what is used of /proc/PID/stat.
type stat struct {
	state           byte
	ppid, pgrp, sid int
	flags           uint64
	nice            int
}

// ended tells whether only a zombie is left.
func (s stat) ended() bool { return s.state == 'Z' || s.state == 'X' }

// maxProcBytes bounds what is read of one file in /proc.
const maxProcBytes = 64 << 10

// readInfo reads all that can be read without stopping the process.
func readInfo(pid int) (info, error) {
	var in info
	var err error
	if in.stat, err = readStat(fmt.Sprintf("/proc/%d/stat", pid)); err != nil {
		return in, fmt.Errorf("read process %d: %w", pid, ErrGone)
	}
	if in.auxv, err = readProc(fmt.Sprintf("/proc/%d/auxv", pid)); errors.Is(err, unix.ESRCH) || errors.Is(err, unix.ENOENT) {
		return in, fmt.Errorf("read process %d: %w", pid, ErrGone)
	}
	if err != nil {
		return in, fmt.Errorf("read process %d: %w", pid, err)
	}
	command, _ := readProc(fmt.Sprintf("/proc/%d/comm", pid)) // for people; a core without it is as good
	in.command = strings.TrimSpace(string(command))
	args, _ := readProc(fmt.Sprintf("/proc/%d/cmdline", pid))
	in.args = string(bytes.ReplaceAll(bytes.TrimRight(args, "\x00"), []byte{0}, []byte{' '}))
	var st unix.Stat_t
	if unix.Stat(fmt.Sprintf("/proc/%d", pid), &st) == nil {
		in.uid, in.gid = st.Uid, st.Gid
	}
	in.gate = findGate(pid, auxValue(in.auxv, auxVDSO))
	return in, nil
}

// readProc reads a file of /proc, at most maxProcBytes of it.
func readProc(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maxProcBytes))
}

// readStat reads a stat file. The command in it may hold anything, so fields are counted from its closing bracket.
func readStat(path string) (stat, error) {
	b, err := readProc(path)
	if err != nil {
		return stat{}, err
	}
	fields := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(fields) < 17 {
		return stat{}, fmt.Errorf("read %q: %d fields", path, len(fields))
	}
	number := func(i int) int {
		n, _ := strconv.Atoi(string(fields[i])) // the kernel wrote it
		return n
	}
	return stat{
		state: fields[0][0], ppid: number(1), pgrp: number(2), sid: number(3),
		flags: uint64(number(6)), nice: number(16),
	}, nil
}

// auxVDSO is AT_SYSINFO_EHDR of elf.h: the address of the vdso.
const auxVDSO = 33

// auxValue finds a value of the auxiliary vector, 0 when it is not there.
func auxValue(auxv []byte, key uint64) uint64 {
	for ; len(auxv) >= 16; auxv = auxv[16:] {
		if binary.LittleEndian.Uint64(auxv) == key {
			return binary.LittleEndian.Uint64(auxv[8:])
		}
	}
	return 0
}

// syscallCode is the instruction `syscall`.
var syscallCode = []byte{0x0f, 0x05}

// gateBytes is how much of the vdso is searched.
const gateBytes = 8192

// findGate finds a `syscall` instruction in the vdso, which every process has at hand and none has changed.
func findGate(pid int, vdso uint64) uint64 {
	if vdso == 0 {
		return 0
	}
	code := make([]byte, gateBytes)
	n, _ := readMemory(pid, vdso, code)
	if i := bytes.Index(code[:n], syscallCode); i >= 0 {
		return vdso + uint64(i)
	}
	return 0
}

// pendingFault tells whether a signal that means a fault waits for the thread.
func pendingFault(pid, tid int) bool {
	set, _ := strconv.ParseUint(readStatus(fmt.Sprintf("/proc/%d/task/%d/status", pid, tid), "SigPnd"), 16, 64)
	for signal := unix.Signal(1); signal <= 64; signal++ {
		if set&(1<<(signal-1)) != 0 && isFault(signal) {
			return true
		}
	}
	return false
}

// readStatus reads one line of a status file, "" when it is not there.
func readStatus(path, key string) string {
	b, _ := readProc(path)
	_, after, _ := bytes.Cut(b, []byte("\n"+key+":"))
	line, _, _ := bytes.Cut(after, []byte("\n"))
	return string(bytes.TrimSpace(line))
}

// tracedBy says who traces a thread, for the text of an error.
func tracedBy(tid int) string {
	if tracer := readStatus(fmt.Sprintf("/proc/%d/status", tid), "TracerPid"); tracer != "" && tracer != "0" {
		return ", which process " + tracer + " traces"
	}
	return ""
}

// isFault tells whether a signal is one that a faulty instruction gives.
func isFault(s unix.Signal) bool {
	return s == unix.SIGSEGV || s == unix.SIGBUS || s == unix.SIGFPE || s == unix.SIGILL || s == unix.SIGABRT || s == unix.SIGSYS
}

// writesTo tells whether the registers stand in a write to the pipe with this inode.
func writesTo(pid int, r *unix.PtraceRegs, pipe uint64) bool {
	if r.Orig_rax != unix.SYS_WRITE && r.Orig_rax != unix.SYS_WRITEV {
		return false
	}
	name, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", pid, int32(r.Rdi)))
	return err == nil && name == fmt.Sprintf("pipe:[%d]", pipe)
}
