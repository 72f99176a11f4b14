package probe

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

// FuzzHost gives the probes a machine whose files say anything.
func FuzzHost(f *testing.F) {
	f.Add(hybridMember, hybridMounts, "oom_kill 3\n", "|/bin/h %p\n", status)
	f.Add("0::/a/b\n", unifiedMounts, "max", "@/x", "Seccomp:\t2\nTracerPid:\t9\n")
	f.Add("4:memory:/docker/1/../..\n", "1 1 0:1 /docker/1 /\\040 rw - cgroup c rw,memory\n", "-5", "", "CapEff:\tffffffffffffffffff\n")
	f.Fuzz(func(t *testing.T, member, mounts, number, pattern, status string) {
		h := &host{env: func(string) string { return member }, pid: 1, os: "linux", arch: "amd64", kernel: fakeKernel{rel: pattern}}
		h.root = fstest.MapFS{
			"proc/412/cgroup": {Data: []byte(member)}, "proc/self/cgroup": {Data: []byte(member)},
			"proc/self/mountinfo": {Data: []byte(mounts)}, "proc/self/status": {Data: []byte(status)},
			"proc/sys/kernel/core_pattern": {Data: []byte(pattern)}, "proc/vmstat": {Data: []byte(number)},
			"proc/sys/kernel/yama/ptrace_scope": {Data: []byte(number)},
		}
		g := h.groups(412)
		for _, g := range []group{g.memory, g.pids, g.cpu} {
			if g != (group{}) && (!fs.ValidPath(g.dir) || g.dir != g.top && !strings.HasPrefix(g.dir, g.top+"/") && g.top != "") {
				t.Fatalf("%+v is not below its mount", g)
			}
		}
		c := h.cgroup(g)
		for _, n := range []int64{c.MemoryMax, c.OOM, c.OOMKill, c.HostOOMKill, c.PidsMax, c.Throttled, c.ThrottledMicros} {
			if n < Unknown {
				t.Fatalf("%+v", c)
			}
		}
		for _, r := range h.run().Rows() {
			if r.OK != (r.Help == "") || len(r.Value) > 2*maxTextBytes {
				t.Fatalf("row %+v", r)
			}
		}
		amount(number)
		keyed(number, "max")
	})
}
