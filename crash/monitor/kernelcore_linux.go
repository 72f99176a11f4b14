package monitor

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"time"

	"vitrine/crash/probe"
)

// KernelCoreLimit is how long the kernel may take to write its own core of a server; the deadman may end that before.
const KernelCoreLimit = 60 * time.Second

// latest is the setup as the server has told it last.
func (w *watcher) latest() *Setup {
	if s := w.learned.Load(); s != nil {
		return s
	}
	return w.setup
}

// learn notes what the self-test of ptrace has found, which the server will answer with what follows from it.
func (w *watcher) learn(result string) {
	s := *w.setup
	s.Capabilities = maps.Clone(s.Capabilities)
	if s.Capabilities != nil {
		s.Capabilities["ptrace"] = probe.Verdict(result)
	}
	w.learned.Store(&s)
}

// kernelCoreDir is the working directory of a server whose core the kernel may write, while it can be told; else "".
func (w *watcher) kernelCoreDir() string {
	if w.setup.KernelCore == "" {
		return ""
	}
	dir, err := os.Readlink(fmt.Sprintf("/proc/%d/cwd", w.setup.Process.PID))
	if err != nil {
		return ""
	}
	return dir
}

// ending waits for the server's end, which the kernel's core may hold up.
func (j *work) ending() (probe.ExitInfo, error) {
	limit := DeathLimit
	if j.w.setup.KernelCore != "" && j.snap == nil {
		limit = KernelCoreLimit
	}
	for late := time.Now().Add(limit); ; j.step() {
		e, err := probe.Exit(j.w.pidfd, DeathLimit)
		if !errors.Is(err, probe.ErrRunning) || time.Now().After(late) {
			return e, err
		}
	}
}

// tellKernelCore says where the kernel's core is, or that it wrote none though ours could not be had and the death was one for which it
// does.
func (j *work) tellKernelCore() {
	path, why := j.w.setup.KernelCore, &j.meta.Core.Why
	if path == "" || !j.ended.CoreDumped && (*why == "" || j.ended.Signal != "SIGABRT") {
		return
	}
	if !filepath.IsAbs(path) && path[0] != '|' && path[0] != '@' {
		path = filepath.Join(j.cwd, path)
	}
	if *why != "" {
		*why += "; "
	}
	if j.ended.CoreDumped {
		*why += "the kernel wrote its own to " + path
	} else {
		*why += "the kernel did not write its own to " + path
	}
}
