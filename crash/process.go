package crash

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"vitrine/crash/blackbox"
	"vitrine/crash/bundle"
	"vitrine/crash/monitor"
	"vitrine/crash/probe"
	"vitrine/crash/scrub"
)

// current is the process's one Process, since it has one crash output; nil = none.
var current atomic.Pointer[Process]

// ErrStarted is Start's answer when the process has a Process already.
var ErrStarted = errors.New("crash capture is on already")

// Process is the capture of this process's crashes. Its methods may be called from any goroutine, and on a nil Process,
// where they do nothing.
type Process struct {
	cfg     Config        // fixed
	setup   monitor.Setup // fixed
	box     *blackbox.Box // fixed; nil when it could not be made
	hold    io.Closer     // fixed: says that the run directory is in use; nil when it does not
	restore func()        // takes back what Start changed of the runtime
	tried   chan struct{} // closed when it is known whether ptrace works, or will not be known

	panics   atomic.Uint64 // reported to Panicked
	heldBack atomic.Uint64 // of these
	bundles  atomic.Uint64 // written of this process
	lost     atomic.Uint64 // reports that found no monitor and no room
	moved    atomic.Uint64 // huge pages that memory was moved to
	kinds    kinds

	ids      atomic.Uint64
	mu       sync.Mutex
	waiting  map[uint64]gate     // of the captures that wait for the monitor; guarded by mu
	adopted  map[uint64]*partner // the monitor that has a capture's first part; guarded by mu
	monitors [2]*partner         // first and reserve; an entry is nil while there is none; guarded by mu
	ptrace   string              // what the monitor found; guarded by mu
	can      probe.Capabilities  // with that; guarded by mu

	levels sync.Mutex // held while the level of tracebacks is chosen and set

	reports    chan *monitor.Capture // to the reporter; at most maxReports
	unfinished atomic.Int64          // reports whose second part has not been handed on
	closing    chan struct{}         // closed first by Close: the reporter ends
	done       chan struct{}         // closed then: all others end
	reporting  sync.WaitGroup        // the reporter
	running    sync.WaitGroup        // all others
	hook       hook                  // what is the platform's
}

// maxReports is how many reports of a living process wait for what only it knows.
const maxReports = 16

// ServeMonitor makes this process a crash monitor, and does not return, if it was started as one. Otherwise it does
// nothing. A program that cannot call [Start] first in main calls this first.
func ServeMonitor() {
	if role, ok := os.LookupEnv(monitor.Marker); ok {
		monitor.Serve(role)
	}
}

// Start begins the capture of this process's crashes. In a process that was started as a monitor it does not return. The error says
// what is wrong with the configuration, or ErrStarted; what the machine does not have is no error but told by Config.Notify, and
// the capture goes on with the rest. Close ends it.
func Start(cfg Config) (*Process, error) {
	ServeMonitor()
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("crash: %w", err)
	}
	p := &Process{
		cfg: cfg, can: cfg.aborting(probe.Run()), tried: make(chan struct{}), kinds: kinds{every: cfg.PanicEvery, hourly: cfg.Limits.BundlesPerHour}, waiting: map[uint64]gate{},
		adopted: map[uint64]*partner{}, reports: make(chan *monitor.Capture, maxReports), closing: make(chan struct{}), done: make(chan struct{}),
	}
	if !current.CompareAndSwap(nil, p) {
		return nil, fmt.Errorf("crash: %w", ErrStarted)
	}
	p.prepare()
	p.tune()
	p.reporting.Go(p.describe) // ends with closing
	p.arm()
	p.running.Go(p.announce) // ends with closing, or before
	return p, nil
}

// announceLimit is how long the line of the start waits for what a monitor finds out.
const announceLimit = 5 * time.Second

