package monitor

import (
	"bytes"
	"debug/buildinfo"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"vitrine/crash/blackbox"
	"vitrine/crash/bundle"
	"vitrine/crash/probe"
	"vitrine/crash/scrub"
	"vitrine/crash/snapshot"
)

// Dump makes a report of class live of a running process, without its monitors. The process stands still for the snapshot, some
// milliseconds, and goes on. A server whose crashes are captured is asked for its goroutines and sources, for ExplainLimit at most;
// it has a report without a core where no snapshot can be taken. What the report lacks is in Dumped.Problems. It lies in
// setup.Dir and is not sent. Any goroutine may call it; it blocks for as long as a core takes, WorkLimit at most.
func Dump(setup *Setup) (*Dumped, error) {
	s := *setup
	s.Cores, s.Limits = true, loose(s.Limits)
	w := &watcher{setup: &s}
	if box, err := blackbox.Open(s.Box); err == nil && s.Box != "" {
		w.box = box
		defer box.Close()
	}
	began := time.Now()
	snap, err := w.take(snapshot.Options{})
	if err != nil && s.RunDir == "" {
		return nil, fmt.Errorf("dump process %d: %w", s.Process.PID, err)
	}
	j := w.dump(snap, err, began)
	if err := errors.Join(j.keep(), j.letGo()); err != nil {
		return nil, fmt.Errorf("dump process %d: %w", s.Process.PID, err)
	}
	return &Dumped{
		ID: filepath.Base(j.path), Path: j.path, Stopped: j.standstill(), Core: j.meta.Core, Problems: j.problems,
	}, nil
}

// dump begins the bundle of a dump; snap is nil where err says why there is no snapshot.
func (w *watcher) dump(snap *picture, err error, began time.Time) *work {
	r := newReport(w.setup, began)
	r.meta.Class, r.meta.Reason, r.meta.Live = bundle.ClassLive, askedFor, true
	r.meta.Where.Worker = -1
	j := &work{job: begin(w.setup, r, began, func() {}), w: w, snap: snap}
	j.stopped(j.standstill(), err)
	j.fingerprint() // before there is a text: which goroutine ran while it was asked tells nothing
	if w.setup.RunDir != "" {
		j.askServer()
	}
	return j
}

// askServer adds what only the server knows: all goroutines, and its sources.
func (j *work) askServer() {
	s, err := ask(j.setup.RunDir)
	if err != nil {
		j.problem("crash.txt, goroutines.json and what the server says of itself", err)
		return
	}
	j.files = s.Files
	where := j.meta.Where
	j.hear(s.Text, 0)
	j.meta.Where, j.meta.Goroutine = where, 0 // of the one that answered
}

// letGo releases the snapshot.
func (j *work) letGo() error {
	if j.snap == nil {
		return nil
	}
	err := j.snap.Release()
	j.problem("the process keeps a zombie", j.snap.Reap())
	return err
}

// standstill is how long the process stood still for the snapshot.
func (j *work) standstill() time.Duration {
	if j.snap == nil {
		return 0
	}
	return j.snap.Times.Stopped
}

// keep finishes the bundle of a dump: as finish does, but it is not sent, since who asked for it reads it here, and a stranger has
// left nothing to fill it with.
func (j *work) keep() error {
	if j.out == nil || j.rescued() {
		return errors.Join(j.fails, errors.New(strings.Join(j.problems, "; ")))
	}
	defer j.store.Close()
	admission, err := j.store.Admit(j.meta.Class, j.fingerprint())
	j.problem("limits", err)
	j.meta.Before = admission.Before
	j.problem("name", j.out.Rename(j.meta.Class, j.meta.Fingerprint))
	if j.setup.RunDir != "" {
		j.fill(j.out)
	}
	switch {
	case j.snap == nil: // Why is said
	case admission.Core:
		j.writeCore(j.out, admission.CoreBytes, WorkLimit/2)
	default:
		j.meta.Core.Why = admission.Why
	}
	name, err := j.report.finish(j.out, j.began)
	if err != nil {
		return fmt.Errorf("finish: %w", err)
	}
	j.path = filepath.Join(j.store.Dir(), name)
	_, err = j.store.Prune()
	return err
}

