package sentry

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	sentrygo "github.com/getsentry/sentry-go"

	"vitrine/crash/bundle"
	"vitrine/crash/traceback"
)

// threads gives the subject first, then the others grouped by stack, the largest groups first.
func (x *cleaner) threads(m *bundle.Meta, d *traceback.Dump, g *traceback.Goroutine) []sentrygo.Thread {
	var all []sentrygo.Thread
	others := d.Goroutines
	if g != nil {
		all = append(all, sentrygo.Thread{
			ID: strconv.FormatUint(g.ID, 10), Name: x.tag(g.State), Stacktrace: x.stacktrace(g.Frames),
			Crashed: m.Class.Dying(), Current: true,
		})
		others = without(d.Goroutines, g)
	}
	for i, group := range traceback.Group(others) {
		if len(all) == MaxThreads {
			break
		}
		all = append(all, sentrygo.Thread{ID: threadID(i, group), Name: x.tag(threadName(group)), Stacktrace: x.stacktrace(group.Frames)})
	}
	return all
}

// without copies a list but for one of its elements.
func without(all []traceback.Goroutine, one *traceback.Goroutine) []traceback.Goroutine {
	i := slices.IndexFunc(all, func(g traceback.Goroutine) bool { return g.ID == one.ID })
	return slices.Concat(all[:i], all[i+1:])
}

// threadID is the id of the group's first goroutine. The stacks of the scheduler have none.
func threadID(i int, group traceback.Stack) string {
	if len(group.IDs) == 0 || group.IDs[0] == 0 {
		return "stack-" + strconv.Itoa(i)
	}
	return strconv.FormatUint(group.IDs[0], 10)
}

func threadName(group traceback.Stack) string {
	if group.Count == 1 {
		return group.State
	}
	return fmt.Sprintf("%s ×%d", group.State, group.Count)
}

// stacktrace turns frames to Sentry's order, oldest first, and leaves out the middle of a long stack.
func (x *cleaner) stacktrace(frames []traceback.Frame) *sentrygo.Stacktrace {
	s := &sentrygo.Stacktrace{Frames: make([]sentrygo.Frame, 0, min(len(frames), MaxFrames))}
	const outer = MaxFrames / 4
	for i := len(frames) - 1; i >= 0; i-- {
		if age := len(frames) - 1 - i; age >= outer && i >= MaxFrames-outer {
			continue
		}
		s.Frames = append(s.Frames, x.frame(frames[i]))
	}
	if n := len(frames) - MaxFrames; n > 0 {
		s.FramesOmitted = []uint{outer, uint(outer + n)}
	}
	return s
}

// frame names a call as Sentry does: module is the package, function what follows it.
func (x *cleaner) frame(f traceback.Frame) sentrygo.Frame {
	pkg := f.Package()
	out := sentrygo.Frame{
		Module:   x.text(pkg, maxNameBytes),
		Function: or(x.text(strings.TrimPrefix(strings.TrimPrefix(f.Func, pkg), "."), maxNameBytes), "unknown"),
		Lineno:   f.Line,
		InApp:    traceback.InApp(f),
	}
	switch file := x.text(f.File, maxNameBytes); {
	case file == "":
	case path.IsAbs(f.File):
		out.AbsPath, out.Filename = file, path.Join(out.Module, path.Base(file))
	default:
		out.Filename = file
	}
	return out
}
