package cli

import (
	"fmt"
	"io"
	"math"
	"path/filepath"
	"strings"
	"time"

	"vitrine/crash/bundle"
	"vitrine/crash/traceback"
)

// extent says how much of an account is printed.
type extent struct {
	all                                  bool
	width                                int
	reason, frames, moves, log, problems int // lines
	stacks                               int // groups of goroutines
}

// oneScreen makes at most 40 lines of 120 columns. everything has no limits but those of reading.
var (
	oneScreen  = extent{width: 120, reason: 2, frames: 5, moves: 4, log: 4, problems: 2, stacks: 5}
	everything = extent{all: true, width: math.MaxInt, reason: math.MaxInt, frames: math.MaxInt, moves: math.MaxInt, log: math.MaxInt,
		problems: math.MaxInt, stacks: math.MaxInt}
)

// page prints lines of a limited width, a name before the first of those that belong to it.
type page struct {
	lines
	extent
}

const nameColumns = 10

// field prints a name and what is to be said of it; without words, nothing.
func (p *page) field(name string, words ...string) {
	words = present(words)
	if len(words) > 0 {
		p.line(pad(name, nameColumns) + strings.Join(words, ", "))
	}
}

// line prints one line, cut where the page ends.
func (p *page) line(text string) {
	p.printf("%s\n", strings.TrimRight(fit(visible(text), p.width), " "))
}

// title begins a section.
func (p *page) title(format string, args ...any) {
	p.printf("\n")
	p.line(fmt.Sprintf(format, args...))
}

// present leaves empty words out.
func present(words []string) []string {
	var there []string
	for _, w := range words {
		if w != "" {
			there = append(there, w)
		}
	}
	return there
}

// when returns a word if something is so.
func when(so bool, format string, args ...any) string {
	if !so {
		return ""
	}
	return fmt.Sprintf(format, args...)
}

// print prints the account: what, where and when first, then the parts that explain it.
func (a *account) print(w io.Writer, e extent, now time.Time) error {
	p := &page{lines: lines{w: w}, extent: e}
	a.head(p, now)
	a.crashed(p)
	a.history(p)
	a.lastLines(p)
	a.crowds(p)
	if p.all {
		a.rest(p)
	}
	return p.err
}

// head prints the facts, a line each.
func (a *account) head(p *page, now time.Time) {
	m := a.meta
	for i, line := range wrap(visible(orNone(m.Reason)), p.width-nameColumns, p.reason) {
		name := ""
		if i == 0 {
			name = string(m.Class)
		}
		p.line(pad(name, nameColumns) + line)
	}
	p.field("bundle", a.entry.Path())
	p.field("where", m.Where.Function, when(m.Where.File != "", "%s:%d", m.Where.File, m.Where.Line))
	p.field(when(m.Where.Function == "", "where"), when(m.Where.Server != "", "server %s", m.Where.Server), when(m.Where.Server != "" && m.Where.Worker >= 0, "worker %d", m.Where.Worker), m.Where.Callback,
		when(m.Where.Session != "", "session %s", m.Where.Session), when(m.Where.Packet != 0, "packet type %d", m.Where.Packet))
	p.field("trace", m.Trace, when(m.Span != "", "span %s", m.Span))
	p.field("when", moment(m.Time), span(now.Sub(m.Time))+" ago", processOf(m))
	p.field("before", a.before(), a.again())
	p.field("end", a.end(), when(m.ReasonHow != "" && m.ReasonHow != "text", "reason by %s", m.ReasonHow))
	p.field("build", buildOf(&m.Build))
	p.field("core", a.core())
	p.field("report", a.report(now))
	a.missing(p)
}

// wrap breaks a text into lines between words, at most so many; the last one is cut.
func wrap(s string, width, most int) []string {
	var out []string
	if s == "" {
		return nil
	}
	for columns(s) > width && len(out) < most-1 {
		head := strings.TrimSuffix(fit(s, width), "...")
		if i := strings.LastIndexByte(head, ' '); i > 0 {
			head = head[:i]
		}
		out, s = append(out, head), strings.TrimLeft(s[len(head):], " ")
	}
	return append(out, s)
}

