package probe

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// Mounts and memberships of machines as they are met.
const (
	unifiedMounts = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate,memory_recursiveprot\n"
	hybridMounts  = "35 31 0:32 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n" +
		"32 31 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,relatime - cgroup cgroup rw,cpu,cpuacct\n" +
		"39 31 0:36 / /sys/fs/cgroup/pids rw,relatime - cgroup cgroup rw,pids\n" +
		"41 31 0:38 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
	hybridMember = "8:pids:/jobs/7\n4:memory:/jobs/7\n2:cpu,cpuacct:/jobs/7\n9:name=systemd:/jobs\n0::/\n"
)

func cgroupHost(files map[string]string) *host {
	root := fstest.MapFS{}
	for name, text := range files {
		root[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return &host{root: root, kernel: fakeKernel{}}
}

func look(files map[string]string) CgroupInfo {
	h := cgroupHost(files)
	c := h.cgroup(h.groups(412))
	c.groups = groups{}
	return c
}

// nothing is what a look that found nothing says.
func nothing() CgroupInfo {
	return CgroupInfo{Path: "unknown",
		MemoryMax: Unknown, MemoryCurrent: Unknown, MemoryPeak: Unknown, OOM: Unknown, OOMKill: Unknown, HostOOMKill: Unknown,
		PidsMax: Unknown, PidsCurrent: Unknown, PidsRefused: Unknown, Periods: Unknown, Throttled: Unknown, ThrottledMicros: Unknown}
}

func TestVersion2IsRead(t *testing.T) {
	const at = "sys/fs/cgroup/game.slice/server.service/"
	got := look(map[string]string{
		"proc/412/cgroup":                     "0::/game.slice/server.service\n",
		"proc/self/mountinfo":                 "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n" + unifiedMounts,
		"proc/vmstat":                         "pgfault 1\noom_kill 9\n",
		at + "memory.max":                     "max\n",
		at + "memory.current":                 "1048576\n",
		at + "memory.peak":                    "2097152\n",
		at + "memory.events":                  "low 0\nhigh 0\nmax 12\noom 4\noom_kill 3\noom_group_kill 0\n",
		at + "pids.max":                       "500\n",
		at + "pids.current":                   "17\n",
		at + "pids.events":                    "max 2\n",
		at + "cpu.stat":                       "usage_usec 5\nnr_periods 100\nnr_throttled 40\nthrottled_usec 123456\n",
		"sys/fs/cgroup/game.slice/memory.max": "4194304\n",
		"sys/fs/cgroup/game.slice/pids.max":   "1000\n",
	})
	want := CgroupInfo{Path: "/game.slice/server.service", Version: 2,
		MemoryMax: 4194304, MemoryCurrent: 1048576, MemoryPeak: 2097152, OOM: 4, OOMKill: 3, HostOOMKill: 9,
		PidsMax: 500, PidsCurrent: 17, PidsRefused: 2, Periods: 100, Throttled: 40, ThrottledMicros: 123456}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// A group without the memory controller is counted in the one above it.
func TestVersion2WithoutTheControllerIsCountedAbove(t *testing.T) {
	got := look(map[string]string{
		"proc/412/cgroup":                "0::/a/b/c\n",
		"proc/self/mountinfo":            unifiedMounts,
		"sys/fs/cgroup/a/b/c/cpu.stat":   "usage_usec 5\n",
		"sys/fs/cgroup/a/memory.current": "77\n",
		"sys/fs/cgroup/a/memory.max":     "max\n",
		"sys/fs/cgroup/a/memory.events":  "oom 0\noom_kill 1\n",
	})
	if got.Path != "/a" || got.MemoryCurrent != 77 || got.MemoryMax != Unlimited || got.OOMKill != 1 || got.PidsMax != Unknown || got.Throttled != Unknown {
		t.Errorf("got %+v", got)
	}
}

func TestVersion1IsRead(t *testing.T) {
	const memory, pids, cpu = "sys/fs/cgroup/memory/jobs/7/", "sys/fs/cgroup/pids/jobs/7/", "sys/fs/cgroup/cpu,cpuacct/jobs/7/"
	got := look(map[string]string{
		"proc/412/cgroup":                    hybridMember,
		"proc/self/mountinfo":                hybridMounts,
		memory + "memory.limit_in_bytes":     "9223372036854771712\n",
		memory + "memory.usage_in_bytes":     "4096\n",
		memory + "memory.max_usage_in_bytes": "8192\n",
		memory + "memory.failcnt":            "5\n",
		memory + "memory.oom_control":        "oom_kill_disable 0\nunder_oom 0\noom_kill 2\n",
		pids + "pids.max":                    "max\n",
		pids + "pids.current":                "3\n",
		pids + "pids.events":                 "max 0\n",
		cpu + "cpu.stat":                     "nr_periods 10\nnr_throttled 4\nthrottled_time 5000000\n",
	})
	want := CgroupInfo{Path: "/jobs/7", Version: 1,
		MemoryMax: Unlimited, MemoryCurrent: 4096, MemoryPeak: 8192, OOM: Unknown, OOMKill: 2, HostOOMKill: Unknown,
		PidsMax: Unlimited, PidsCurrent: 3, PidsRefused: 0, Periods: 10, Throttled: 4, ThrottledMicros: 5000}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// Where a group is found: the path a process is said to be in, and what part of
// the hierarchy is mounted where.
func TestGroupsAreFoundBelowTheirMount(t *testing.T) {
	cases := []struct{ name, member, mounts, want string }{
		{"the whole hierarchy", "0::/a/b", unifiedMounts, "sys/fs/cgroup/a/b"},
		{"the root of a namespace", "0::/", unifiedMounts, "sys/fs/cgroup"},
		{"a container without a namespace", "4:memory:/docker/01ab", "35 31 0:32 /docker/01ab /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n", "sys/fs/cgroup/memory"},
		{"below such a container's root", "4:memory:/docker/01ab/x", "35 31 0:32 /docker/01ab /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n", "sys/fs/cgroup/memory/x"},
		{"beside the mounted part", "4:memory:/docker/01abc", "35 31 0:32 /docker/01ab /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n", ""},
		{"the second mount", "0::/b", "1 1 0:1 /a /x rw - cgroup2 none rw\n2 1 0:1 / /y rw - cgroup2 none rw\n", "y/b"},
		{"a path with a colon and a space", "0::/a:b c", unifiedMounts, "sys/fs/cgroup/a:b c"},
		{"a mount point with a space", "0::/a", `30 23 0:26 / /my\040groups rw - cgroup2 cgroup2 rw` + "\n", "my groups/a"},
		{"tags before the dash", "0::/a", "30 23 0:26 / /g rw shared:1 master:2 - cgroup2 cgroup2 rw\n", "g/a"},
		{"a path that climbs out", "0::/../../etc", unifiedMounts, ""},
		{"a path that climbs within", "0::/a/../b", unifiedMounts, ""},
		{"a controller of version 1 first", "4:memory:/one\n0::/two", hybridMounts + unifiedMounts, "sys/fs/cgroup/memory/one"},
		{"a controller whose mount is missing", "4:memory:/one\n0::/two", unifiedMounts, ""},
		{"named like a controller", "4:name=memory:/one\n0::/two", hybridMounts, "sys/fs/cgroup/unified/two"},
		{"no mounts", "0::/a", "", ""},
		{"no lines", "", unifiedMounts, ""},
		{"garbage", "::::\n0:\nmemory\n:memory\n\x00", "a b c - d\n - \n1 2 3 4 5 - cgroup2\n", ""},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := find(c.member+"\n", c.mounts, "memory"); got.dir != c.want {
				t.Errorf("dir %q, want %q", got.dir, c.want)
			}
		})
	}
}

func TestGroupsThatCannotBeReadAreUnknown(t *testing.T) {
	long := strings.Repeat("/"+strings.Repeat("d", 200), 200)
	cases := []map[string]string{
		{},
		{"proc/412/cgroup": "0::/a\n"},
		{"proc/412/cgroup": "0::/a\n", "proc/self/mountinfo": unifiedMounts},
		{"proc/412/cgroup": "0::/../a\n", "proc/self/mountinfo": unifiedMounts, "sys/fs/a/memory.current": "5"},
		{"proc/412/cgroup": "0::" + long + "\n", "proc/self/mountinfo": unifiedMounts},
		{"proc/412/cgroup": strings.Repeat("\xff\x00:", 50_000), "proc/self/mountinfo": strings.Repeat("x - ", 1_000_000)},
	}
	for i, files := range cases {
		got := look(files)
		got.Path, got.Version = "unknown", 0
		if got != nothing() {
			t.Errorf("case %d: %+v", i, got)
		}
	}
}

func TestNumbersOfCgroupsAreChecked(t *testing.T) {
	for text, want := range map[string]int64{
		"0\n": 0, "42": 42, "max\n": Unlimited, "9223372036854771712\n": Unlimited, "9223372036854775807": Unlimited,
		"": Unknown, "-1": Unknown, "x": Unknown, "99999999999999999999": Unknown, "1 2": Unknown, "0x10": Unknown,
	} {
		if got := amount(text); got != want {
			t.Errorf("amount(%q) = %d, want %d", text, got, want)
		}
	}
	for text, want := range map[string]int64{
		"oom_kill 3": 3, "oom 1\noom_kill 3\n": 3, "oom_kill\n": Unknown, "oom_kill -3": Unknown, "oom_kill 1 2": Unknown,
		"xoom_kill 3": Unknown, "": Unknown, "oom_kill 99999999999999999999": Unknown,
	} {
		if got := keyed(text, "oom_kill"); got != want {
			t.Errorf("keyed(%q) = %d, want %d", text, got, want)
		}
	}
}

func TestDiffSaysWhatHappenedMeanwhile(t *testing.T) {
	at := func(kill, host, throttled int64) CgroupInfo {
		c := nothing()
		c.Path, c.OOMKill, c.HostOOMKill, c.Throttled = "/a", kill, host, throttled
		return c
	}
	cases := []struct {
		name          string
		before, after CgroupInfo
		known, killed bool
		kills         int64
	}{
		{"quiet", at(1, 1, 5), at(1, 1, 9), true, false, 0},
		{"killed", at(0, 0, 5), at(2, 2, 9), true, true, 2},
		{"killed elsewhere", at(0, 0, 5), at(0, 1, 9), true, false, 0},
		{"the machine alone tells", at(Unknown, 0, 5), at(Unknown, 1, 9), false, true, 0},
		{"first known afterwards", at(Unknown, Unknown, 5), at(3, 3, 9), false, false, 0},
		{"a counter that fell", at(5, 5, 5), at(2, 2, 9), true, false, 0},
		{"nobody tells", nothing(), nothing(), false, false, 0},
	}
	for _, c := range cases {
		d := c.after.Diff(c.before)
		if d.Known != c.known || d.OOMKilled() != c.killed || d.OOMKill != c.kills {
			t.Errorf("%s: %+v, killed %t", c.name, d, d.OOMKilled())
		}
		if c.name != "nobody tells" && d.Throttled != 4 {
			t.Errorf("%s: throttled %d", c.name, d.Throttled)
		}
	}
	other := at(9, 9, 9)
	other.Path = "/b"
	if d := other.Diff(at(0, 0, 0)); d.Known {
		t.Errorf("of two groups: %+v", d)
	}
}

func TestCgroupOfThisProcessIsPlainJSON(t *testing.T) {
	c := Cgroup(thisHost().pid)
	text, err := json.Marshal(c)
	if err != nil || strings.Contains(string(text), "groups") || !strings.Contains(string(text), `"oom_kill":`+fmt.Sprint(c.OOMKill)) {
		t.Errorf("%s, %v", text, err)
	}
	again := c.Again()
	if again.Path != c.Path || again.OOMKill < c.OOMKill {
		t.Errorf("again: %+v, before: %+v", again, c)
	}
}