// Discover returns the setup of a running process. A server whose crashes are captured has its own, in a run directory of
// this user, below /dev/shm or dir: known is true. Of any other process it is made of what /proc tells, and its bundles go to dir.
func Discover(pid int, dir string) (s *Setup, known bool, err error) {
	started, err := startOf(pid)
	if err != nil {
		return nil, false, fmt.Errorf("process %d: %w", pid, err)
	}
	for _, parent := range []string{sharedRuns(), filepath.Join(dir, "run")} {
		runs, _ := filepath.Glob(filepath.Join(parent, strconv.Itoa(pid)+"-*")) // the pattern is well formed but for what dir holds
		for _, run := range runs {
			if s, err := LoadSetup(run); err == nil && isOurs(run) && s.describes(pid, run, started) {
				return s, true, nil
			}
		}
	}
	s, err = stranger(pid, started)
	if err != nil {
		return nil, false, fmt.Errorf("process %d: %w", pid, err)
	}
	s.Dir = dir
	return s, false, nil
}

// sharedRuns is where run directories are when nobody says otherwise.
func sharedRuns() string {
	return filepath.Join("/dev/shm", "vitrine-crash-"+strconv.Itoa(os.Getuid()))
}

// isOurs tells whether a directory, and the one it is in, are this user's: another user's setup must not tell us what to read.
func isOurs(run string) bool {
	for _, dir := range []string{run, filepath.Dir(run)} {
		info, err := os.Lstat(dir)
		if err != nil || !info.IsDir() {
			return false
		}
		if st, ok := info.Sys().(*syscall.Stat_t); !ok || int(st.Uid) != os.Getuid() {
			return false
		}
	}
	return true
}

// describes tells whether a setup is of this process, and not of an earlier one with its number.
func (s *Setup) describes(pid int, run string, started time.Time) bool {
	return s.Process.PID == pid && s.RunDir == run && started.Before(s.Process.Started.Add(clockError))
}

// clockError is how much later than it was the kernel's count of ticks may put the start of a process.
const clockError = 2 * time.Second

// stranger makes the setup of a process that knows nothing of us.
func stranger(pid int, started time.Time) (*Setup, error) {
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	exe, err := os.Readlink(filepath.Join(proc, "exe"))
	if err != nil {
		return nil, err
	}
	s := &Setup{
		Process:    bundle.Process{PID: pid, Name: filepath.Base(exe), Args: argsOf(proc), Started: started},
		Executable: exe, Build: buildOf(filepath.Join(proc, "exe")), Capabilities: probe.Run().Map(),
	}
	return s, nil
}

// argsOf reads the arguments of a process, scrubbed.
func argsOf(proc string) []string {
	line, err := os.ReadFile(filepath.Join(proc, "cmdline"))
	if err != nil || len(line) == 0 {
		return nil
	}
	var args []string
	clean := scrub.New(scrub.Config{})
	for arg := range bytes.SplitSeq(bytes.TrimSuffix(line[:min(len(line), maxArgs)], []byte{0}), []byte{0}) {
		args = append(args, clean.Text(string(arg), maxReason))
	}
	return args
}

// maxArgs is the most of a stranger's arguments that is read, in bytes.
const maxArgs = 16 << 10

// buildOf tells what a program was built from, as far as it says so.
func buildOf(path string) bundle.Build {
	b := bundle.Build{ID: probe.BuildID(path), OS: "linux"}
	info, err := buildinfo.ReadFile(path)
	if err != nil {
		return b // no program of Go
	}
	b.Go, b.Module, b.Version = info.GoVersion, info.Main.Path, info.Main.Version
	for _, setting := range info.Settings {
		switch setting.Key {
		case "vcs.revision":
			b.Revision = setting.Value
		case "vcs.modified":
			b.Modified = setting.Value == "true"
		case "GOARCH":
			b.Arch = setting.Value
		}
	}
	return b
}

// startOf tells when a process started, as precisely as the kernel's ticks are.
func startOf(pid int) (time.Time, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return time.Time{}, err
	}
	_, rest, _ := bytes.Cut(stat[max(0, bytes.LastIndexByte(stat, ')')):], []byte(" "))
	fields := bytes.Fields(rest)
	if len(fields) < startField {
		return time.Time{}, errors.New("its stat is too short")
	}
	ticks, err := strconv.ParseInt(string(fields[startField-1]), 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("start: %w", err)
	}
	var up syscall.Sysinfo_t
	if err := syscall.Sysinfo(&up); err != nil {
		return time.Time{}, fmt.Errorf("uptime: %w", err)
	}
	boot := time.Now().Add(-time.Duration(up.Uptime) * time.Second)
	return boot.Add(time.Duration(ticks) * time.Second / ticksPerSecond), nil
}

const (
	startField     = 20 // of /proc/PID/stat, counted from the state, which follows the name
	ticksPerSecond = 100
)
