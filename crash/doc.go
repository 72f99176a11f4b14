// Package crash makes every death of a process leave a bundle that explains
// it, and every panic that is caught leave one too.
//
//	func main() {
//		process, err := crash.Start(crash.Config{Dir: "var/crash"}) // first of all
//		...
//		defer process.Close() // an end without Close is a crash, an exit status of 0 excepted
//	}
//
// Start gives the runtime's crash output a pipe that holds the dying process
// at an exact point, and starts two monitors (package crash/monitor), which
// write the bundle: text, goroutines, a core that Delve opens, the last packet
// records, figures and log lines (crash/FORMAT.md).
//
//	what happens                           who tells               what is in the bundle
//	panic in Guard, Go, a callback         Panicked                live core, the process goes on
//	panic elsewhere, runtime fatal error   the crash pipe          core
//	fault in C on a Go thread, abort(3)    the crash pipe          core
//	fault on a thread of C                 a notified signal       live core, then the death
//	SIGKILL, the kernel out of memory      the process's exit      records, figures, log lines
//	os.Exit, log.Fatal                     the process's exit      the same
//	a loop that makes no progress          the monitor's watchdog  live core, the process goes on
//
// A monitor that dies is replaced. One that is stopped wakes after a second,
// one that hangs costs a dying process [monitor.StandbyAfter] or more, after which
// the reserve acts; when both hang, the kernel's timer ends the process after
// Config.Deadman. Never is the exit status another than without this package,
// that last case excepted, and a monitor that is killed within the millisecond
// or so in which it has the process copy itself: it takes the process with it.
//
// Where ptrace is refused bundles have text alone, and the kernel's own core
// takes the place of ours if core_pattern and RLIMIT_CORE keep one: the runtime
// then ends a crash by SIGABRT, whose status is another. Config.NoKernelCore
// does without the one and keeps the other.
//
// Guarding costs about ten nanoseconds and no allocation. Of panics of one kind, told apart by
// the program counters of their stack, one a minute is reported; the rest is
// counted.
//
// The program calls Start, or [ServeMonitor], before anything else in main,
// since a monitor is the same program run again, recognised by a variable of
// its environment. Package-level variables are initialised there too.
//
// What cannot be had on a machine (ptrace refused, no such kernel feature) is
// named in the log at start, in Capabilities, and in each bundle.
//
// Where there is no Linux on amd64, bundles hold text alone: of a death all
// goroutines, unless there are tens of thousands.
//
// A process has one crash output, so a process has one [Process]: it is the package's one
// piece of state.
package crash
