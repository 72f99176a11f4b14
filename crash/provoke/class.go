package provoke

import (
	"fmt"
	"slices"
	"strings"
	"syscall"

	"vitrine/crash/bundle"
)

// Value is the text of the panics that victims make themselves.
const Value = "player 42 has hp -1"

// Class is one way to die or to be stuck, and what its bundle must say.
type Class struct {
	Name   string
	About  string
	Is     bundle.Class
	Reason string // is part of meta.json's reason

	Lives      bool   // the process goes on
	NoCore     string // why there can be no core, "" when there must be one
	Function   string // on the stack of whom a debugger shows first, without the package
	NoPanicker string // why that is not the current goroutine's, "" when it is
	NoStack    string // why its stack cannot be read, "" when it can
	Panics     string // the value that a debugger prints in runtime.gopanic, "" when there is none

	from syscall.Signal // sent from outside, 0 = none
	cgo  bool           // needs C
	run  func(*victim)  // what happens in the victim; nil when it comes from outside
}

// Why there is nothing to see in a core.
const (
	nothingStands = "the kernel ends the process at once: nothing stands still to be copied"
	fromOutside   = "nobody panicked: the signal came from outside"
	inC           = "the thread is one of C, without a goroutine"
	inLibc        = "the goroutine is shown, its stack ends in a library of C, which Delve does not read and gdb does"
	goesOn        = "nobody panicked: the loop is found by its stack"
)

// classes are all, in the order of the documents.
var classes = []Class{
	{Name: "panic", About: "a panic that Guard recovers", Is: bundle.ClassPanic, Reason: Value, Lives: true, Function: "hurt", Panics: Value, run: guarded},
	{Name: "goroutine", About: "a panic on a bare goroutine", Is: bundle.ClassGoroutine, Reason: Value, Function: "hurt", Panics: Value, run: bare},
	{Name: "error", About: "a panic with an error", Is: bundle.ClassGoroutine, Reason: Value, Function: "hurtError", Panics: Value, run: withError},
	{Name: "nil", About: "a nil pointer is followed", Is: bundle.ClassGoroutine, Reason: "nil pointer dereference", Function: "health", Panics: "nil pointer dereference", run: nilPointer},
	{Name: "nilmap", About: "a nil map is written", Is: bundle.ClassGoroutine, Reason: "assignment to entry in nil map", Function: "enter", Panics: "assignment to entry in nil map", run: nilMap},
	{Name: "mapwrites", About: "a map is written by several goroutines", Is: bundle.ClassFatal, Reason: "concurrent map writes", Function: "writeForever", run: mapWrites},
	{Name: "stack", About: "a recursion without end", Is: bundle.ClassStack, Reason: "stack overflow", Function: "recurse", run: overflow},
	{Name: "oom", About: "out of memory under RLIMIT_AS", Is: bundle.ClassOOM, Reason: "out of memory", Function: "fill", run: outOfMemory},
	{Name: "huge", About: "an allocation of 1<<46 bytes", Is: bundle.ClassOOM, Reason: "out of memory", Function: "allocate", run: huge},
	{Name: "badaddress", About: "Go code touches a bad address", Is: bundle.ClassFault, Reason: "fault", Function: "touch", run: badAddress},
	{Name: "cgo", About: "C faults on a Go thread", Is: bundle.ClassCgo, Reason: "SIGSEGV", Function: "faultInC", cgo: true, run: (*victim).cgoFault},
	{Name: "cgothread", About: "C faults on a thread of C", Is: bundle.ClassCgo, Reason: "SIGSEGV", Function: "provoke_fault", NoPanicker: inC, cgo: true, run: (*victim).cgoThread},
	{Name: "abort", About: "C calls abort()", Is: bundle.ClassAbort, Reason: "SIGABRT", Function: "abortInC", NoStack: inLibc, cgo: true, run: (*victim).cgoAbort},
	{Name: "sigabrt", About: "SIGABRT from outside", Is: bundle.ClassSignal, Reason: "SIGABRT", NoPanicker: fromOutside, Function: "converse", from: syscall.SIGABRT},
	{Name: "sigquit", About: "SIGQUIT from outside", Is: bundle.ClassSignal, Reason: "SIGQUIT", NoPanicker: fromOutside, Function: "converse", from: syscall.SIGQUIT},
	{Name: "sigsegv", About: "SIGSEGV from outside", Is: bundle.ClassSignal, Reason: "SIGSEGV", NoPanicker: fromOutside, Function: "converse", from: syscall.SIGSEGV},
	{Name: "sigbus", About: "SIGBUS from outside", Is: bundle.ClassSignal, Reason: "SIGBUS", NoPanicker: fromOutside, Function: "converse", from: syscall.SIGBUS},
	{Name: "sigkill", About: "SIGKILL from outside", Is: bundle.ClassKilled, Reason: "SIGKILL", NoCore: nothingStands, from: syscall.SIGKILL},
	{Name: "exit", About: "os.Exit(3)", Is: bundle.ClassExit, Reason: "exit(3)", NoCore: nothingStands, run: exits},
	{Name: "logfatal", About: "log.Fatal", Is: bundle.ClassExit, Reason: "exit(1)", NoCore: nothingStands, run: logFatal},
	{Name: "hang", About: "a loop makes no progress", Is: bundle.ClassHang, Reason: loopName, Lives: true, NoPanicker: goesOn, Function: "(*victim).stand", run: (*victim).stand},
}

// Classes lists all classes, in the order of the documents.
func Classes() []Class { return slices.Clone(classes) }

// Find returns the class of a name. The error lists the names.
func Find(name string) (Class, error) {
	i := slices.IndexFunc(classes, func(c Class) bool { return c.Name == name })
	if i < 0 {
		names := make([]string, len(classes))
		for i, c := range classes {
			names[i] = c.Name
		}
		return Class{}, fmt.Errorf("no class %.40q; there are %s", name, strings.Join(names, ", "))
	}
	return classes[i], nil
}

// Lacks says what this program lacks to provoke the class, and how to get it; "" when it lacks nothing.
func (c Class) Lacks() string {
	if c.cgo && !withC {
		return "this program has no C in it: build it with CGO_ENABLED=1 and -tags crashcgo, which needs a C compiler (apt-get install gcc libc6-dev)"
	}
	return ""
}
