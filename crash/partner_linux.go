package crash

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"vitrine/crash/monitor"
	"vitrine/crash/probe"
)

// roles are the monitors of a process, in the order of Process.monitors.
var roles = [...]string{monitor.RoleFirst, monitor.RoleReserve}

// The waits before a monitor that died is started again.
const (
	firstBackOff = 100 * time.Millisecond
	lastBackOff  = 30 * time.Second
)

// supervise keeps one monitor running until done, and then says farewell to it. m is one that runs, nil = none does yet.
func (p *Process) supervise(index int, m *partner) {
	role, backOff := roles[index], firstBackOff
	for ; ; m = nil {
		began := time.Now()
		var err error
		if m == nil {
			m, err = p.startPartner(role)
		}
		if err == nil {
			p.setPartner(index, m)
			err = p.converse(m)
			p.setPartner(index, nil)
		}
		select {
		case <-p.done:
			return
		default:
		}
		if time.Since(began) > lastBackOff {
			backOff = firstBackOff
		}
		p.tell(slog.LevelWarn, "crash monitor ended, another is started", "role", role, "error", problemOf(err), "wait_ms", backOff.Milliseconds())
		select {
		case <-p.done:
			return
		case <-time.After(backOff):
		}
		backOff = min(2*backOff, lastBackOff)
	}
}

func problemOf(err error) string {
	if err == nil {
		return "exit status 0"
	}
	return err.Error()
}

// startPartner starts a monitor and sends it the setup.
func (p *Process) startPartner(role string) (*partner, error) {
	ours, theirs, err := socketPair()
	if err != nil {
		return nil, err
	}
	defer theirs.Close()
	read, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", p.hook.write.Fd()), os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		ours.Close()
		return nil, fmt.Errorf("open crash pipe: %w", err)
	}
	defer read.Close()
	self, err := unix.PidfdOpen(os.Getpid(), 0)
	if err != nil {
		ours.Close()
		return nil, fmt.Errorf("open a descriptor of this process: %w", err)
	}
	pidfd := os.NewFile(uintptr(self), "this process")
	defer pidfd.Close()
	m := &partner{control: ours, conn: monitor.NewConn(ours), command: p.command(role, read, theirs, pidfd)}
	if err := m.command.Start(); err != nil {
		ours.Close()
		return nil, fmt.Errorf("start crash monitor: %w", err)
	}
	if role == monitor.RoleFirst {
		// With Yama only this one may trace us; where there is no Yama the call fails, and nothing is lost.
		_ = unix.Prctl(unix.PR_SET_PTRACER, uintptr(m.command.Process.Pid), 0, 0, 0)
	}
	setup := p.latest()
	if role == monitor.RoleReserve {
		setup.Peer = p.firstPID()
	}
	if err := m.send(&setup); err != nil {
		p.tell(slog.LevelWarn, "crash monitor got no setup", "error", err.Error())
	}
	return m, nil
}

// firstPID returns the process id of the first monitor, 0 while there is none.
func (p *Process) firstPID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if m := p.monitors[0]; m != nil {
		return m.command.Process.Pid
	}
	return 0
}

// command is a monitor's: this very program, whatever its file's name has become.
func (p *Process) command(role string, read, control, pidfd *os.File) *exec.Cmd {
	c := &exec.Cmd{
		Path: "/proc/self/exe", Args: []string{p.cfg.Name + "-crash-monitor"}, Dir: "/",
		Env:         append(environment(), monitor.Marker+"="+role),
		ExtraFiles:  []*os.File{read, p.hook.write, control, pidfd},
		SysProcAttr: &syscall.SysProcAttr{Setsid: true},
	}
	if f := p.errors(); f != nil {
		c.Stderr = f
	}
	return c
}

// passed are the variables that a monitor needs: how to reach the network, and where to look for certificates
// and libraries.
var passed = []string{
	"HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "TZ",
	"LD_LIBRARY_PATH",
}

