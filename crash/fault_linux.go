package crash

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"vitrine/crash/bundle"
	"vitrine/crash/monitor"
)

// faultSignals are those by which the kernel tells a thread of a fault. On a thread that C made, the runtime dies of them
// without a word; notified, it goes on and tells us, while the thread faults again and again. SIGABRT is not among them: abort(3)
// would end without a text.
var faultSignals = []os.Signal{unix.SIGSEGV, unix.SIGBUS, unix.SIGFPE, unix.SIGILL}

// faults reports faults on threads of C, and then lets the process die of them as it would have.
func (p *Process) faults() {
	told := make(chan os.Signal, 1)
	signal.Notify(told, faultSignals...)
	defer signal.Stop(told)
	select {
	case s := <-told:
		p.foreignFault(s.(syscall.Signal), told)
	case <-p.done:
	}
}

// foreignFault is the end: a thread of C faulted, or somebody sent the signal. The report of the first is held until the process has died
// without a word; of the second the runtime tells itself, once the signal is sent again.
func (p *Process) foreignFault(s syscall.Signal, told chan<- os.Signal) {
	text := make([]byte, maxExplain)
	text = text[:runtime.Stack(text, true)]
	reason := unix.SignalName(s) + " on a thread of C"
	p.capture(&monitor.Capture{
		Class: bundle.ClassCgo, Reason: reason, How: "signal", At: time.Now(), Core: !p.cfg.NoCores, Held: true,
		Text: fmt.Appendf(nil, "%s\n\n%s", reason, text), Where: bundle.Where{Worker: noWorker},
	})
	p.flush(sourceLimit + CaptureLimit)
	signal.Stop(told)
	time.Sleep(faultPause)
	_ = unix.Kill(os.Getpid(), s) // still here: it was sent
}

// faultPause is how long a thread of C that faults again and again has to end the process.
const faultPause = 100 * time.Millisecond

// flush waits until the reports so far have been handed to the monitor.
func (p *Process) flush(limit time.Duration) {
	late := time.After(limit)
	for p.unfinished.Load() > 0 {
		select {
		case <-late:
			return
		case <-time.After(time.Millisecond):
		}
	}
}

// pauses keeps the deadman from killing a process that its terminal stops.
func (p *Process) pauses() {
	if _, err := unix.IoctlGetInt(int(os.Stdin.Fd()), unix.TIOCGPGRP); err != nil || signal.Ignored(unix.SIGTSTP) {
		return // no terminal, no job control
	}
	stop, goOn := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(stop, unix.SIGTSTP)
	signal.Notify(goOn, unix.SIGCONT)
	defer signal.Stop(stop)
	defer signal.Stop(goOn)
	for {
		select {
		case <-stop:
			p.hook.deadman.pause()
			_ = unix.Kill(os.Getpid(), unix.SIGSTOP)
		case <-goOn:
			p.hook.deadman.rearm()
		case <-p.done:
			return
		}
	}
}
