package snapshot

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// mapping is one line of /proc/PID/smaps with what is used of the lines below it.
type mapping struct {
	start, end, offset uint64
	permissions        string // "rw-p"
	inode              bool
	name               string
	resident           uint64 // bytes with a page, in memory or swapped out
	anonymous          uint64 // bytes with a page of the process's own, in memory or swapped out
	notDumped          bool   // MADV_DONTDUMP, or no memory at all (a device)
	notInherited       bool   // MADV_DONTFORK
}

func (m *mapping) private() bool    { return strings.HasSuffix(m.permissions, "p") }
func (m *mapping) readable() bool   { return strings.HasPrefix(m.permissions, "r") }
func (m *mapping) writable() bool   { return strings.Contains(m.permissions, "w") }
func (m *mapping) executable() bool { return strings.Contains(m.permissions, "x") }
func (m *mapping) fromFile() bool   { return m.inode && strings.HasPrefix(m.name, "/") }

// maxLineBytes is the longest line of smaps: a path of PATH_MAX, escaped.
const maxLineBytes = 20 << 10

// eachMapping hands out the mappings of a process until yield says no, from smaps, for which the kernel walks the page
// tables, or from maps, which tells nothing of what is in them.
func eachMapping(pid int, file string, yield func(mapping) bool) error {
	f, err := os.Open(fmt.Sprintf("/proc/%d/%s", pid, file))
	if err != nil {
		return fmt.Errorf("read mappings of process %d: %w", pid, err)
	}
	defer f.Close()
	if err := scanMappings(f, yield); err != nil {
		return fmt.Errorf("read mappings of process %d: %w", pid, err)
	}
	return nil
}

// scanMappings reads smaps line by line.
func scanMappings(r io.Reader, yield func(mapping) bool) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 4096), maxLineBytes)
	var current mapping
	for lines.Scan() {
		next, begins := parseMapping(lines.Text())
		if !begins {
			current.attribute(lines.Text())
			continue
		}
		if current.end != 0 && !yield(current) {
			return nil
		}
		current = next
	}
	if current.end != 0 {
		yield(current)
	}
	return lines.Err()
}

// parseMapping reads the first line of a mapping: start-end permissions offset device inode name.
func parseMapping(line string) (m mapping, ok bool) {
	addresses, rest, _ := strings.Cut(line, " ")
	low, high, ok := strings.Cut(addresses, "-")
	if !ok {
		return m, false
	}
	start, err1 := strconv.ParseUint(low, 16, 64)
	end, err2 := strconv.ParseUint(high, 16, 64)
	fields := strings.Fields(rest)
	if err1 != nil || err2 != nil || end <= start || len(fields) < 4 {
		return m, false
	}
	offset, err := strconv.ParseUint(fields[1], 16, 64)
	if err != nil {
		return m, false
	}
	m = mapping{start: start, end: end, offset: offset, permissions: fields[0], inode: fields[3] != "0"}
	if len(fields) > 4 {
		m.name = strings.Join(fields[4:], " ")
	}
	return m, true
}

// attribute reads a line below: `Rss:   12 kB` or `VmFlags: rd wr`.
func (m *mapping) attribute(line string) {
	name, value, _ := strings.Cut(line, ":")
	switch name {
	case "Rss":
		m.resident += kilobytes(value)
	case "Anonymous":
		m.anonymous += kilobytes(value)
	case "Swap":
		m.resident += kilobytes(value)
		m.anonymous += kilobytes(value)
	case "VmFlags":
		for flag := range strings.FieldsSeq(value) {
			m.notDumped = m.notDumped || flag == "dd" || flag == "io" || flag == "pf"
			m.notInherited = m.notInherited || flag == "dc"
		}
	}
}

func kilobytes(value string) uint64 {
	n, _ := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 53) // 0: nothing of it
	return n << 10
}
