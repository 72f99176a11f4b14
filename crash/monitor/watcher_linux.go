package monitor

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"vitrine/crash/blackbox"
	"vitrine/crash/probe"
	"vitrine/crash/snapshot"
)

// watcher is a monitor beside its server.
type watcher struct {
	role   string // fixed
	conn   *Conn  // fixed
	setup  *Setup // fixed after the first frame
	peer   peer
	pipe   int // the crash pipe's reading end; fixed
	pidfd  int // of the server; fixed
	box    *blackbox.Box
	inUse  io.Closer        // says that the run directory is in use; fixed
	cgroup probe.CgroupInfo // at the start; fixed
	dead   int64            // when the server was seen dead or speaking, by the monotonic clock; of watch

	learned  atomic.Pointer[Setup] // the last frame of it, for what is known late; nil = the first is the last
	acting   atomic.Bool           // the server is dying or dead: watch deals with that
	ended    atomic.Bool           // the server said that it ends in good order
	silent   chan struct{}         // closed when the control socket is: nothing more will come
	captures sync.WaitGroup        // live reports being made
	slots    chan struct{}         // one taken per live report

	quiet   chan struct{} // closed by hush
	hushing sync.Once     // closes quiet
	leaving sync.Once     // the farewell

	mu      sync.Mutex
	waiting map[uint64]chan *Sources // captures that wait for the server's part; guarded by mu
	held    *held                    // the report that waits for the death; guarded by mu
}

// serve runs a role to its end.
func serve(role string) error {
	if role == RoleText {
		return serveText(os.Stdin)
	}
	signal.Ignore(syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGPIPE)
	closeInherited()
	if err := stayAwake(); err != nil {
		fmt.Fprintln(os.Stderr, "crash monitor:", err) // the reserve and the deadman timer are left
	}
	w, err := newWatcher(role)
	if err != nil {
		return err
	}
	ready := Ready{PID: os.Getpid()}
	if role == RoleFirst { // two at once would be in each other's way, and where Yama rules only the first may
		ready.Ptrace = w.ptrace()
		w.learn(ready.Ptrace)
	}
	go w.listen() // ends with the control socket, which the server's end closes
	w.tell(&ready)
	if role == RoleFirst {
		go w.carry()      // ends with quiet, or UploadLimit later
		go w.watchLoops() // ends with the process
	}
	return w.watch()
}

// newWatcher takes over the descriptors and waits for the server's setup.
func newWatcher(role string) (*watcher, error) {
	if err := unix.SetNonblock(fdControl, true); err != nil {
		return nil, fmt.Errorf("control socket: %w", err)
	}
	control := os.NewFile(fdControl, "control")
	w := &watcher{
		role: role, conn: NewConn(control), pipe: fdRead, pidfd: fdServer, silent: make(chan struct{}), quiet: make(chan struct{}),
		slots: make(chan struct{}, MaxCaptures), waiting: map[uint64]chan *Sources{},
	}
	control.SetReadDeadline(time.Now().Add(setupLimit))
	first, err := w.conn.Receive()
	if err != nil {
		return nil, fmt.Errorf("receive setup: %w", err)
	}
	control.SetReadDeadline(time.Time{})
	setup, ok := first.(*Setup)
	if !ok {
		return nil, fmt.Errorf("receive setup: %w: %T", errFrame, first)
	}
	w.setup = setup
	if w.inUse, err = HoldRun(setup.RunDir); err != nil {
		return nil, err
	}
	w.peer.meet(setup.Peer)
	w.cgroup = probe.Cgroup(setup.Process.PID)
	setup.keepCgroup(w.cgroup)
	if w.box, err = blackbox.Open(setup.Box); err != nil {
		w.box = nil // nothing is counted then, and the reserve acts at once
	}
	return w, nil
}

