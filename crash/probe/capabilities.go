package probe

import (
	"math"
	"strconv"
	"strings"
)

// Values of numbers that are none.
const (
	Unlimited = -1 // a cgroup's limit: there is none
	Unknown   = -2 // it cannot be told
	NoYama    = -1 // Capabilities.Yama: the kernel has no Yama

	NoCoreLimit = math.MaxUint64 // Capabilities.CoreLimit: unlimited
)

// What Capabilities.CoreKind says.
const (
	CoreFile     = "file"     // relative: in the directory of the process that dies
	CoreAbsolute = "absolute" // a path
	CorePipe     = "pipe"     // a program gets it
	CoreSocket   = "socket"   // a server gets it
	CoreNone     = "none"     // the kernel writes none
	CoreUnknown  = "unknown"
)

// Yes is what Capabilities.Ptrace says when nothing speaks against it.
const Yes = "yes"

// Capabilities is what the machine lets us do. It is a value; nothing in it
// changes.
type Capabilities struct {
	OS, Arch string
	Kernel   string // its release, "unknown"

	CorePattern    string // as it stands there, cleaned; "unknown"
	CoreKind       string // one of the constants
	CoreHandler    string // path of the program or socket, "" for none
	CoreUsesPID    bool   // false: each relative core overwrites the one before
	CoreLimit      uint64 // RLIMIT_CORE, bytes, NoCoreLimit
	CoreLimitHard  uint64
	CoreLimitKnown bool

	Ptrace     string // Yes, or "no: why", or "unknown: why"
	Yama       int    // ptrace_scope, NoYama or Unknown
	Seccomp    int    // 0 none, 1 strict, 2 filter, Unknown
	Tracer     int    // the process that traces this one, 0 none, Unknown
	Undumpable bool   // the kernel keeps no core of this process, and none of its own user may trace it

	Aborts bool // a crash ends by SIGABRT, for which the kernel writes its core: ours cannot be had, see InPlace

	Fork        bool   // a copy-on-write child can be made of this process
	ForkWhy     string // why not, "" when it can
	PidfdInfo   bool   // the exit status of a process that is not our child can be had
	PagemapScan bool   // absent memory is found without walking it

	Container string // docker, podman, kubernetes, lxc, ...; "none" or "unknown"
	PID1      bool   // this process is the first of its namespace: the others die with it
	THP       string // transparent huge pages: always, madvise, never; "unknown"
}

// Run looks at the machine. It traces and starts nothing, takes about a
// millisecond, and never fails.
func Run() Capabilities { return thisHost().run() }

func (h *host) run() Capabilities {
	c := Capabilities{OS: h.os, Arch: h.arch, PID1: h.pid == 1}
	c.Kernel = orUnknown(clean(h.kernel.release()))
	c.CoreLimit, c.CoreLimitHard, c.CoreLimitKnown = h.kernel.coreLimit()
	h.core(&c)
	h.ptrace(&c)
	c.ForkWhy = h.forkWhy()
	c.Fork = c.ForkWhy == ""
	c.PidfdInfo = hasExitInfo(c.Kernel, h.kernel)
	c.PagemapScan = h.kernel.pagemapScan()
	c.Container = h.container()
	c.THP = h.hugePages()
	c.Aborts = c.InPlace()
	return c
}

// Tested returns the capabilities with what a self-test of ptrace found: Yes, or why it is refused. Aborts is as it is by default.
func (c Capabilities) Tested(result string) Capabilities {
	c.Ptrace = Verdict(result)
	c.Aborts = c.InPlace()
	return c
}

// Verdict is what Capabilities.Ptrace says after a self-test.
func Verdict(result string) string {
	if result == Yes {
		return Yes
	}
	return "no: " + clean(result)
}

// InPlace tells whether the kernel's own core can take the place of ours: ptrace is refused, and the kernel keeps one.
func (c Capabilities) InPlace() bool { return strings.HasPrefix(c.Ptrace, "no: ") && c.KernelCore() }

// core reads where the kernel puts a core.
func (h *host) core(c *Capabilities) {
	pattern, ok := h.text("proc/sys/kernel/core_pattern")
	c.CoreUsesPID = h.number("proc/sys/kernel/core_uses_pid") > 0
	if !ok {
		c.CorePattern, c.CoreKind = "unknown", CoreUnknown
		return
	}
	c.CorePattern = pattern
	c.CoreKind, c.CoreHandler = coreKind(pattern, c.CoreUsesPID)
}

// coreKind takes a core_pattern apart, as format_corename of the kernel does.
func coreKind(pattern string, usesPID bool) (kind, handler string) {
	switch {
	case pattern == "" && !usesPID:
		return CoreNone, ""
	case strings.HasPrefix(pattern, "|"):
		program, _, _ := strings.Cut(strings.TrimSpace(pattern[1:]), " ")
		return CorePipe, program
	case strings.HasPrefix(pattern, "@"):
		return CoreSocket, strings.TrimLeft(pattern, "@")
	case strings.HasPrefix(pattern, "/"):
		return CoreAbsolute, ""
	}
	return CoreFile, ""
}

// KernelCore tells whether the kernel keeps a core of this process when a
// signal kills it, as far as it can be told.
func (c Capabilities) KernelCore() bool {
	if c.Undumpable {
		return false
	}
	switch c.CoreKind {
	case CorePipe:
		// The limit does not count, but 1: so a handler's own crash is kept from it.
		return c.CoreHandler != "" && (!c.CoreLimitKnown || c.CoreLimit != 1)
	case CoreSocket:
		return true
	case CoreFile, CoreAbsolute:
		return c.CoreLimitKnown && c.CoreLimit > 0
	}
	return false
}

// forkWhy says why no copy can be made of this process, "" when it can.
func (h *host) forkWhy() string {
	switch {
	case h.os != "linux" || h.arch != "amd64":
		return "needs linux/amd64"
	case h.number("proc/sys/vm/overcommit_memory") == 2:
		return "vm.overcommit_memory is 2: a copy needs as much free memory again"
	}
	return ""
}

// hasExitInfo tells whether PIDFD_GET_INFO gives exit statuses. Kernels since
// 6.19 say what it gives; 6.13 has it without them.
func hasExitInfo(release string, k kernel) bool {
	ok, supported := k.pidfdInfo()
	if !ok || supported != 0 {
		return ok && supported&infoExit != 0
	}
	return atLeast(release, 6, 15)
}

// infoExit is PIDFD_INFO_EXIT.
const infoExit = 1 << 3

// atLeast compares a release like 6.18.44-cloud.
func atLeast(release string, major, minor int) bool {
	a, rest, _ := strings.Cut(release, ".")
	b := rest[:len(rest)-len(strings.TrimLeft(rest, "0123456789"))]
	x, err := strconv.Atoi(a)
	y, err2 := strconv.Atoi(b)
	if err != nil || err2 != nil {
		return false
	}
	return x > major || x == major && y >= minor
}

func (h *host) hugePages() string {
	s, _ := h.text("sys/kernel/mm/transparent_hugepage/enabled")
	_, s, _ = strings.Cut(s, "[")
	s, _, ok := strings.Cut(s, "]")
	if !ok {
		return "unknown"
	}
	return s
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}
