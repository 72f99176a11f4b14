package monitor

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
	"vitrine/crash/bundle"
	"vitrine/crash/probe"
	"vitrine/crash/snapshot"
)

// crashed deals with a server whose runtime has begun to tell of its death, and is blocked in that.
func (w *watcher) crashed() error {
	began := time.Now()
	w.release(false)
	snap, snapErr := w.take(snapshot.Options{Pipe: inode(w.pipe), Direct: true})
	stopped := time.Since(began)
	if snap != nil {
		defer snap.Release()
	}
	direct := snap != nil && snap.Child == 0
	r := newReport(w.setup, began)
	if direct {
		r.problem("core", errDirect)
		return w.crashedDirect(r, snap, began)
	}
	cwd := w.kernelCoreDir()
	r.problem("open the crash pipe", openPipe(fdWrite))
	j := w.begin(r, snap, began)
	j.stopped(stopped, snapErr)
	j.cwd = cwd // before the server went on: it may be dead by now
	j.listen()
	return j.conclude()
}

var errDirect = errors.New("the kernel refused a copy of the process: it was read while it stood still")

// crashedDirect is crashed without a copy: the core comes first, since the server must stand still for it.
func (w *watcher) crashedDirect(r *report, snap *picture, began time.Time) error {
	j := w.begin(r, snap, began)
	j.stopped(0, nil)
	j.coreNow(directLimit)
	r.problem("let the server go", snap.Release())
	r.meta.Timings.StopUS = time.Since(began).Microseconds()
	r.problem("open the crash pipe", openPipe(fdWrite))
	j.listen()
	return j.conclude()
}

// directLimit bounds the core of a server that stands still meanwhile.
const directLimit = 10 * time.Second

// take stops the server for a snapshot. The calling goroutine is locked to its thread until Release.
func (w *watcher) take(o snapshot.Options) (*picture, error) {
	if !w.setup.Cores {
		return nil, errors.New("cores are switched off")
	}
	// What is to be kept out of the core may change beside a living process: both what it was before and what it is after.
	before := w.excluded()
	snap, err := snapshot.Take(w.setup.Process.PID, o)
	if err != nil {
		return nil, err
	}
	return &picture{snap, append(before, w.excluded()...)}, nil
}

// picture is a snapshot and the ranges that its core must not hold.
type picture struct {
	*snapshot.Snapshot
	exclude []snapshot.Range
}

// gone deals with a server that ended without a word.
func (w *watcher) gone() error {
	began := time.Now()
	if w.release(true) {
		return nil // watch waits for it
	}
	r := newReport(w.setup, began)
	r.meta.Core.Why = nothingLeft
	j := w.begin(r, nil, began)
	j.killed = w.dead
	if exit := j.exit(); exit.Known && exit.Signal == "" && exit.Code == 0 {
		return j.discard()
	}
	return j.conclude()
}

// work is a job of a watcher, with or without a snapshot.
type work struct {
	*job
	w      *watcher
	snap   *picture // nil = none
	ended  bundle.Exit
	killed int64  // when the server was seen dead, by the monotonic clock
	cwd    string // of the server, where the kernel's core may be
}

// begin opens the bundle.
func (w *watcher) begin(r *report, snap *picture, began time.Time) *work {
	r.meta.Capabilities = w.latest().Capabilities
	r.cgroup = looks{cgroupStart: w.cgroup}
	j := &work{job: begin(w.setup, r, began, w.step), w: w, snap: snap, cwd: w.kernelCoreDir()}
	if snap != nil {
		j.core = func(out *bundle.Writer, maxBytes int64) { j.writeCore(out, maxBytes, WorkLimit/2) }
	}
	return j
}

// stopped notes how long the server stood still, and why there is no snapshot.
func (j *work) stopped(d time.Duration, err error) {
	t := &j.meta.Timings
	t.StopUS = d.Microseconds()
	if err != nil {
		j.meta.Core.Why = err.Error()
		return
	}
	times := &j.snap.Times
	t.SeizeUS, t.RegistersUS, t.ForkUS = times.Seize.Microseconds(), times.Registers.Microseconds(), times.Fork.Microseconds()
	j.meta.Core.Thread = j.snap.Thread
}

// listen takes what the dying server says until it is dead.
func (j *work) listen() {
	j.hear(j.w.readText())
	j.exit()
}