// closeInherited closes the descriptors that the server got from its own parent, such as the lock of a supervisor or a listening
// socket, which must not outlive it.
func closeInherited() {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return
	}
	for _, e := range entries {
		fd, err := strconv.Atoi(e.Name())
		if err != nil || fd <= fdServer {
			continue
		}
		target, err := os.Readlink("/proc/self/fd/" + e.Name())
		if err == nil && !strings.HasPrefix(target, "anon_inode:[event") { // the runtime's own
			unix.Close(fd)
		}
	}
}

// setupLimit is how long a monitor waits for its first frame.
const setupLimit = 10 * time.Second

// ptraceTries is how often a server is asked to stop that does not: it, or this process, may have had no processor for a while.
const ptraceTries = 3

// ptrace tries whether the server may be stopped.
func (w *watcher) ptrace() string {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var err error
	for range ptraceTries {
		if err = snapshot.SelfTest(w.setup.Process.PID); err == nil {
			return "yes"
		}
		if errors.Is(err, unix.EPERM) {
			break
		}
	}
	return err.Error()
}

// carry deals with what monitors before left behind, and then sends what waits to be sent as long as the server lives. The first
// monitor alone does: what the reserve could not send is found by the first that is started in place of one that died.
func (w *watcher) carry() {
	if err := w.setup.flush(); err != nil {
		fmt.Fprintln(os.Stderr, "crash monitor:", err)
	}
	w.tidy()
	(&courier{setup: w.setup}).run(w.quiet)
}

// hush has nothing more sent of what waits: the server is dying, or ends.
func (w *watcher) hush() { w.hushing.Do(func() { close(w.quiet) }) }

// tidy finishes what monitors before left behind, and makes the run's first attempt to send what waits.
func (w *watcher) tidy() {
	store, err := w.setup.store()
	if err != nil {
		fmt.Fprintln(os.Stderr, "crash monitor:", err)
		return
	}
	defer store.Close()
	store.Recover(alive)
	if err := errors.Join(w.setup.bringHome(), w.setup.orphans()); err != nil {
		fmt.Fprintln(os.Stderr, "crash monitor:", err)
	}
	w.setup.send(nil, "")
}

func alive(pid int) bool { return syscall.Kill(pid, 0) != syscall.ESRCH }

// step counts progress, which the reserve watches.
func (w *watcher) step() {
	if w.role == RoleFirst {
		w.box.Step(0)
		return
	}
	w.box.Step(1)
}

// tell sends the server a message. A server that is gone or does not read does not matter here.
func (w *watcher) tell(message any) { _ = w.conn.Send(message) }

// listen takes the server's frames until the socket closes.
func (w *watcher) listen() {
	defer close(w.silent)
	for {
		message, err := w.conn.Receive()
		if err != nil {
			go w.hungUp() // ends with the process, or when it sees that the server is dying
			return
		}
		switch m := message.(type) {
		case *Capture:
			w.captures.Add(1)
			go w.capture(m, w.expect(m)) // ends with WorkLimit at the latest; watch waits for it
		case *Sources:
			w.deliver(m)
		case *End:
			w.ended.Store(true)
			w.hush()
			go w.leave() // ends with the process
		case *Setup:
			w.peer.meet(m.Peer)
			w.learned.Store(m)
		}
	}
}

// hungUp ends the monitor of a server that lives and no longer speaks to it: it has given the monitor up, or is another program by
// now.
func (w *watcher) hungUp() {
	if ended(w.pidfd, hangUpWait) || w.acting.Load() {
		return // watch deals with the death
	}
	w.settle()
	w.inUse.Close()
	if hold, err := takeRun(w.setup.RunDir); err == nil && hold != nil {
		_ = os.RemoveAll(w.setup.RunDir) // nobody will ask for it
	}
	os.Exit(0)
}

// hangUpWait is how long a server may take to die after its control socket has closed.
const hangUpWait = time.Second

// leave ends the monitor of a server that ends in good order.
func (w *watcher) leave() {
	w.farewell()
	os.Exit(0)
}

