//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime returns what a process has used of the CPU so far, user and system,
// all its threads, in nanoseconds; 0 is the calling process.
//
// The clock of another process has no name, only a formula:
//
//	id = ^pid << 3 | CPUCLOCK_SCHED (2)
func cpuTime(pid int) (time.Duration, error) {
	id := int32(unix.CLOCK_PROCESS_CPUTIME_ID)
	if pid != 0 {
		id = ^int32(pid)<<3 | 2
	}
	var spent unix.Timespec
	if err := unix.ClockGettime(id, &spent); err != nil {
		return 0, fmt.Errorf("cpu clock of process %d: %w", pid, err)
	}
	return time.Duration(spent.Nano()), nil
}

// residentBytes returns the resident memory of a process.
func residentBytes(pid int) (int64, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, fmt.Errorf("resident memory: %w", err)
	}
	return parseResident(text)
}

// parseResident reads VmRSS out of the text of /proc/PID/status.
func parseResident(text []byte) (int64, error) {
	for line := range bytes.Lines(text) {
		value, ok := bytes.CutPrefix(line, []byte("VmRSS:"))
		if !ok {
			continue
		}
		fields := bytes.Fields(value)
		if len(fields) != 2 || string(fields[1]) != "kB" {
			break
		}
		kilobytes, err := strconv.ParseInt(string(fields[0]), 10, 64)
		return kilobytes << 10, err
	}
	return 0, errors.New("resident memory: no VmRSS")
}

// openFiles returns how many descriptors a process holds.
func openFiles(pid int) (int, error) {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	return len(entries), err
}

// loadAverage returns the machine's load of the last minute, 0 if unknown.
func loadAverage() float64 {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return 0
	}
	first, _, _ := bytes.Cut(text, []byte(" "))
	load, _ := strconv.ParseFloat(string(first), 64)
	return load
}
