package probe

import (
	"fmt"
	"strconv"
	"strings"
)

// Row is one capability for an operator.
type Row struct {
	Name, Value string
	OK          bool   // nothing to do
	Help        string // what is lost and what to do about it; "" when OK
}

// Rows returns the capabilities in a fixed order, a row each.
func (c Capabilities) Rows() []Row {
	rows := []Row{
		{"kernel", c.Kernel, c.Kernel != "unknown", "the kernel does not tell its release"},
		{"ptrace", c.Ptrace, c.Ptrace == Yes, c.ptraceHelp()},
		{"snapshot", yesOr(c.Fork, c.ForkWhy), c.Fork, "a core is written while the process stands still, or not at all"},
		{"exit status", yesOr(c.PidfdInfo, "not told by this kernel"), c.PidfdInfo,
			"bundles say that the process ended, not how; Linux 6.15 tells"},
		{"page scan", yesOr(c.PagemapScan, "not in this kernel"), c.PagemapScan,
			"cores of very large mappings take longer; Linux 6.7 has it"},
		{"kernel core", c.coreValue(), c.coreHelp() == "", c.coreHelp()},
		{"container", c.Container, true, ""},
		{"first process", strconv.FormatBool(c.PID1), !c.PID1,
			"the monitor dies with the first process of a container: start the server below an init (docker run --init)"},
		{"huge pages", c.THP, true, ""},
	}
	for i := range rows {
		if rows[i].OK {
			rows[i].Help = ""
		}
	}
	return rows
}

func yesOr(ok bool, why string) string {
	if ok {
		return Yes
	}
	return why
}

// ptraceHelp says what to do where ptrace is not permitted.
func (c Capabilities) ptraceHelp() string {
	lost := "without it bundles have text but no core: "
	if c.Aborts && c.KernelCore() {
		lost = "without it bundles have text, and the core is the kernel's own: "
	}
	switch {
	case c.Tracer > 0:
		return lost + "detach the debugger"
	case c.Yama >= 2:
		return lost + "set kernel.yama.ptrace_scope to 1, or give CAP_SYS_PTRACE"
	case c.Seccomp > 0:
		return lost + "permit ptrace in the seccomp profile of the container or unit"
	case c.OS != "linux":
		return lost + "run on Linux"
	}
	return lost + "run the server as an ordinary user without file capabilities, with /proc mounted"
}

// coreValue tells where the kernel's own core goes.
func (c Capabilities) coreValue() string {
	limit := "limit unknown"
	if c.CoreLimitKnown {
		limit = "limit " + limitText(c.CoreLimit)
	}
	switch c.CoreKind {
	case CorePipe, CoreSocket:
		return c.CoreKind + " to " + c.CoreHandler + c.coreUse()
	case CoreFile, CoreAbsolute:
		return fmt.Sprintf("%s %s, %s%s", c.CoreKind, c.CorePattern, limit, c.coreUse())
	}
	return c.CoreKind
}

// coreUse tells whether a crash of the runtime has the kernel write its core, which it does not by itself.
func (c Capabilities) coreUse() string {
	switch {
	case !c.KernelCore():
		return ""
	case c.Aborts:
		return "; a crash ends by SIGABRT for it, status 134"
	}
	return "; not asked for"
}

// coreHelp says what is wrong with the kernel's own cores. They are the second
// line: that none is written is fine where a monitor can take its own.
func (c Capabilities) coreHelp() string {
	ours := c.Ptrace == Yes && c.Fork
	switch {
	case c.CoreKind == CorePipe:
		return "a crash with the kernel's own core is handed to " + c.CoreHandler + " as well: mind its disk and its delay"
	case ours || c.KernelCore() && (c.Aborts || strings.HasPrefix(c.Ptrace, "unknown")):
		return ""
	case c.Undumpable:
		return "no core of any kind: the process is not dumpable"
	case c.KernelCore() && c.Ptrace == Yes:
		return "cores of ours are written while the process stands still, or not at all; the kernel's comes with GOTRACEBACK=crash alone"
	case c.KernelCore():
		return "no core of any kind: the kernel would write one, and is not asked to (crash.kernel_core, Config.NoKernelCore)"
	case c.CoreKind == CoreUnknown:
		return "kernel.core_pattern cannot be read: nobody knows whether a crash leaves a core"
	case c.CoreLimitHard == 0 && c.CoreLimitKnown:
		return "no core of any kind: raise the hard limit of RLIMIT_CORE (ulimit -Hc, LimitCORE=, --ulimit core=-1)"
	}
	return "no core of any kind: set kernel.core_pattern and raise RLIMIT_CORE"
}

func limitText(limit uint64) string {
	if limit == NoCoreLimit {
		return "unlimited"
	}
	return strconv.FormatUint(limit, 10)
}

// Map returns the rows as name and value, names with underscores.
func (c Capabilities) Map() map[string]string {
	m := make(map[string]string)
	for _, r := range c.Rows() {
		m[key(r.Name)] = r.Value
	}
	return m
}

// Line returns the rows as the arguments of one slog call, keys and values in
// turn.
func (c Capabilities) Line() []any {
	var line []any
	for _, r := range c.Rows() {
		line = append(line, key(r.Name), r.Value)
	}
	return line
}

func key(name string) string { return strings.ReplaceAll(name, " ", "_") }

// Values returns what can be measured, for gauges: 1 yes, 0 no, and the limit of
// a kernel's core in bytes, 2^64-1 for none; what is not known is left out. Of
// kernel_core 1 says that a crash leaves the kernel's own core: one is kept, and
// a crash ends by the signal that it takes.
func (c Capabilities) Values() map[string]float64 {
	v := map[string]float64{
		"snapshot": number(c.Fork), "exit_status": number(c.PidfdInfo),
		"page_scan": number(c.PagemapScan), "first_process": number(c.PID1),
	}
	if !strings.HasPrefix(c.Ptrace, "unknown") {
		v["ptrace"] = number(c.Ptrace == Yes)
	}
	if c.CoreKind != CoreUnknown {
		v["kernel_core"] = number(c.KernelCore() && c.Aborts)
	}
	if c.CoreLimitKnown {
		v["core_limit_bytes"] = float64(c.CoreLimit)
	}
	return v
}

func number(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}