// announce logs the line of the start, once a monitor has tried ptrace.
func (p *Process) announce() {
	late := time.NewTimer(announceLimit)
	defer late.Stop()
	select {
	case <-p.tried:
	case <-late.C:
	case <-p.closing:
	}
	can := p.Capabilities()
	p.tell(slog.LevelInfo, "crash capture is on", append([]any{"dir", p.setup.Dir}, can.Line()...)...)
}

// prepare makes what the monitors are given.
func (p *Process) prepare() {
	dir, err := filepath.Abs(p.cfg.Dir)
	p.warn("directory of crash bundles", err)
	s := scrub.New(p.cfg.Scrub)
	started := time.Now()
	program, err := os.Executable()
	p.warn("path of the program", err)
	p.setup = monitor.Setup{
		Process: bundle.Process{PID: os.Getpid(), Name: p.cfg.Name, Args: s.Args(os.Args), Started: started},
		Build:   readBuild(), Boot: p.cfg.Boot, Executable: program, Dir: dir, Limits: p.cfg.Limits, Scrub: p.cfg.Scrub,
		Sentry: p.cfg.Sentry, Files: p.cfg.Files, Static: map[string][]byte{}, Stall: max(p.cfg.Stall, 0),
		KillStall: p.cfg.KillStalled, Cores: !p.cfg.NoCores, Capabilities: p.can.Map(), KernelCore: p.kernelCore(),
	}
	for name, data := range p.cfg.Static {
		p.setup.Static[name] = data
	}
	if env, err := json.Marshal(s.Env(os.Environ())); err == nil {
		p.setup.Static["env.json"] = env
	}
	p.prepareBox(started)
}

// prepareBox makes the directory that outlives the process, and the black box in it.
func (p *Process) prepareBox(started time.Time) {
	run, err := makeRunDir(p.cfg.RunDir, p.setup.Dir)
	p.warn("directory of the black box", err)
	if err != nil {
		return
	}
	p.setup.RunDir, p.setup.Box = run, filepath.Join(run, monitor.BoxName)
	p.box, err = blackbox.Create(p.setup.Box, blackbox.Header{
		Started: started, Boot: p.cfg.Boot, Build: cut(p.setup.Build.Revision, blackbox.MaxBuild), Name: cut(p.cfg.Name, blackbox.MaxName),
	})
	p.warn("black box", err)
	p.warn("setup of the monitors", p.setup.Save())
	p.hold, err = monitor.HoldRun(run)
	p.warn("lock of the run directory", err)
}

func cut(s string, most int) string { return s[:min(len(s), most)] }

// warn says what will be missing, and why.
func (p *Process) warn(what string, err error) {
	if err != nil {
		p.tell(slog.LevelWarn, "crash capture lacks a part", "part", what, "error", err.Error())
	}
}

// tune sets the runtime's limits.
func (p *Process) tune() {
	unlabel := labelTracebacks()
	p.restore = unlabel
	if p.cfg.MaxStack > 0 {
		before := debug.SetMaxStack(p.cfg.MaxStack)
		p.restore = func() { debug.SetMaxStack(before); unlabel() }
	}
}

// Close ends the capture: what happens to the process from now on is its own affair. It waits for the reports that are being made,
// at most closeLimit, and gives back what Start took. Closing again does nothing.
func (p *Process) Close() {
	if p == nil || !current.CompareAndSwap(p, nil) {
		return
	}
	close(p.closing)
	p.reporting.Wait()
	close(p.done)
	p.running.Wait()
	p.disarm()
	p.restore()
	p.warn("black box", p.box.Close())
	if p.setup.RunDir != "" {
		p.warn("directory of the black box", os.RemoveAll(p.setup.RunDir))
	}
	if p.hold != nil {
		p.hold.Close()
	}
}

// RunDir is a directory of this process alone, on memory that outlives it where there is such: files *.flight that recorders of
// core/flight make there are in every bundle. "" when there is none. The monitor removes it when the process has ended.
func (p *Process) RunDir() string {
	if p == nil {
		return ""
	}
	return p.setup.RunDir
}

