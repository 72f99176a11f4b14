package snapshot

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"time"
)

// writer writes one core. Owned by WriteCore.
type writer struct {
	s        *Snapshot
	o        CoreOptions
	core     Core
	stream   *stream
	pages    pages
	deadline time.Time
	exclude  []Range // by address, without overlaps
	buf      []byte
	unstep   int64 // bytes of memory since the last Step
}

// stepBytes is how much memory at most lies between two calls of CoreOptions.Step.
const stepBytes = 16 << 20

// reserveBytes is what the compressor may still put out for what it was given: one run and what it holds.
const reserveBytes = runBytes + 512<<10

// errCut ends the writing at a limit.
var errCut = errors.New("limit met")

// WriteCore writes the core, compressed, to w. It reads the child, so the process runs on meanwhile; it needs about 10 MiB
// of memory whatever the size of the process, and one processor. Any goroutine may call it, Release must wait for it. At
// CoreOptions.MaxBytes or Deadline it ends what it has as a valid file and marks it cut, without an error: the headers
// tell of the whole, readers find the memory at the end missing. An error of w, of Step's making or a child that died
// ends it at once.
func (s *Snapshot) WriteCore(w io.Writer, o CoreOptions) (Core, error) {
	if s.released.Load() {
		return Core{}, ErrReleased
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = DefaultCoreBytes
	}
	if o.Deadline <= 0 {
		o.Deadline = DefaultCoreTime
	}
	out := &writer{s: s, o: o, deadline: time.Now().Add(o.Deadline), exclude: disjoint(o.Exclude), buf: make([]byte, runBytes)}
	err := out.write(w)
	if err != nil {
		err = fmt.Errorf("write core of process %d: %w", s.PID, err)
	}
	return out.core, err
}

func (w *writer) write(to io.Writer) (err error) {
	if w.pages, err = openPages(w.s.source()); err != nil {
		return err
	}
	defer w.pages.close()
	plan, err := w.s.plan(w.pages, w.deadline)
	if err != nil {
		return err
	}
	if w.stream, err = newStream(to); err != nil {
		return err
	}
	err = w.writeAll(plan)
	if errors.Is(err, errCut) {
		plan.cut, err = true, nil
	}
	if endErr := w.stream.end(); err == nil {
		err = endErr
	}
	if err == nil {
		err = w.s.intact()
	}
	w.core.Threads, w.core.Segments = len(w.s.threads), len(plan.segments)
	w.core.Cut = plan.cut
	w.core.Written, w.core.SHA256 = w.stream.out.bytes, w.stream.out.sum()
	return err
}

// intact tells whether the memory was there to the end: the kernel kills large children first when memory is short, and
// tells of pages that are gone as of pages that never were.
func (s *Snapshot) intact() error {
	st, err := readStat(fmt.Sprintf("/proc/%d/stat", s.source()))
	if err != nil || st.ended() {
		return ErrGone
	}
	return nil
}

// writeAll writes the headers and then the memory.
func (w *writer) writeAll(plan *layout) error {
	notes := w.s.notes(plan.mappings)
	size := uint64(elfHeaderBytes + elfProgramBytes*(1+len(plan.segments)) + len(notes))
	w.core.Apparent = int64(plan.place(size))
	if err := w.stream.data(w.s.headers(plan, notes)); err != nil {
		return err
	}
	w.stream.zeros(int64(pageUp(size) - size))
	for _, seg := range plan.inFile() {
		if err := w.segment(seg); err != nil {
			return err
		}
	}
	return nil
}

// segment writes the memory of one segment, its holes as zeros.
func (w *writer) segment(seg segment) error {
	if !seg.sparse {
		return w.run(seg.start, seg.start+seg.size)
	}
	at, end := seg.start, seg.start+seg.size
	var err error
	complete := w.pages.each(at, end, w.deadline, func(start, stop uint64) bool {
		w.hole(start - at)
		err = w.run(start, stop)
		at = stop
		return err == nil
	})
	switch {
	case err != nil:
		return err
	case !complete:
		return errCut
	}
	w.hole(end - at)
	return nil
}

// hole writes zeros.
func (w *writer) hole(n uint64) {
	w.stream.zeros(int64(n))
	w.core.Holes += int64(n)
	w.step(int64(n))
}

// run writes pages that have content, some at a time.
func (w *writer) run(start, end uint64) error {
	for start < end {
		b := w.buf[:min(end-start, runBytes)]
		if w.stream.out.bytes > w.o.MaxBytes-reserveBytes || time.Now().After(w.deadline) {
			return errCut
		}
		if err := w.fill(start, b); err != nil {
			return err
		}
		if err := w.put(b); err != nil {
			return err
		}
		start += uint64(len(b))
		w.step(int64(len(b)))
	}
	return nil
}

// fill reads memory. A page that cannot be read stands as zeros, and so does what is excluded.
func (w *writer) fill(start uint64, b []byte) error {
	for n := 0; n < len(b); {
		m, err := readMemory(w.s.source(), start+uint64(n), b[n:])
		if n += m; errors.Is(err, ErrGone) {
			return err
		}
		if n < len(b) {
			bad := min(pageBytes-n%pageBytes, len(b)-n)
			clear(b[n : n+bad])
			w.core.Unreadable += int64(bad)
			n += bad
		}
	}
	first, _ := slices.BinarySearchFunc(w.exclude, start, func(r Range, at uint64) int {
		if r.Start+r.Size <= at {
			return -1
		}
		return 1
	})
	for _, r := range w.exclude[first:] {
		from, to := max(r.Start, start), min(r.Start+r.Size, start+uint64(len(b)))
		if from >= to {
			break
		}
		clear(b[from-start : to-start])
		w.core.Excluded += int64(to - from)
	}
	return nil
}

// put hands pages on, those that hold zeros alone as a hole.
func (w *writer) put(b []byte) error {
	for len(b) > 0 {
		n, zero := pageRun(b)
		if zero {
			w.stream.zeros(int64(n))
			w.core.Holes += int64(n)
		} else {
			if err := w.stream.data(b[:n]); err != nil {
				return err
			}
			w.core.Data += int64(n)
		}
		b = b[n:]
	}
	return nil
}

// step counts memory and tells of progress.
func (w *writer) step(n int64) {
	w.unstep += n
	if w.unstep >= stepBytes && w.o.Step != nil {
		w.unstep = 0
		w.o.Step(w.stream.out.bytes)
	}
}

// disjoint sorts ranges and joins those that touch; a range that runs over the end of the address space ends there.
func disjoint(ranges []Range) []Range {
	sorted := slices.Clone(ranges)
	slices.SortFunc(sorted, func(a, b Range) int {
		if a.Start < b.Start {
			return -1
		}
		return 1
	})
	var out []Range
	for _, r := range sorted {
		r.Size = min(r.Size, ^uint64(0)-r.Start)
		if n := len(out); n > 0 && r.Start <= out[n-1].Start+out[n-1].Size {
			out[n-1].Size = max(out[n-1].Size, r.Start+r.Size-out[n-1].Start)
		} else if r.Size > 0 {
			out = append(out, r)
		}
	}
	return out
}
