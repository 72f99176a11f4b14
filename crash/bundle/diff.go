package bundle

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"vitrine/crash/traceback"
)

// The limits of a comparison.
const (
	maxStackDiffs = 40 // groups of goroutines that are told of, the largest differences first
	maxDiffFrames = 32 // frames of the crashed goroutines that are compared
	keyFrames     = 8  // innermost functions that make goroutines of two processes the same group
)

// Difference is one thing in which two crashes differ. "" = the other has it, this one has not.
type Difference struct{ Name, A, B string }

// differ collects differences.
type differ []Difference

func (d *differ) add(name string, a, b any) {
	if x, y := fmt.Sprint(a), fmt.Sprint(b); x != y {
		*d = append(*d, Difference{Name: name, A: x, B: y})
	}
}

// count compares numbers of which 0 is none.
func (d *differ) count(name string, a, b uint64) { d.add(name, some(a), some(b)) }

func some(n uint64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatUint(n, 10)
}

// Diff tells in what two crashes differ: first what meta.json says, then the stacks of the goroutines that crashed, then
// the groups of goroutines that one process had and the other had not, or in another number. What differs between any
// two crashes, such as times and process ids, is left out. Either dump may be nil: then stacks are not compared.
func Diff(a, b *Meta, at, bt *traceback.Dump) []Difference {
	var d differ
	d.meta(a, b)
	d.mapped("capability", a.Capabilities, b.Capabilities)
	d.dropped(a.Dropped, b.Dropped)
	if at != nil && bt != nil {
		d.crashed(at, bt)
		d.stacks(at, bt)
	}
	return d
}

func (d *differ) meta(a, b *Meta) {
	d.add("class", a.Class, b.Class)
	d.add("reason", a.Reason, b.Reason)
	d.add("handled", a.Handled, b.Handled)
	d.add("exit", a.Exit.String(), b.Exit.String())
	d.add("fingerprint", a.Fingerprint, b.Fingerprint)
	d.add("program", a.Process.Name, b.Process.Name)
	d.add("arguments", strings.Join(a.Process.Args, " "), strings.Join(b.Process.Args, " "))
	d.add("build", a.Build.ID, b.Build.ID)
	d.add("version", a.Build.Version, b.Build.Version)
	d.add("revision", a.Build.Revision, b.Build.Revision)
	d.add("modified", a.Build.Modified, b.Build.Modified)
	d.add("go", a.Build.Go, b.Build.Go)
	d.add("platform", a.Build.OS+"/"+a.Build.Arch, b.Build.OS+"/"+b.Build.Arch)
	d.add("server", a.Where.Server, b.Where.Server)
	d.add("worker", a.Where.Worker, b.Where.Worker)
	d.add("callback", a.Where.Callback, b.Where.Callback)
	d.add("session", a.Where.Session, b.Where.Session)
	d.count("packet", uint64(a.Where.Packet), uint64(b.Where.Packet))
	d.add("function", a.Where.Function, b.Where.Function)
	d.add("line", place(a.Where.File, a.Where.Line), place(b.Where.File, b.Where.Line))
	d.count("goroutines", uint64(max(a.Goroutines, 0)), uint64(max(b.Goroutines, 0)))
	d.add("core", a.Core.State, b.Core.State)
}

// String says how a process ended, "" for nil.
func (e *Exit) String() string {
	switch {
	case e == nil:
		return ""
	case !e.Known:
		return "unknown"
	case e.Signal != "":
		return e.Signal
	}
	return fmt.Sprintf("status %d", e.Code)
}

// mapped compares the values of two maps, in the order of their keys.
func (d *differ) mapped(name string, a, b map[string]string) {
	for _, key := range keysOf(a, b) {
		d.add(name+" "+key, a[key], b[key])
	}
}

func (d *differ) dropped(a, b map[string]uint64) {
	for _, key := range keysOf(a, b) {
		d.count("dropped "+key, a[key], b[key])
	}
}

// keysOf lists the keys of both maps in order.
func keysOf[V any](a, b map[string]V) []string {
	keys := slices.AppendSeq(slices.Collect(maps.Keys(a)), maps.Keys(b))
	slices.Sort(keys)
	return slices.Compact(keys)
}

// crashed compares the stacks of the goroutines that crashed, frame by frame.
func (d *differ) crashed(at, bt *traceback.Dump) {
	a, b := framesOf(at.Crashed()), framesOf(bt.Crashed())
	for i := range min(max(len(a), len(b)), maxDiffFrames) {
		d.add(fmt.Sprintf("frame %d", i), frameAt(a, i), frameAt(b, i))
	}
}

func framesOf(g *traceback.Goroutine) []traceback.Frame {
	if g == nil {
		return nil
	}
	return g.App()
}

func frameAt(frames []traceback.Frame, i int) string {
	if i >= len(frames) {
		return ""
	}
	return strings.TrimSpace(frames[i].Func + " " + place(frames[i].File, frames[i].Line))
}

func place(file string, line int) string {
	if file == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d", file, line)
}

// crowd counts goroutines of one state in the same functions, in two processes.
type crowd struct {
	name string
	a, b int
}

func (c crowd) apart() int { return max(c.a-c.b, c.b-c.a) }

// stacks compares the groups of goroutines. Lines do not count, so that two builds can be compared.
func (d *differ) stacks(at, bt *traceback.Dump) {
	crowds := map[string]*crowd{}
	for _, s := range traceback.Group(at.Goroutines) {
		meet(crowds, s).a += s.Count
	}
	for _, s := range traceback.Group(bt.Goroutines) {
		meet(crowds, s).b += s.Count
	}
	var apart []crowd
	for _, c := range crowds {
		if c.a != c.b {
			apart = append(apart, *c)
		}
	}
	slices.SortFunc(apart, func(x, y crowd) int {
		return cmp.Or(cmp.Compare(y.apart(), x.apart()), strings.Compare(x.name, y.name))
	})
	for _, c := range apart[:min(len(apart), maxStackDiffs)] {
		d.count(c.name, uint64(c.a), uint64(c.b))
	}
	if more := len(apart) - maxStackDiffs; more > 0 {
		d.add("further groups of goroutines", "", more)
	}
}

// meet finds the crowd of a group.
func meet(crowds map[string]*crowd, s traceback.Stack) *crowd {
	funcs := make([]string, 0, keyFrames)
	for _, f := range s.Frames[:min(len(s.Frames), keyFrames)] {
		funcs = append(funcs, f.Func)
	}
	key := s.State + " " + strings.Join(funcs, " ")
	if crowds[key] == nil {
		crowds[key] = &crowd{name: fmt.Sprintf("goroutines [%s] in %s", s.State, topOf(s.Frames))}
	}
	return crowds[key]
}

// topOf names the function that a reader knows: the innermost one of the program, else the innermost.
func topOf(frames []traceback.Frame) string {
	if i := slices.IndexFunc(frames, traceback.InApp); i >= 0 {
		return frames[i].Func
	}
	if len(frames) > 0 {
		return frames[0].Func
	}
	return "unknown"
}