// readText reads the crash pipe until the server is dead.
func (w *watcher) readText() (text []byte, dropped int64) {
	heard, text := listenTo(w.setup.RunDir)
	defer heard.close()
	buf := make([]byte, 64<<10)
	unix.SetNonblock(w.pipe, true)
	deadline := time.Now().Add(DeathLimit)
	fds := []unix.PollFd{{Fd: int32(w.pipe), Events: unix.POLLIN}, {Fd: int32(w.pidfd), Events: unix.POLLIN}}
	for time.Now().Before(deadline) {
		if _, err := unix.Poll(fds, textPoll); err != nil && err != unix.EINTR {
			break
		}
		dead := fds[1].Revents != 0
		n, err := heard.receive(w.pipe, buf)
		if n > 0 {
			keep := min(n, max(MaxText-len(text), 0))
			text, dropped = append(text, buf[:keep]...), dropped+int64(n-keep)
			deadline = time.Now().Add(DeathLimit) // as long as it speaks it is dying
			w.step()
			if n < len(buf)/2 && !dead {
				time.Sleep(textPause)
			}
			continue
		}
		if dead || err == nil { // dead and the pipe is empty, or nobody can write any more
			break
		}
	}
	return text, dropped
}

// textPause lets some text come together: the runtime writes word by word, and to be woken for each costs more than the word.
const textPause = time.Millisecond

// textPoll is how often the reader of a silent pipe looks at the clock, in milliseconds.
const textPoll = 100

// exit learns how the server ended.
func (j *work) exit() bundle.Exit {
	e, err := j.ending()
	if j.killed == 0 {
		j.killed = monotonic()
	}
	j.problem("exit status", err)
	j.ended = bundle.Exit{Known: e.Known, Code: e.Code, CoreDumped: e.Core}
	if e.Signal != 0 {
		j.ended.Signal = unix.SignalName(e.Signal)
	}
	j.meta.Exit = &j.ended
	j.tellKernelCore()
	j.meta.Timings.DeadMS = time.Since(j.began).Milliseconds()
	j.step()
	return j.ended
}

// conclude decides what it was, and finishes the bundle.
func (j *work) conclude() error {
	d := death{text: j.text, dump: j.dump, exit: j.ended}
	j.throw(&d)
	d.oomKilled = j.lastLook().Diff(j.w.cgroup).OOMKilled()
	d.killer = j.setup.killer()
	if j.ended.Signal == "SIGKILL" {
		d.overdue = j.w.overdue(j.killed)
	}
	j.meta.Class, j.meta.Reason, j.meta.ReasonHow = d.classify()
	if d.overdue != "" && j.meta.ReasonHow != howDeadman {
		j.problem("the rest of what it had to say", errors.New(d.overdue))
	}
	return j.finish()
}

// lastLook looks at the server's control groups when it is dead.
func (j *work) lastLook() probe.CgroupInfo {
	j.cgroup[cgroupDeath] = j.w.cgroup.Again()
	return j.cgroup[cgroupDeath]
}

// throw finds the reason that the runtime tells on stderr alone.
func (j *work) throw(d *death) {
	if j.snap == nil || d.dump.Reason != "" {
		return
	}
	t, ok := d.dump.Throw()
	if !ok {
		return
	}
	text, how, err := j.snap.ThrowText(snapshot.Throw(t))
	if err != nil {
		j.problem("reason", err)
		return
	}
	d.throw, d.throwHow = "fatal error: "+text, how
}

// coreNow writes the core of a server that stands still.
func (j *work) coreNow(limit time.Duration) {
	j.core = nil
	if j.out != nil {
		j.writeCore(j.out, 0, limit)
	}
}

// writeCore writes core.zst, politely: the machine's games go on.
func (j *work) writeCore(out *bundle.Writer, maxBytes int64, limit time.Duration) {
	unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), lowPriority)
	c := &j.meta.Core
	f, err := out.Create(coreName)
	if err != nil {
		c.Why = err.Error()
		return
	}
	core, err := j.snap.WriteCore(f, snapshot.CoreOptions{
		Exclude: j.snap.exclude, MaxBytes: maxBytes, Deadline: limit, Step: func(int64) { j.step() },
	})
	err = errors.Join(err, f.Close())
	c.State, c.File, c.Bytes, c.Apparent, c.SHA256 = bundle.CoreWritten, coreName, core.Written, core.Apparent, core.SHA256
	if core.Cut {
		c.State = bundle.CoreCut
	}
	if err != nil {
		c.State, c.Why = bundle.CoreCut, err.Error()
	}
}

const (
	coreName    = "core.zst"
	lowPriority = 19
)

// excluded lists the ranges that no core may hold.
func (w *watcher) excluded() []snapshot.Range {
	state := w.box.State()
	if state == nil {
		return nil
	}
	ranges := make([]snapshot.Range, 0, len(state.Excluded))
	for _, r := range state.Excluded {
		ranges = append(ranges, snapshot.Range{Start: r.Addr, Size: r.Size})
	}
	return ranges
}

// inode returns the number by which /proc names a pipe.
func inode(fd int) uint64 {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return 0
	}
	return st.Ino
}
