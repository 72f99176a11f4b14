package probe

import "path"

// CgroupInfo is what the cgroups of a process say. Numbers that cannot be told
// are Unknown, limits that are not there Unlimited. It is a value; nothing in it
// changes.
type CgroupInfo struct {
	Path    string `json:"path"`    // of the group that counts its memory, as /proc names it; "unknown"
	Version int    `json:"version"` // of that group's hierarchy: 1, 2, 0 unknown

	MemoryMax     int64 `json:"memory_max_bytes"` // the lowest of its own limit and those above it
	MemoryCurrent int64 `json:"memory_current_bytes"`
	MemoryPeak    int64 `json:"memory_peak_bytes"`
	OOM           int64 `json:"oom"`      // times its limit was met with nothing to reclaim; version 2
	OOMKill       int64 `json:"oom_kill"` // its processes that the kernel killed for memory
	HostOOMKill   int64 `json:"host_oom_kill"`

	PidsMax     int64 `json:"pids_max"`
	PidsCurrent int64 `json:"pids_current"`
	PidsRefused int64 `json:"pids_refused"` // forks that met the limit

	Periods         int64 `json:"cpu_periods"`
	Throttled       int64 `json:"cpu_throttled_periods"`
	ThrottledMicros int64 `json:"cpu_throttled_us"`

	groups groups
}

// CgroupDiff is what happened between two looks at the same cgroups. What could
// not be told in either is 0.
type CgroupDiff struct {
	Known           bool  `json:"known"` // OOMKill was told both times
	OOM             int64 `json:"oom"`
	OOMKill         int64 `json:"oom_kill"`
	HostOOMKill     int64 `json:"host_oom_kill"`
	PidsRefused     int64 `json:"pids_refused"`
	Throttled       int64 `json:"cpu_throttled_periods"`
	ThrottledMicros int64 `json:"cpu_throttled_us"`
}

// Cgroup looks at the cgroups of a process, which must be there; it may be a
// zombie. It never fails.
func Cgroup(pid int) CgroupInfo {
	h := thisHost()
	return h.cgroup(h.groups(pid))
}

// Again looks at the same cgroups once more, though the process that Cgroup was
// asked for is gone.
func (c CgroupInfo) Again() CgroupInfo { return thisHost().cgroup(c.groups) }

// Diff tells what happened from before to c, two looks at the same cgroups.
func (c CgroupInfo) Diff(before CgroupInfo) CgroupDiff {
	return CgroupDiff{
		Known:           c.Path == before.Path && c.OOMKill >= 0 && before.OOMKill >= 0,
		OOM:             rise(before.OOM, c.OOM),
		OOMKill:         rise(before.OOMKill, c.OOMKill),
		HostOOMKill:     rise(before.HostOOMKill, c.HostOOMKill),
		PidsRefused:     rise(before.PidsRefused, c.PidsRefused),
		Throttled:       rise(before.Throttled, c.Throttled),
		ThrottledMicros: rise(before.ThrottledMicros, c.ThrottledMicros),
	}
}

// OOMKilled tells whether the kernel killed a process for memory meanwhile: one
// of the cgroup where that is counted, of the machine where it is not. Whether
// it was this one tells its exit: SIGKILL.
func (d CgroupDiff) OOMKilled() bool {
	return d.OOMKill > 0 || !d.Known && d.HostOOMKill > 0
}

// rise is how much a counter grew; one that is not known, or fell, did not.
func rise(before, after int64) int64 {
	if before < 0 || after < before {
		return 0
	}
	return after - before
}

// cgroup reads the files of the groups.
func (h *host) cgroup(g groups) CgroupInfo {
	c := CgroupInfo{Path: orUnknown(g.memory.path), Version: g.memory.version, groups: g}
	h.memory(g.memory, &c)
	h.pids(g.pids, &c)
	h.cpu(g.cpu, &c)
	vm, _ := h.read("proc/vmstat", maxFileBytes)
	c.HostOOMKill = keyed(vm, "oom_kill")
	return c
}

func (h *host) memory(g group, c *CgroupInfo) {
	if g.version == 1 {
		c.MemoryMax = h.lowest(g, "memory.limit_in_bytes")
		c.MemoryCurrent = amount(h.file(g, "memory.usage_in_bytes"))
		c.MemoryPeak = amount(h.file(g, "memory.max_usage_in_bytes"))
		c.OOM = Unknown // its failcnt counts every reclaim
		c.OOMKill = keyed(h.file(g, "memory.oom_control"), "oom_kill")
		return
	}
	c.MemoryMax = h.lowest(g, "memory.max")
	c.MemoryCurrent = amount(h.file(g, "memory.current"))
	c.MemoryPeak = amount(h.file(g, "memory.peak"))
	events := h.file(g, "memory.events")
	c.OOM, c.OOMKill = keyed(events, "oom"), keyed(events, "oom_kill")
}

func (h *host) pids(g group, c *CgroupInfo) {
	c.PidsMax = h.lowest(g, "pids.max")
	c.PidsCurrent = amount(h.file(g, "pids.current"))
	c.PidsRefused = keyed(h.file(g, "pids.events"), "max")
}

func (h *host) cpu(g group, c *CgroupInfo) {
	stat := h.file(g, "cpu.stat")
	c.Periods, c.Throttled = keyed(stat, "nr_periods"), keyed(stat, "nr_throttled")
	c.ThrottledMicros = keyed(stat, "throttled_usec")
	if g.version == 1 {
		if c.ThrottledMicros = keyed(stat, "throttled_time"); c.ThrottledMicros > 0 {
			c.ThrottledMicros /= 1000
		}
	}
}

// file reads a file of a group, "" when there is none.
func (h *host) file(g group, name string) string {
	if g.dir == "" {
		return ""
	}
	s, _ := h.read(path.Join(g.dir, name), maxFileBytes)
	return s
}

// lowest returns the lowest limit of a group and those above it.
func (h *host) lowest(g group, name string) int64 {
	lowest := int64(Unknown)
	for range maxLevels {
		if n := amount(h.file(g, name)); n >= 0 && (lowest < 0 || n < lowest) || n == Unlimited && lowest == Unknown {
			lowest = n
		}
		if g.dir == g.top || g.dir == "" {
			break
		}
		g.dir = path.Dir(g.dir)
	}
	return lowest
}