// moment writes a time as it is compared with logs.
func moment(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000 UTC") }

// brieflyAt writes a time beside others, to the second and in UTC as they are.
func brieflyAt(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") }

func processOf(m *bundle.Meta) string {
	text := fmt.Sprintf("process %d", m.Process.PID)
	if m.Process.Name != "" {
		text = m.Process.Name + " (" + text + ")"
	}
	if m.Process.Started.IsZero() {
		return text
	}
	return text + " had run for " + span(m.Time.Sub(m.Process.Started))
}

// before says how often the kind was seen until this crash.
func (a *account) before() string {
	b := &a.meta.Before
	if b.Count == 0 {
		return "never"
	}
	return times(b.Count) + " since " + brieflyAt(b.First) + when(b.HeldBack > 0, ", %s of them without a bundle", counted(b.HeldBack))
}

// again says how often it was seen since.
func (a *account) again() string {
	b := &a.meta.Before
	if a.since.Count <= b.Count+1 {
		return ""
	}
	return times(a.since.Count-b.Count-1) + " since then, last " + brieflyAt(a.since.Last)
}

func times(n uint64) string {
	if n == 1 {
		return "once"
	}
	return counted(n) + " times"
}

// end says how the process ended.
func (a *account) end() string {
	m := a.meta
	switch {
	case m.Exit == nil && (m.Handled || m.Live || m.Class == bundle.ClassHang):
		return "none, the process went on"
	case m.Exit == nil:
		return "unknown"
	}
	return m.Exit.String() + when(m.Exit.CoreDumped, ", the kernel wrote a core too")
}

func buildOf(b *bundle.Build) string {
	revision := b.Revision
	if revision == "" {
		revision = b.Version
	}
	return strings.Join(present([]string{b.Module, when(revision != "", "revision %s", revision) + when(b.Modified, " (modified)"), b.Go,
		when(b.OS != "", "%s/%s", b.OS, b.Arch)}), ", ")
}

// core says what there is to open, and how.
func (a *account) core() string {
	c := &a.meta.Core
	if a.entry.Core == 0 {
		return "none" + when(c.Why != "", ": %s", c.Why)
	}
	return fmt.Sprintf("%s (expanded %s)%s%s; vitrine crash open %s", size(a.entry.Core), size(c.Apparent),
		when(c.Thread != 0, ", thread %d", c.Thread), when(c.State == bundle.CoreCut, ", cut: %s", c.Why), a.entry.ID)
}

// report says what became of the report to Sentry.
func (a *account) report(now time.Time) string {
	f := &a.fate
	switch {
	case f.Done:
		return "sent, or refused for good"
	case f.Waits && f.Failures > 0:
		return fmt.Sprintf("waits to be sent: %d attempts failed, the last with %s", f.Failures, f.Last) +
			when(f.Next.After(now), ", the next in %s", span(f.Next.Sub(now)))
	case f.Waits:
		return "waits to be sent: vitrine crash send"
	}
	return "not sent, and none waits"
}

// missing says what the bundle lacks and why.
func (a *account) missing(p *page) {
	problems := append(a.meta.Problems[:len(a.meta.Problems):len(a.meta.Problems)], a.problems...)
	for i, text := range problems[:min(len(problems), p.problems)] {
		if left := len(problems) - p.problems; i == p.problems-1 && left > 0 {
			text = fmt.Sprintf("%s; and %d more (--all)", fit(visible(text), p.width-nameColumns-24), left)
		}
		p.field(when(i == 0, "missing"), text)
	}
}

// crashed prints the frames of the goroutine that died, those of the program unless it has none or all are wanted.
func (a *account) crashed(p *page) {
	g := a.dump.Crashed()
	if g == nil {
		return
	}
	frames := g.App()
	if p.all {
		frames = g.Frames
	} else if own := inApp(frames); len(own) > 0 {
		frames = own
	}
	shown := frames[:min(len(frames), p.frames)]
	p.title("goroutine %d, %s%s%s", g.ID, g.State, labels(g.Labels), more(len(frames)-len(shown), "frame"))
	p.printFrames(shown)
	if p.all && g.Created.Func != "" {
		p.line(fmt.Sprintf("  created by %s in goroutine %d, %s", g.Created.Func, g.Creator, place(g.Created)))
	}
}

func inApp(frames []traceback.Frame) []traceback.Frame {
	var own []traceback.Frame
	for _, f := range frames {
		if traceback.InApp(f) {
			own = append(own, f)
		}
	}
	return own
}

// labels writes what a goroutine was labelled with.
func labels(of map[string]string) string {
	if len(of) == 0 {
		return ""
	}
	return " " + strings.TrimPrefix(fmt.Sprint(of), "map")
}

// more says how many of something are left out of a section.
func more(n int, of string) string {
	return when(n > 0, "; and %s more %s%s with --all", counted(n), of, when(n > 1, "%s", "s"))
}

// place writes the file and line of a frame.
func place(f traceback.Frame) string { return when(f.File != "", "%s:%d", f.File, f.Line) }

// printFrames prints frames, their places in one column.
func (p *page) printFrames(frames []traceback.Frame) {
	widest := 0
	for _, f := range frames {
		widest = max(widest, columns(visible(p.function(f))))
	}
	widest = min(widest, maxFunction)
	for _, f := range frames {
		name := visible(p.function(f))
		at := visible(place(f))
		if !p.all {
			name = fit(name, maxFunction)
			at = fitEnd(at, p.width-widest-4)
		}
		p.line("  " + pad(name, widest) + "  " + at)
	}
}

const maxFunction = 60

// function is the name of a frame's function, without the path of its package where space is short.
func (p *page) function(f traceback.Frame) string {
	if p.all {
		return f.Func
	}
	return shortFunc(f.Func)
}

// history prints the last records.
func (a *account) history(p *page) {
	if len(a.moves) == 0 {
		return
	}
	last := a.moves[max(0, len(a.moves)-p.moves):]
	p.title("%s, its last records%s", a.whose, more(len(a.moves)-len(last), "record"))
	for i := range last {
		p.line("  " + last[i].String())
	}
}

// lastLines prints the end of the log.
func (a *account) lastLines(p *page) {
	if len(a.log) == 0 {
		return
	}
	last := a.log[max(0, len(a.log)-p.log):]
	p.title("log, its last lines%s", more(len(a.log)-len(last), "line"))
	for _, line := range last {
		p.line("  " + line)
	}
}

// crowds prints what the goroutines were doing, the most common first. One alone was printed before.
func (a *account) crowds(p *page) {
	if len(a.dump.Goroutines) < 2 {
		return
	}
	groups := traceback.Group(a.dump.Goroutines)
	shown := groups[:min(len(groups), p.stacks)]
	p.title("%s goroutines in %s stacks%s", counted(len(a.dump.Goroutines)), counted(len(groups)), more(len(groups)-len(shown), "stack"))
	for _, g := range shown {
		p.crowd(&g)
	}
}

// crowd prints one group: where it stands in the program, or all of its stack.
func (p *page) crowd(g *traceback.Stack) {
	if p.all {
		p.line(fmt.Sprintf("  %s %s%s", counted(g.Count), g.State, labels(g.Labels)))
		for _, f := range g.Frames {
			p.line("      " + f.Func + "  " + place(f))
		}
		return
	}
	var top traceback.Frame
	if own := inApp(g.Frames); len(own) > 0 {
		top = own[0]
	} else if len(g.Frames) > 0 {
		top = g.Frames[0]
	}
	line := fmt.Sprintf("  %7s  %s  %s", counted(g.Count), pad(fit(visible(g.State), 16), 16), fit(visible(shortFunc(top.Func)), maxFunction))
	p.line(line + "  " + filepath.Base(visible(place(top))))
}

// rest prints what only somebody wants who asked for all of it.
func (a *account) rest(p *page) {
	m := a.meta
	t := &m.Timings
	p.title("the rest")
	p.field("id", m.ID, when(m.Event != "", "event %s", m.Event), when(m.Fingerprint != "", "fingerprint %s", m.Fingerprint))
	p.field("arguments", strings.Join(m.Process.Args, " "))
	p.field("build id", m.Build.ID)
	p.field("times", when(t.StopUS > 0, "stood still %v", micros(float64(t.StopUS))), when(t.TextMS > 0, "text after %d ms", t.TextMS),
		when(t.DeadMS > 0, "dead after %d ms", t.DeadMS), when(t.CompleteMS > 0, "complete after %d ms", t.CompleteMS))
	p.field("program", m.Core.Executable)
	for _, name := range sortedKeys(m.Capabilities) {
		p.line(pad("machine", nameColumns) + name + ": " + m.Capabilities[name])
	}
	for _, name := range sortedKeys(m.Dropped) {
		p.line(pad("dropped", nameColumns) + name + ": " + counted(m.Dropped[name]))
	}
	for _, f := range m.Files {
		p.field("file", f.Name, size(f.Bytes), when(f.Cut, "cut"))
	}
}
