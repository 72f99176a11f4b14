package crash

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// hook is what the process holds of its crash output.
type hook struct {
	write   *os.File // the crash pipe's writing end; nil when there is none
	deadman *deadman // nil when there is none

	errors *os.File // of the monitors; guarded by Process.mu

	mu    sync.Mutex
	taken int // descriptor that the runtime made of it, -1 when it was not found; guarded by mu
}

// arm takes the crash output and starts all that watches. A crash in the moment after is explained too: the first monitor has
// all that it needs before the runtime speaks into its pipe.
func (p *Process) arm() {
	if err := p.makePipe(); err != nil {
		p.warn("crash output", err)
		close(p.tried)
		return
	}
	p.armDeadman()
	p.setTraceback()
	first, err := p.startPartner(roles[0])
	p.warn("crash monitor", err)
	p.setPartner(0, first)
	p.warn("crash output", p.takeOutput())
	p.running.Go(func() { p.supervise(0, first) }) // ends with done
	p.running.Go(func() { p.supervise(1, nil) })   // ends with done
	p.running.Go(p.tick)                           // ends with done
	p.running.Go(p.faults)                         // ends with done
	p.listen()
	if !p.cfg.NoCores && !p.cfg.SmallPages {
		p.running.Go(p.compact) // ends with done
	}
	if p.hook.deadman != nil {
		p.running.Go(p.rearm)  // ends with closing
		p.running.Go(p.pauses) // ends with done
	}
}

// armDeadman sets the timer that ends the process if nothing else can, unless a debugger is at work.
func (p *Process) armDeadman() {
	if p.cfg.Deadman <= 0 || p.can.Tracer > 0 {
		return
	}
	var err error
	p.hook.deadman, err = newDeadman(p.cfg.Deadman, p.box)
	p.warn("deadman timer", err)
	p.hook.deadman.rearm()
}

// rearm sets the timer again and again, and does nothing else: what the program gave us to call cannot hold it up. Close may wait
// for longer than the timer would.
func (p *Process) rearm() {
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	defer p.hook.deadman.pause()
	for {
		select {
		case <-ticker.C:
			p.hook.deadman.rearm()
		case <-p.closing:
			return
		}
	}
}

// makePipe makes the pipe of one packet.
func (p *Process) makePipe() error {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_DIRECT); err != nil {
		return fmt.Errorf("make crash pipe: %w", err)
	}
	unix.Close(fds[0]) // monitors open it again: with a reading end here, a crash without monitors would wait for itself
	if _, err := unix.FcntlInt(uintptr(fds[1]), unix.F_SETPIPE_SZ, os.Getpagesize()); err != nil {
		unix.Close(fds[1])
		return fmt.Errorf("make crash pipe small: %w", err)
	}
	p.hook.write = os.NewFile(uintptr(fds[1]), "crash pipe")
	return nil
}

// takeOutput makes the pipe the runtime's crash output, and finds the descriptor that the runtime keeps.
func (p *Process) takeOutput() error {
	h := &p.hook
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := debug.SetCrashOutput(h.write, debug.CrashOptions{}); err != nil {
		return fmt.Errorf("set crash output: %w", err)
	}
	h.taken = h.find()
	return nil
}

// find returns the descriptor of the pipe's writing end that is not ours, -1 when there is none. The caller holds mu.
func (h *hook) find() int {
	own := int(h.write.Fd())
	pipe := inodeOf(own)
	for _, fd := range descriptors() {
		if fd == own || inodeOf(fd) != pipe {
			continue
		}
		if mode, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0); err == nil && mode&unix.O_ACCMODE == unix.O_WRONLY {
			return fd
		}
	}
	return -1
}

// displaced tells whether the runtime's crash output is no longer ours.
func (h *hook) displaced() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.taken >= 0 && inodeOf(h.taken) != inodeOf(int(h.write.Fd()))
}

// descriptors lists the open descriptors of this process.
func descriptors() (open []int) {
	entries, _ := os.ReadDir("/proc/self/fd") // without /proc there is nothing to find
	for _, e := range entries {
		if fd, err := strconv.Atoi(e.Name()); err == nil {
			open = append(open, fd)
		}
	}
	return open
}

// inodeOf returns the number of the file behind a descriptor, 0 when there is none.
func inodeOf(fd int) uint64 {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return 0
	}
	return st.Ino
}

// disarm gives back the crash output and tells the monitors that the process ends in good order.
func (p *Process) disarm() {
	p.hook.deadman.stop()
	if p.hook.write == nil {
		return
	}
	p.warn("crash output", debug.SetCrashOutput(nil, debug.CrashOptions{}))
	resetTraceback()
	p.hook.write.Close()
	if p.hook.errors != nil {
		p.hook.errors.Close()
	}
}

// tickEvery is how often the process looks after its capture.
const tickEvery = time.Second

// tick looks after the capture: the level of tracebacks, the hook, the figures.
func (p *Process) tick() {
	ticker := time.NewTicker(tickEvery)
	defer ticker.Stop()
	for {
		p.setTraceback()
		p.keepHook()
		if p.cfg.Metrics != nil {
			Guard(func() { p.box.Metrics(p.cfg.Metrics()) })
		}
		select {
		case <-ticker.C:
		case <-p.done:
			return
		}
	}
}

// fullTraceback is what tracebacks say where there is time for all: level system has the addresses by which the monitor finds the
// runtime's reason.
const fullTraceback = "system"

// keepHook takes the crash output back from whoever took it.
func (p *Process) keepHook() {
	if !p.hook.displaced() {
		return
	}
	err := p.takeOutput()
	p.tell(slog.LevelWarn, "other code took the runtime's crash output", "taken_back", err == nil)
	p.warn("crash output", err)
}

// makeRunDir makes this process's own directory: in base, else on a tmpfs, else in dir.
func makeRunDir(base, dir string) (string, error) {
	var problems []error
	for _, parent := range runDirs(base, dir) {
		if err := makePrivate(parent); err != nil {
			problems = append(problems, err)
			continue
		}
		run, err := os.MkdirTemp(parent, strconv.Itoa(os.Getpid())+"-")
		if err == nil {
			return run, nil
		}
		problems = append(problems, err)
	}
	return "", errors.Join(problems...)
}

func runDirs(base, dir string) []string {
	if base != "" {
		return []string{base}
	}
	return []string{filepath.Join("/dev/shm", "vitrine-crash-"+strconv.Itoa(os.Getuid())), filepath.Join(dir, "run")}
}

// makePrivate makes a directory that is this user's alone, or takes one that is.
func makePrivate(path string) error {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return err
	}
	var st unix.Stat_t
	if err := unix.Lstat(path, &st); err != nil {
		return fmt.Errorf("look at %q: %w", path, err)
	}
	if st.Mode&unix.S_IFMT != unix.S_IFDIR || int(st.Uid) != os.Getuid() {
		return fmt.Errorf("%q is not a directory of this user", path)
	}
	if st.Mode&0o077 != 0 {
		return os.Chmod(path, 0o700)
	}
	return nil
}

// threadID returns the number of the thread that runs the caller.
func threadID() int { return unix.Gettid() }
