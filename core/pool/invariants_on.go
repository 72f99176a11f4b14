//go:build invariants

package pool

import (
	"cmp"
	"fmt"
	"path"
	"runtime"
	"slices"
	"strings"
	"sync"
)

const invariants = true

// Slots that were put back are filled with scribble, and still are when they
// are taken again, unless somebody wrote to them in between.
const scribble = 0xDB

// sites is how many frames of a call stack are kept.
const sites = 7

// audit remembers what became of every slot that was ever taken.
type audit struct {
	mu    sync.Mutex
	slots map[Slot]*history // guarded by mu
}

// history is what became of one slot.
type history struct {
	out      bool    // taken and not put back
	got, put callers // where it was last
}

type callers [sites]uintptr

// auditGet records that s was taken and panics if it was written to since it
// was put back.
func (p *Pool) auditGet(s Slot) {
	a := &p.audit
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.slots == nil {
		a.slots = make(map[Slot]*history)
	}
	h := a.slots[s]
	if h == nil {
		h = new(history)
		a.slots[s] = h
	} else if i := slices.IndexFunc(p.memory(s), func(b byte) bool { return b != scribble }); i >= 0 {
		p.fail(s, h, fmt.Sprintf("written at byte %d after release", i))
	}
	h.out, h.got = true, here()
}

// auditPut panics unless s is out of this pool.
func (p *Pool) auditPut(s Slot) {
	a := &p.audit
	a.mu.Lock()
	defer a.mu.Unlock()
	h := p.known(s, "release")
	if !h.out {
		p.fail(s, h, "double release")
	}
	h.out, h.put = false, here()
	memory := p.memory(s)
	for i := range memory {
		memory[i] = scribble
	}
}

// auditUse panics unless s is out of this pool.
func (p *Pool) auditUse(s Slot) {
	a := &p.audit
	a.mu.Lock()
	defer a.mu.Unlock()
	if h := p.known(s, "use"); !h.out {
		p.fail(s, h, "use after release")
	}
}

// known returns the history of s, or panics if s cannot be of this pool.
func (p *Pool) known(s Slot, act string) *history {
	if int64(s>>batchShift) >= p.allocated.Load() {
		panic(fmt.Sprintf("pool: %s: slot %d: foreign %s: of no chunk of this pool", p.name, s, act))
	}
	h := p.audit.slots[s]
	if h == nil {
		panic(fmt.Sprintf("pool: %s: slot %d: foreign %s: never taken from this pool", p.name, s, act))
	}
	return h
}

func (p *Pool) fail(s Slot, h *history, what string) {
	panic(fmt.Sprintf("pool: %s: slot %d: %s\n\ttaken at %s\n\tput back at %s",
		p.name, s, what, chain(h.got), chain(h.put)))
}

// Leaks lists the slots that are out of the pool by the call site that took
// them, most first. It needs the invariants tag: without it the list is
// always empty. Any goroutine may call it.
func (p *Pool) Leaks() []Leak {
	counts := make(map[callers]int)
	p.audit.mu.Lock()
	for _, h := range p.audit.slots {
		if h.out {
			counts[h.got]++
		}
	}
	p.audit.mu.Unlock()
	leaks := make([]Leak, 0, len(counts))
	for c, n := range counts {
		lines := describe(c)
		leaks = append(leaks, Leak{Site: lines[0], Callers: lines[1:], Count: n})
	}
	slices.SortFunc(leaks, func(a, b Leak) int {
		return cmp.Or(b.Count-a.Count, cmp.Compare(a.Site, b.Site))
	})
	return leaks
}

// here returns the callers of this package's methods.
func here() (c callers) {
	var stack [sites + 4]uintptr // room for the methods above the call site
	n := runtime.Callers(2, stack[:])
	skip := 0
	for skip < n-1 && isMethod(stack[skip]) {
		skip++
	}
	copy(c[:], stack[skip:n])
	return c
}

// isMethod tells whether pc lies in a method of this package's handles.
func isMethod(pc uintptr) bool {
	frame, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	name := path.Base(frame.Function)
	return strings.HasPrefix(name, "pool.(*")
}

// describe returns a line for each frame, innermost first, at least one.
func describe(c callers) []string {
	depth := slices.Index(c[:], 0)
	if depth == 0 {
		return []string{"nowhere"}
	}
	if depth < 0 {
		depth = len(c)
	}
	var lines []string
	frames := runtime.CallersFrames(c[:depth])
	for {
		f, more := frames.Next()
		dir, file := path.Split(f.File)
		lines = append(lines, fmt.Sprintf("%s/%s:%d %s", path.Base(dir), file, f.Line, path.Base(f.Function)))
		if !more {
			return lines
		}
	}
}

// chain is a call stack on one line.
func chain(c callers) string {
	return strings.Join(describe(c), " < ")
}