func environment() []string {
	env := []string{"GOTRACEBACK=single", "GOMAXPROCS=2"}
	for _, name := range passed {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// maxErrors is the most bytes of what monitors said on standard error that are kept from run to run.
const maxErrors = 64 << 10

// errors opens the file that holds what monitors say on standard error, nil when there is none. Who calls it need not close it: the
// monitors of this process share it.
func (p *Process) errors() *os.File {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.hook.errors != nil {
		return p.hook.errors
	}
	path := filepath.Join(p.setup.Dir, "monitor.err")
	flags := os.O_CREATE | os.O_WRONLY | os.O_APPEND | unix.O_NOFOLLOW
	if info, err := os.Lstat(path); err == nil && info.Size() > maxErrors {
		flags |= os.O_TRUNC
	}
	if os.MkdirAll(p.setup.Dir, 0o700) != nil {
		return nil
	}
	f, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return nil
	}
	p.hook.errors = f
	return f
}

// socketPair returns two ends of a stream, ours for Go's poller.
func socketPair() (ours, theirs *os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("make control socket: %w", err)
	}
	if err := unix.SetNonblock(fds[0], true); err != nil {
		return nil, nil, errors.Join(fmt.Errorf("make control socket: %w", err), unix.Close(fds[0]), unix.Close(fds[1]))
	}
	return os.NewFile(uintptr(fds[0]), "control"), os.NewFile(uintptr(fds[1]), "control of the monitor"), nil
}

// setPartner publishes a monitor, and tells the other whom it stands beside.
func (p *Process) setPartner(index int, m *partner) {
	p.mu.Lock()
	p.monitors[index] = m
	first, reserve := p.monitors[0], p.monitors[1]
	p.mu.Unlock()
	if first != nil && reserve != nil {
		setup := p.latest()
		setup.Peer = first.command.Process.Pid
		_ = reserve.send(&setup) // one that does not read acts at once, which is right too
	}
}

// converse listens to a monitor until it ends or done does; then it says farewell. It returns how the monitor ended.
func (p *Process) converse(m *partner) error {
	heard := make(chan struct{})
	go func() { // ends with the socket, which this function or the monitor's end closes
		defer close(heard)
		p.hear(m)
	}()
	select {
	case <-heard:
	case <-p.done:
		_ = m.send(&monitor.End{}) // one that is gone needs no farewell
		select {
		case <-heard:
		case <-time.After(closeLimit):
			_ = m.command.Process.Kill()
		}
	}
	err := m.command.Wait()
	m.control.Close()
	<-heard
	return err
}

// closeLimit is how long Close waits for the reports that monitors are making.
const closeLimit = 20 * time.Second

// hear takes a monitor's messages until its socket closes.
func (p *Process) hear(m *partner) {
	for {
		message, err := m.conn.Receive()
		if err != nil {
			return
		}
		switch r := message.(type) {
		case *monitor.Ready:
			p.ready(r)
		case *monitor.Captured:
			p.openGate(r.ID, true)
		case *monitor.Explain:
			go func() { _ = m.send(p.explain(r.ID)) }() // ends with its limits; a monitor that is gone needs no answer
		case *monitor.Reap:
			var status unix.WaitStatus
			_, _ = unix.Wait4(r.PID, &status, unix.WNOHANG|unix.WALL, nil) // collected, or not there any more
		case *monitor.Done:
			p.finished(r)
		}
	}
}

// ready notes what a monitor can do. Who sees in Stats that ptrace was tried finds all set that follows from it. What was allowed once
// is not forbidden by a monitor that comes later and cannot: a debugger may have been there for a while, and the end of a crash is
// not changed for that.
func (p *Process) ready(r *monitor.Ready) {
	if r.Ptrace == "" {
		return
	}
	p.mu.Lock()
	before := p.ptrace
	if before != probe.Yes {
		p.can = p.cfg.aborting(p.can.Tested(r.Ptrace))
	}
	can := p.can
	p.mu.Unlock()
	p.setTraceback()
	p.share()
	p.mu.Lock()
	p.ptrace = r.Ptrace
	p.mu.Unlock()
	if before == "" {
		close(p.tried)
	}
	if r.Ptrace != probe.Yes && r.Ptrace != before {
		p.tell(slog.LevelWarn, "crash bundles will have no cores of ours", "ptrace", r.Ptrace, "kernel_core", can.Map()["kernel_core"])
	}
}

// share tells the monitors, and those that come after all are gone, what is known by now.
func (p *Process) share() {
	setup := p.latest()
	if setup.RunDir != "" {
		p.warn("setup of the monitors", setup.Save())
	}
	p.mu.Lock()
	monitors := p.monitors
	p.mu.Unlock()
	for _, m := range monitors {
		if m != nil {
			_ = m.send(&setup) // one that does not read is replaced
		}
	}
}