// Loop enters a worker or frame loop, named server/number, whose turns the watchdog watches. The Beat belongs to the loop's
// goroutine; it is nil, and works, where there is no black box or no room in it.
func (p *Process) Loop(name string) *blackbox.Beat {
	if p == nil {
		return nil
	}
	beat, err := p.box.Loop(name)
	p.warn("heartbeat of "+name, err)
	return beat
}

// Note keeps a line for the bundles to come: the last 64 are in them. It is cheap and blocks for nothing.
func (p *Process) Note(line string) {
	if p != nil {
		p.box.Note(line)
	}
}

// Exclude keeps memory out of cores, such as a key, under a number of the caller's; a later call with this number takes its
// place, Include ends it. The memory must not move, which Go's heap does not. It returns whether there was room.
func (p *Process) Exclude(number uint64, addr, size uintptr) bool {
	return p != nil && p.box.Exclude(number, addr, size)
}

// Include ends an Exclude.
func (p *Process) Include(number uint64) {
	if p != nil {
		p.box.Include(number)
	}
}

// Stats are the figures of a Process.
type Stats struct {
	Panics   uint64 // caught
	HeldBack uint64 // of these not reported: another of their kind was, within the minute
	Bundles  uint64 // written of this process while it lives
	Lost     uint64 // reports that could not be made
	Moved    uint64 // huge pages, 2 MiB each, that memory was moved to
	Monitors int    // that run; 2 when all is well, 0 where there are none
	Ptrace   string // "yes" when cores can be taken, else why not; "" until a monitor has tried
}

// Stats returns the figures.
func (p *Process) Stats() Stats {
	if p == nil {
		return Stats{}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	s := Stats{
		Panics: p.panics.Load(), HeldBack: p.heldBack.Load(), Bundles: p.bundles.Load(), Lost: p.lost.Load(), Moved: p.moved.Load(),
		Ptrace: p.ptrace,
	}
	for _, m := range p.monitors {
		if m != nil {
			s.Monitors++
		}
	}
	return s
}

// MonitorPIDs returns the process ids of the monitors that run, the first one first.
func (p *Process) MonitorPIDs() []int {
	if p == nil {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var pids []int
	for _, m := range p.monitors {
		if m != nil {
			pids = append(pids, m.command.Process.Pid)
		}
	}
	return pids
}

// Capabilities tells what this machine lets us do. Of ptrace it is what /proc makes one believe until a monitor has tried it, some
// milliseconds after Start, and whether it worked from then on.
func (p *Process) Capabilities() probe.Capabilities {
	if p == nil {
		return probe.Capabilities{}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.can
}

// kernelCore is where the kernel writes its core of this process when ours cannot be had; "" when it writes none.
func (p *Process) kernelCore() string {
	can := p.Capabilities()
	file := can.CoreKind == probe.CoreFile || can.CoreKind == probe.CoreAbsolute
	switch {
	case !can.KernelCore() || p.cfg.NoCores || p.cfg.NoKernelCore:
		return ""
	case file && can.CoreUsesPID && !strings.Contains(can.CorePattern, "%p"):
		return can.CorePattern + "." + strconv.Itoa(os.Getpid())
	}
	return can.CorePattern
}

// latest is the setup with what is known by now.
func (p *Process) latest() monitor.Setup {
	s := p.setup
	s.Capabilities = p.Capabilities().Map()
	return s
}

// Dir returns the directory of the bundles, absolute.
func (p *Process) Dir() string {
	if p == nil {
		return ""
	}
	return p.setup.Dir
}

// programName returns the name of the program's file.
func programName() string {
	if len(os.Args) == 0 || os.Args[0] == "" {
		return "program"
	}
	return filepath.Base(os.Args[0])
}

// readBuild tells what the program was built from, as far as it knows.
func readBuild() bundle.Build {
	b := bundle.Build{ID: buildID(), Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Module, b.Version = info.Main.Path, info.Main.Version
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}
