package probe

import (
	"fmt"
	"strconv"
	"strings"
)

const capSysPtrace = 19

// ptrace judges whether a process beside this one, of the same user, may trace
// it, once this one has named it with PR_SET_PTRACER.
func (h *host) ptrace(c *Capabilities) {
	status, _ := h.read("proc/self/status", maxFileBytes)
	c.Seccomp = statusNumber(status, "Seccomp", 10)
	c.Tracer = statusNumber(status, "TracerPid", 10)
	c.Yama = NoYama
	if h.exists("proc/sys/kernel/yama") {
		c.Yama = h.number("proc/sys/kernel/yama/ptrace_scope")
	}
	caps := statusNumber(status, "CapEff", 16)
	c.Ptrace = h.judgePtrace(c, caps != Unknown && caps>>capSysPtrace&1 == 1)
}

// judgePtrace gives the first thing that speaks against it.
func (h *host) judgePtrace(c *Capabilities, privileged bool) string {
	dumpable, known := h.kernel.dumpable()
	c.Undumpable = known && !dumpable
	switch {
	case h.os != "linux":
		return "no: needs linux"
	case c.Tracer > 0:
		return fmt.Sprintf("no: process %d traces this one, a debugger perhaps", c.Tracer)
	case c.Yama >= 3:
		return fmt.Sprintf("no: yama ptrace_scope is %d, off until reboot", c.Yama)
	case c.Yama == 2 && !privileged:
		return "no: yama ptrace_scope is 2 and CAP_SYS_PTRACE is missing"
	case c.Undumpable && !privileged:
		return "no: the process is not dumpable, it changed its user or gained capabilities"
	case c.Seccomp > 0:
		return "unknown: a seccomp filter is on, a self-test tells"
	case c.Tracer == Unknown || c.Seccomp == Unknown || !known:
		return "unknown: /proc/self/status cannot be read in full"
	}
	return Yes
}

// statusNumber finds "key:\tN" in a /proc/PID/status.
func statusNumber(status, key string, base int) int {
	for line := range strings.Lines(status) {
		value, ok := strings.CutPrefix(line, key+":")
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(strings.TrimSpace(value), base, 64)
		if err != nil || n < 0 {
			return Unknown
		}
		return int(n)
	}
	return Unknown
}