// farewell returns once the server's last reports are written and, by the first monitor, tried to be sent once more.
func (w *watcher) farewell() {
	w.settle()
	if w.role == RoleFirst {
		w.leaving.Do(w.setup.farewell)
	}
}

// watch waits for the server's end and deals with it.
func (w *watcher) watch() error {
	runtime.LockOSThread() // whoever stops a process must let it go
	spoke, err := w.waitForEnd()
	w.dead = monotonic()
	w.acting.Store(true)
	w.hush()
	if err != nil {
		return err
	}
	if !spoke {
		waitFor(w.silent, time.Second)
	}
	if w.ended.Load() {
		w.farewell()
		return nil
	}
	if w.role == RoleReserve && !w.standBy() {
		return nil
	}
	guard := time.AfterFunc(WorkLimit, func() { os.Exit(3) })
	defer guard.Stop()
	err = unlessHeldBack(w.act(spoke))
	w.settle()
	if err == nil {
		err = os.RemoveAll(w.setup.RunDir)
	}
	return err
}

// act deals with a death, or with what is left of that when the first monitor died over it.
func (w *watcher) act(spoke bool) error {
	if path := w.setup.progress().Path; path != "" {
		return w.setup.follow(path)
	}
	if spoke || w.setup.heard() {
		return w.crashed()
	}
	return w.gone()
}

// settle waits for the live reports that are being made.
func (w *watcher) settle() {
	done := make(chan struct{})
	go func() { w.captures.Wait(); close(done) }() // ends with the last report
	waitFor(done, WorkLimit)
}

func waitFor(done <-chan struct{}, limit time.Duration) {
	select {
	case <-done:
	case <-time.After(limit):
	}
}

// waitForEnd returns when the crash pipe holds text, true, or the server has ended without any.
func (w *watcher) waitForEnd() (spoke bool, err error) {
	fds := []unix.PollFd{{Fd: int32(w.pipe), Events: unix.POLLIN}, {Fd: int32(w.pidfd), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(fds, -1)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return false, fmt.Errorf("wait for the server's end: %w", err)
		case fds[0].Revents&unix.POLLIN != 0:
			return true, nil
		case fds[1].Revents != 0:
			return false, nil
		}
		fds[0].Fd = -1 // the pipe has an error and nothing to say: the server's end remains
	}
}

// standBy watches the first monitor at work and answers whether the reserve must act in its place: when it is dead without
// having done the work, or makes no progress. The reserve then ends it.
func (w *watcher) standBy() bool {
	steps, since := w.box.Steps(0), time.Now()
	for time.Since(since) < w.peer.patience() {
		if w.peer.ended(standbyPoll) {
			return !w.cleared()
		}
		if w.cleared() || w.setup.progress().Path != "" { // with a bundle it may send for as long as that takes
			return false
		}
		if now := w.box.Steps(0); now != steps {
			steps, since = now, time.Now()
		}
	}
	w.peer.end()
	return true
}

// standbyPoll is how often the reserve looks at the first's progress.
const standbyPoll = 20 * time.Millisecond

// cleared tells whether the first monitor has ended its work.
func (w *watcher) cleared() bool {
	_, err := os.Stat(w.setup.RunDir)
	return err != nil // the monitor that has done the work removes it
}

// openPipe lets the dying server write on: the pipe becomes large and an ordinary stream, and the monitor's own writing end
// goes away.
func openPipe(write int) error {
	_, err := unix.FcntlInt(uintptr(write), unix.F_SETPIPE_SZ, openPipeBytes)
	flags, flagErr := unix.FcntlInt(uintptr(write), unix.F_GETFL, 0)
	if flagErr == nil {
		_, flagErr = unix.FcntlInt(uintptr(write), unix.F_SETFL, flags&^unix.O_DIRECT)
	}
	if err == nil {
		err = flagErr
	}
	unix.Close(write)
	if err != nil {
		return fmt.Errorf("open the crash pipe: %w", err)
	}
	return nil
}

const openPipeBytes = 1 << 20
