package snapshot

import (
	"cmp"
	"slices"
	"strings"
	"time"
)

// segment is one PT_LOAD. In the file it has size bytes, in memory up to the next one or the end of its mapping; a reader
// takes what lies between for unreadable.
type segment struct {
	mapping *mapping
	start   uint64
	size    uint64 // bytes in the file: whole pages
	memory  uint64 // bytes in memory, size <= memory
	offset  uint64 // in the file
	sparse  bool   // pages without content are looked up and skipped
}

// holeBytes is the longest stretch without a page that stays within one segment, as zeros; at longer ones a mapping is
// split, so that address space that nobody touched costs nothing.
const holeBytes = 1 << 30

// layout is what a core holds. Segments are in the order of addresses, as readers want them; in the file small mappings
// come first, so that a core that is cut has lost the end of the heap and not the rest.
type layout struct {
	segments []segment
	mappings []mapping
	cut      bool
}

// plan looks through the mappings of the snapshot and decides what is written.
func (s *Snapshot) plan(p pages, deadline time.Time) (*layout, error) {
	l := &layout{}
	err := eachMapping(s.source(), "smaps", func(m mapping) bool {
		l.mappings = append(l.mappings, m)
		return len(l.mappings) < MaxSegments
	})
	if err != nil {
		return nil, err
	}
	for i := range l.mappings {
		found, complete := segmentsOf(&l.mappings[i], p, deadline)
		l.segments = append(l.segments, found...)
		if !complete || len(l.segments) >= MaxSegments {
			l.segments, l.cut = l.segments[:min(len(l.segments), MaxSegments)], true
			break
		}
	}
	return l, nil
}

// segmentsOf gives the segments of one mapping; complete is false when the deadline passed or the kernel failed.
func segmentsOf(m *mapping, p pages, deadline time.Time) (out []segment, complete bool) {
	whole := segment{mapping: m, start: m.start, memory: m.end - m.start}
	switch {
	case m.notDumped || !m.readable() || !m.private() || strings.HasPrefix(m.name, "[vvar") || m.name == "[vsyscall]":
	case !m.inode && m.name != "[vdso]":
		return sparseSegments(m, p, deadline)
	case !m.inode, m.writable(), m.anonymous > 0: // pages of a file count where the process may have changed them
		whole.size = whole.memory
	case m.offset == 0: // the headers of a program or library, with its build id
		whole.size = pageBytes
	}
	return []segment{whole}, true
}

// sparseSegments splits a mapping at its long holes.
func sparseSegments(m *mapping, p pages, deadline time.Time) (out []segment, complete bool) {
	complete = true
	current := segment{mapping: m, start: m.start, sparse: true}
	used := m.start // the end of the last page with content
	put := func(end, next uint64) {
		current.size, current.memory = end-current.start, next-current.start
		out = append(out, current)
		current.start = next
	}
	if m.resident > 0 {
		complete = p.each(m.start, m.end, deadline, func(start, end uint64) bool {
			if start-used >= holeBytes {
				put(used, start)
			}
			used = end
			return len(out) < MaxSegments
		})
	}
	if m.end-used >= holeBytes {
		put(used, m.end)
	} else {
		put(m.end, m.end)
	}
	return out, complete
}

// place gives every segment its place in the file, behind the headers.
func (l *layout) place(headers uint64) (apparent uint64) {
	order := make([]*segment, len(l.segments))
	for i := range l.segments {
		order[i] = &l.segments[i]
	}
	slices.SortStableFunc(order, func(a, b *segment) int {
		return cmp.Compare(a.mapping.end-a.mapping.start, b.mapping.end-b.mapping.start)
	})
	offset := pageUp(headers)
	for _, seg := range order {
		seg.offset = offset
		offset += seg.size
	}
	return offset
}

// inFile gives the segments in the order in which they stand in the file.
func (l *layout) inFile() []segment {
	order := slices.Clone(l.segments)
	slices.SortStableFunc(order, func(a, b segment) int { return cmp.Compare(a.offset, b.offset) })
	return slices.DeleteFunc(order, func(s segment) bool { return s.size == 0 })
}

func pageUp(n uint64) uint64 { return (n + pageBytes - 1) &^ (pageBytes - 1) }
