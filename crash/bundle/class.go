package bundle

import "slices"

// Class says how a process died, or why it was looked at while it lived. It is a closed list.
type Class string

// The classes. Panic, Hang and Live are of processes that go on; the others end one.
const (
	ClassPanic     Class = "panic"     // a panic that was recovered
	ClassGoroutine Class = "goroutine" // a panic that nobody recovered
	ClassFatal     Class = "fatal"     // a fatal error of the runtime, such as concurrent map writes
	ClassStack     Class = "stack"     // a goroutine's stack met its limit
	ClassOOM       Class = "oom"       // the runtime found no memory
	ClassFault     Class = "fault"     // Go code touched a bad address
	ClassCgo       Class = "cgo"       // C code faulted
	ClassAbort     Class = "abort"     // abort(3), or SIGABRT
	ClassSignal    Class = "signal"    // another signal from outside
	ClassKilled    Class = "killed"    // SIGKILL
	ClassOOMKilled Class = "oomkilled" // SIGKILL for the memory of the control group
	ClassExit      Class = "exit"      // an exit that was not asked for
	ClassHang      Class = "hang"      // a loop made no progress
	ClassLive      Class = "live"      // somebody asked for a report
)

// Classes lists all classes, in the order of the documents.
func Classes() []Class {
	return []Class{
		ClassPanic, ClassGoroutine, ClassFatal, ClassStack, ClassOOM, ClassFault, ClassCgo, ClassAbort,
		ClassSignal, ClassKilled, ClassOOMKilled, ClassExit, ClassHang, ClassLive,
	}
}

// Known tells whether the class is one of the list.
func (c Class) Known() bool { return slices.Contains(Classes(), c) }

// Dying tells whether a process ends by it.
func (c Class) Dying() bool {
	return c.Known() && c != ClassPanic && c != ClassHang && c != ClassLive
}

// HasCore tells whether there is a process left to take a core of.
func (c Class) HasCore() bool {
	return c.Known() && c != ClassKilled && c != ClassOOMKilled && c != ClassExit
}
