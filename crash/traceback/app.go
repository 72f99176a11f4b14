package traceback

import "strings"

// Crashed returns the goroutine that died: the first one printed as running, or the one that was in C when the signal
// came. One that stands in the runtime alone is it only where no other is. It is nil when none ran, as in a dump that a
// signal from outside asked for. The goroutine is the dump's.
func (d *Dump) Crashed() *Goroutine {
	if d.inC && len(d.Goroutines) > 0 && d.Goroutines[0].ID != 0 {
		return &d.Goroutines[0]
	}
	var inRuntime *Goroutine
	for i := range d.Goroutines {
		g := &d.Goroutines[i]
		switch {
		case g.State != "running" || len(g.Frames) == 0 || g.late: // it ran on beside the one that died
		case len(beneath(g.Frames)) > 0:
			return g
		case inRuntime == nil:
			inRuntime = g
		}
	}
	return inRuntime
}

// App returns the frames without what the runtime and the crash hooks put on top of them: App()[0] is where it
// happened. Of nested panics that is the first, which the others came of. A stack that is nothing but machinery is
// returned whole. The slice is a part of Frames.
func (g *Goroutine) App() []Frame { return app(g.Frames) }

func app(frames []Frame) []Frame {
	if rest := beneath(frames); len(rest) > 0 {
		return rest
	}
	return frames
}

// beneath returns what lies under the last call of panic, or under the hook that took the stack where nothing
// panicked, and under the runtime's functions and nameless ones of C there.
func beneath(frames []Frame) []Frame {
	at := 0
	for i := range frames {
		if isPanic(frames[i].Func) {
			at = i + 1
		}
	}
	hooks := at == 0
	for at < len(frames) && (isRuntime(frames[at].Func) || frames[at].Func == nonGo || hooks && isHook(frames[at].Func)) {
		at++
	}
	return frames[at:]
}

// isPanic knows runtime.gopanic, which the runtime prints as "panic".
func isPanic(name string) bool { return name == "panic" || name == "runtime.gopanic" }

// isRuntime tells a function of the runtime, or one that leads to its fatal errors.
func isRuntime(name string) bool {
	switch pkg := packageOf(name); pkg {
	case "runtime", "runtime/debug", "runtime/cgo":
		return true
	case "sync", "internal/sync":
		return strings.HasSuffix(name, ".fatal") || strings.HasSuffix(name, ".throw")
	case "":
		return isPanic(name)
	default:
		return strings.HasPrefix(pkg, "internal/runtime/") || strings.HasPrefix(pkg, "runtime/internal/")
	}
}

// isHook tells a function of the capture itself, in the process that it watches.
func isHook(name string) bool {
	pkg := packageOf(name)
	return pkg == "vitrine/crash" || pkg == "vitrine/crash/monitor"
}

// packageOf returns the path of a function's package, "" of a function of C and of panic. A dot in the last part of a
// path is printed as %2e.
func packageOf(name string) string {
	if i := strings.IndexByte(name, '['); i >= 0 {
		name = name[:i] // type arguments hold paths of their own
	}
	slash := strings.LastIndexByte(name, '/')
	dot := strings.IndexByte(name[slash+1:], '.')
	if dot < 0 {
		return ""
	}
	return name[:slash+1+dot]
}

// Package returns the path of the function's package, as printed: "gopkg.in/yaml%2ev3". It is "" for functions of C.
func (f Frame) Package() string { return packageOf(f.Func) }

// standard are the first parts of the paths of the standard library.
const standard = " archive arena bufio builtin bytes cmd cmp compress container context crypto database debug embed encoding errors" +
	" expvar flag fmt go hash html image index internal io iter log maps math mime net os path plugin reflect regexp runtime" +
	" simd slices sort strconv strings structs sync syscall testing text time type unicode unique unsafe vendor weak "

// InApp tells a function of the program or of a library that it imports from one of Go's own, and from C. It goes by
// the path of the package, so a module whose path begins like the standard library's counts as that. The answer does
// not depend on the program that asks.
func InApp(f Frame) bool {
	pkg := packageOf(f.Func)
	first, _, _ := strings.Cut(pkg, "/")
	if pkg == "" || strings.Contains(first, ":") { // type:.eq.main.T
		return false
	}
	return !strings.Contains(standard, " "+first+" ")
}

// Throw says where the text of a fatal error of the runtime lies in the dead process's memory.
type Throw struct {
	Pointer uint64 // address of the string's bytes
	Length  uint64 // as printed: garbage where the register was used for something else, so look for it on the stack
	FP      uint64 // stack of the frame, [SP, FP): 0 at levels that do not print it
	SP      uint64
}

// throwers are the functions whose first argument is the text of a fatal error, those that hold it themselves first.
const throwers = " runtime.throw runtime.fatal sync.throw sync.fatal internal/sync.throw internal/sync.fatal" +
	" internal/runtime/maps.fatal maps.fatal runtime.fatalthrow.throw rand.fatal crypto/rand.fatal crypto/internal/sysrand.fatal "

// Throw finds the frame that was given the text of a fatal error. ok is false where there is none, or its argument is
// not printed.
func (d *Dump) Throw() (t Throw, ok bool) {
	if t, ok = throwIn(d.Runtime); ok {
		return t, true
	}
	for i := range d.Goroutines {
		if i >= maxDetailed {
			break
		}
		if t, ok = throwIn(d.Goroutines[i].Frames); ok {
			return t, true
		}
	}
	return Throw{}, false
}

func throwIn(frames []Frame) (Throw, bool) {
	for _, f := range frames {
		if !strings.Contains(throwers, " "+f.Func+" ") {
			continue
		}
		if pointer, length, ok := stringArg(f.Args); ok {
			return Throw{pointer, length, f.FP, f.SP}, true
		}
	}
	return Throw{}, false
}

// stringArg reads "{0x4c5d01, 0x1c?}".
func stringArg(args string) (pointer, length uint64, ok bool) {
	args, ok = strings.CutPrefix(args, "{")
	first, rest, _ := strings.Cut(args, ", ")
	second, _, _ := strings.Cut(rest, "}")
	pointer, isHex := parseHex([]byte(strings.TrimSuffix(first, "?")))
	length, _ = parseHex([]byte(strings.TrimSuffix(second, "?")))
	return pointer, length, ok && isHex && pointer != 0
}
