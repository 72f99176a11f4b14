package monitor

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
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

// dumping are the signals for which the kernel writes a core.
var dumping = []string{
	"SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGQUIT", "SIGSEGV", "SIGSYS", "SIGTRAP", "SIGXCPU", "SIGXFSZ",
}

// tellKernelCore says where the kernel's core is, or that it wrote none though ours could not be had and the death was one for which it
// does.
func (j *work) tellKernelCore() {
	s, why := j.w.setup, &j.meta.Core.Why
	if s.KernelCore == "" || !slices.Contains(dumping, j.ended.Signal) {
		return
	}
	path, known := kernelCorePath(s.KernelCore, j.cwd, s.Process.PID)
	if known && writtenSince(path, j.began) {
		j.ended.CoreDumped = true // the status does not tell it when another thread than the first was the one that died
	}
	switch {
	case j.ended.CoreDumped:
		*why = joined(*why, "the kernel wrote its own to "+path)
	case *why == "" || j.ended.Signal != "SIGABRT":
	case known:
		*why = joined(*why, "the kernel did not write its own to "+path)
	default:
		*why = joined(*why, "the kernel's own goes to "+path+", and nobody tells whether it was written")
	}
}

func joined(before, text string) string {
	if before == "" {
		return text
	}
	return before + "; " + text
}

// kernelCorePath is where a core_pattern leads, as far as it can be told; known says that it is a file with that name.
func kernelCorePath(pattern, cwd string, pid int) (path string, known bool) {
	if pattern[0] == '|' || pattern[0] == '@' {
		return pattern, false
	}
	path = strings.NewReplacer("%%", "%", "%p", strconv.Itoa(pid)).Replace(pattern)
	known = !strings.Contains(strings.ReplaceAll(strings.ReplaceAll(pattern, "%%", ""), "%p", ""), "%")
	if !filepath.IsAbs(path) {
		known = known && cwd != ""
		path = filepath.Join(cwd, path)
	}
	return path, known
}

// writtenSince tells whether a file was written after a moment.
func writtenSince(path string, began time.Time) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular() && info.Size() > 0 && !info.ModTime().Before(began.Add(-clockTick))
}

// clockTick is how far the times of files lag behind the clock.
const clockTick = 20 * time.Millisecond
