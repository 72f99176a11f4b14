package monitor

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"vitrine/crash/bundle"
	"vitrine/crash/traceback"
)

// death is what is known of how a server died.
type death struct {
	text      []byte
	dump      *traceback.Dump
	throw     string // text of a runtime fatal error that the snapshot gave, "" when it is in the dump or nowhere
	throwHow  string
	exit      bundle.Exit
	oomKilled bool   // the kernel counted a kill for want of memory in the server's cgroup
	overdue   string // it was killed when its deadman timer was due: how; "" when it was not
	killer    string // why a monitor has ended it, "" when none has
}

// sigcode is in the traceback of a signal; 0 means that somebody sent it.
var sigcode = regexp.MustCompile(`(?m)^PC=\S+ m=\S+ sigcode=(\d+)`)

// classify returns the class and the reason of a death, and how the reason was found.
func (d *death) classify() (class bundle.Class, reason, how string) {
	if len(d.text) == 0 {
		return d.silent()
	}
	reason, how = d.dump.Reason, "text"
	if d.throw != "" {
		reason, how = d.throw, d.throwHow
	}
	if reason == "" && d.exit.Signal == "SIGKILL" { // its words were cut short
		return d.silent()
	}
	if reason == "" {
		reason, how = d.known()
	}
	class = d.classOf(reason)
	if d.dump.Signal == "SIGABRT" {
		reason = d.blame(reason)
	}
	return class, reason, how
}

// blame adds to the reason of a SIGABRT who sent it, where that was the watchdog.
func (d *death) blame(reason string) string {
	if d.killer != "" {
		reason += ", sent by the watchdog: " + d.killer
	}
	return reason
}

// howDeadman is how a reason was found that the deadman timer gave.
const howDeadman = "deadman"

// silent is a death without a word: only the exit tells.
func (d *death) silent() (class bundle.Class, reason, how string) {
	switch {
	case !d.exit.Known:
		return bundle.ClassKilled, "ended without a word, and this kernel does not tell how", "exit"
	case d.oomKilled:
		return bundle.ClassOOMKilled, "killed by the kernel: the memory of its cgroup ran out", "cgroup"
	case d.exit.Signal == "SIGKILL" && d.overdue != "":
		return bundle.ClassKilled, d.overdue, howDeadman
	case d.exit.Signal == "SIGKILL":
		return bundle.ClassKilled, "killed by SIGKILL", "exit"
	case d.exit.Signal == "SIGABRT":
		return bundle.ClassAbort, d.blame("killed by SIGABRT"), "exit"
	case d.exit.Signal != "":
		return bundle.ClassSignal, "killed by " + d.exit.Signal, "exit"
	}
	return bundle.ClassExit, "called exit(" + strconv.Itoa(d.exit.Code) + ") without an end in good order", "exit"
}

// known finds the reason of a runtime fatal error in the functions on top of the stack.
func (d *death) known() (reason, how string) {
	frames := slices.Clip(d.dump.Runtime)
	if crashed := d.dump.Crashed(); crashed != nil {
		frames = append(frames, crashed.Frames...)
	}
	for i, frame := range frames {
		switch text := throwTable[frame.Func]; {
		case text == mapAccess:
			return "fatal error: " + mapReason(frames[i+1:]), "table"
		case text != "":
			return "fatal error: " + text, "table"
		}
	}
	if len(frames) == 0 {
		return "unknown", "none"
	}
	return "fatal error: unknown", "none"
}

// mapAccess is the text of a misuse of a map as long as nobody looked for which.
const mapAccess = "concurrent map access"

// mapReason tells from what was called of the map which misuse the runtime found.
func mapReason(callers []traceback.Frame) string {
	if len(callers) == 0 {
		return mapAccess
	}
	name := callers[0].Func[strings.LastIndexByte(callers[0].Func, '/')+1:]
	for _, known := range []struct{ part, text string }{
		{"assign", "concurrent map writes"}, {"delete", "concurrent map writes"}, {"clear", "concurrent map writes"},
		{"Delete", "concurrent map writes"}, {"Clear", "concurrent map writes"}, {"Put", "concurrent map writes"},
		{"access", "concurrent map read and map write"}, {"get", "concurrent map read and map write"},
		{"Iter", "concurrent map iteration and map write"},
	} {
		if strings.Contains(name, known.part) {
			return known.text
		}
	}
	return mapAccess
}

// throwTable names fatal errors by a function of the runtime that is on the stack of no other.
var throwTable = map[string]string{
	"runtime.newstack":                     "stack overflow",
	"internal/runtime/maps.fatal":          mapAccess,
	"runtime.mallocgc":                     "out of memory",
	"runtime.(*mheap).alloc":               "out of memory",
	"runtime.checkdead":                    "all goroutines are asleep - deadlock!",
	"sync.fatal":                           "misuse of a lock",
	"runtime.(*mcache).allocLarge":         "out of memory",
	"runtime.sysMap":                       "out of memory",
	"runtime.sysMapOS":                     "out of memory",
	"runtime.sysReserveAlignedSbrk":        "out of memory",
	"runtime.persistentalloc1":             "out of memory",
	"runtime.(*mheap).sysAlloc":            "out of memory",
	"runtime.(*mheap).grow":                "out of memory",
	"runtime.(*mheap).allocSpan":           "out of memory",
	"runtime.(*mheap).allocNeedsZero":      "out of memory",
	"runtime.(*mcentral).grow":             "out of memory",
	"runtime.(*mheap).allocUserArenaChunk": "out of memory",
}

// classOf returns the class of a death with a text.
func (d *death) classOf(reason string) bundle.Class {
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(reason, w) {
				return true
			}
		}
		return false
	}
	foreign := strings.Contains(string(d.text), "signal arrived during cgo execution")
	code := sigcode.FindSubmatch(d.text)
	switch {
	case has("stack overflow", "stack exceeds"):
		return bundle.ClassStack
	case has("out of memory", "cannot allocate memory", "cannot map pages"):
		return bundle.ClassOOM
	case d.dump.Signal == "SIGABRT" && (foreign || code != nil && string(code[1]) != "0"):
		return bundle.ClassAbort
	case strings.HasPrefix(reason, "SIG") && code != nil && string(code[1]) == "0":
		return bundle.ClassSignal
	case foreign && d.dump.Signal != "":
		return bundle.ClassCgo
	case has("fatal error: fault", "unexpected fault address"):
		return bundle.ClassFault
	case strings.HasPrefix(reason, "panic: "):
		return bundle.ClassGoroutine
	case strings.HasPrefix(reason, "SIG"):
		return bundle.ClassSignal
	}
	return bundle.ClassFatal
}
