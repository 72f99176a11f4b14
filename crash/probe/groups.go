package probe

import (
	"fmt"
	"io/fs"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"
)

// group is where one controller counts a process; the zero group is unknown.
type group struct {
	path    string // as /proc/PID/cgroup names it
	version int
	dir     string // its folder, without the leading slash
	top     string // the folder where its hierarchy is mounted
}

// groups are the ones of a process.
type groups struct{ memory, pids, cpu group }

// maxLevels is how many groups above a group are looked at.
const maxLevels = 32

// groups finds the groups of a process.
func (h *host) groups(pid int) groups {
	members, _ := h.read(fmt.Sprintf("proc/%d/cgroup", pid), maxFileBytes)
	mounts, _ := h.read("proc/self/mountinfo", maxMountsBytes)
	return groups{
		memory: h.holding(find(members, mounts, "memory"), "memory.current"),
		pids:   h.holding(find(members, mounts, "pids"), "pids.current"),
		cpu:    find(members, mounts, "cpu"),
	}
}

// holding returns g, or of version 2 the next group above it that has the file:
// a group without the controller is counted there.
func (h *host) holding(g group, name string) group {
	up := g
	for range maxLevels {
		if g.version != 2 || h.exists(path.Join(up.dir, name)) {
			return up
		}
		if up.dir == up.top {
			break
		}
		up.dir, up.path = path.Dir(up.dir), path.Dir(up.path)
	}
	return g
}

// find finds the group of a controller in the lines "id:controllers:path" of
// /proc/PID/cgroup: version 1 where it has the controller, else version 2, whose
// line is "0::path".
func find(members, mounts, controller string) group {
	var unified group
	for line := range strings.Lines(members) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(parts) != 3 {
			continue
		}
		switch {
		case parts[0] == "0" && parts[1] == "":
			unified = group{path: parts[2], version: 2}
		case slices.Contains(strings.Split(parts[1], ","), controller):
			return group{path: parts[2], version: 1}.locate(mounts, controller)
		}
	}
	return unified.locate(mounts, controller)
}

// locate finds the folder of g below the mounts of /proc/self/mountinfo, whose
// lines are "id parent dev root point options [tags] - type source options".
// The answer is the zero group when none shows it.
func (g group) locate(mounts, controller string) group {
	for line := range strings.Lines(mounts) {
		left, right, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " - ")
		where, what := strings.Fields(left), strings.Fields(right)
		if !ok || len(where) < 5 || len(what) < 3 || !g.mountedAs(what[0], what[2], controller) {
			continue
		}
		root, point := unescape(where[3]), unescape(where[4])
		below, ok := cutRoot(g.path, root)
		g.top = strings.TrimPrefix(path.Clean(point), "/")
		g.dir = path.Join(g.top, below)
		if ok && fs.ValidPath(g.dir) {
			g.path = clean(g.path)
			return g
		}
	}
	return group{}
}

func (g group) mountedAs(kind, options, controller string) bool {
	switch g.version {
	case 1:
		return kind == "cgroup" && slices.Contains(strings.Split(options, ","), controller)
	case 2:
		return kind == "cgroup2"
	}
	return false
}

// cutRoot returns what lies below root. A path that climbs is outside of what
// this process sees.
func cutRoot(name, root string) (below string, ok bool) {
	if slices.Contains(strings.Split(name, "/"), "..") {
		return "", false
	}
	if root == "/" {
		return name, true
	}
	below, ok = strings.CutPrefix(name, root)
	return below, ok && (below == "" || below[0] == '/')
}

// unescape undoes the octal escapes of mountinfo: space, tab, newline, backslash.
func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// amount reads a file of one number, or "max"; version 1 says about 2^63 for it.
func amount(text string) int64 {
	text = strings.TrimSpace(text)
	if text == "max" {
		return Unlimited
	}
	n, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil || n < 0:
		return Unknown
	case n >= math.MaxInt64-1<<20:
		return Unlimited
	}
	return n
}

// keyed finds a count in a file of lines "key number".
func keyed(text, key string) int64 {
	for line := range strings.Lines(text) {
		if f := strings.Fields(line); len(f) == 2 && f[0] == key {
			n, err := strconv.ParseInt(f[1], 10, 64)
			if err != nil || n < 0 {
				return Unknown
			}
			return n
		}
	}
	return Unknown
}
