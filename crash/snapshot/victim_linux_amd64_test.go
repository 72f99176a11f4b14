package snapshot

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// victimVariable tells the test binary that it is to be a process of which pictures are taken, and which one.
const victimVariable = "SNAPSHOT_VICTIM"

// patience bounds every wait of these tests; it is met only when something hangs.
const patience = 20 * time.Second

func TestMain(m *testing.M) {
	if act := victims[os.Getenv(victimVariable)]; act != nil {
		act()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// victims are what the test binary can be. Each says things in lines, and ends when its input does.
var victims = map[string]func(){
	"calls":   callsVictim,
	"signals": signalsVictim,
	"faults":  faultsVictim,
	"memory":  memoryVictim,
	"broad":   broadVictim,
	"monitor": monitorVictim,
	"threads": threadsVictim,
}

// victim is such a process.
type victim struct {
	t       *testing.T
	cmd     *exec.Cmd
	pid     int
	in      io.WriteCloser
	lines   chan string
	skipped []string // lines that came before what was waited for
}

func startVictim(t *testing.T, kind string) *victim {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), victimVariable+"="+kind)
	return start(t, cmd)
}

// start starts a process and waits until it is ready.
func start(t *testing.T, cmd *exec.Cmd) *victim {
	t.Helper()
	v := &victim{t: t, cmd: cmd, lines: make(chan string, 1024)}
	cmd.Stderr = os.Stderr
	in, inErr := cmd.StdinPipe()
	out, outErr := cmd.StdoutPipe()
	if err := errors.Join(inErr, outErr, cmd.Start()); err != nil {
		t.Fatal(err)
	}
	v.in, v.pid = in, cmd.Process.Pid
	go func() { // ended by the end of the process
		defer close(v.lines)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			v.lines <- lines.Text()
		}
	}()
	t.Cleanup(func() { _ = in.Close(); _ = cmd.Process.Kill(); _, _ = cmd.Process.Wait() })
	v.expect("ready")
	if err := SelfTest(v.pid); errors.Is(err, unix.EPERM) {
		t.Skipf("tracing is not allowed here: %v", err)
	}
	return v
}

// say sends a line.
func (v *victim) say(line string) {
	v.t.Helper()
	if _, err := fmt.Fprintln(v.in, line); err != nil {
		v.t.Fatal(err)
	}
}

// expect waits for a line that begins with prefix and gives the fields behind. Other lines are kept for later.
func (v *victim) expect(prefix string) []string {
	v.t.Helper()
	timeout := time.After(patience)
	for i := 0; ; i++ {
		if i == len(v.skipped) {
			select {
			case line, ok := <-v.lines:
				if !ok {
					v.t.Fatalf("process %d ended without %q", v.pid, prefix)
				}
				v.skipped = append(v.skipped, line)
			case <-timeout:
				v.t.Fatalf("process %d does not say %q", v.pid, prefix)
			}
		}
		if rest, found := strings.CutPrefix(v.skipped[i], prefix); found {
			v.skipped = slices.Delete(v.skipped, i, i+1)
			return strings.Fields(rest)
		}
	}
}

// ask sends a line and gives the answer to it.
func (v *victim) ask(line string) []string {
	v.t.Helper()
	v.say(line)
	return v.expect(strings.Fields(line)[0] + ":")
}

func (v *victim) take(o Options) *Snapshot {
	v.t.Helper()
	s, err := Take(v.pid, o)
	if err != nil {
		v.t.Fatal(err)
	}
	v.t.Cleanup(func() { _ = s.Release() })
	return s
}

// release ends a snapshot and has the process wait for the child, as a living process must.
func (v *victim) release(s *Snapshot) {
	v.t.Helper()
	if err := s.Release(); err != nil {
		v.t.Fatal(err)
	}
	if orphan := s.Orphan(); orphan != 0 {
		if got := v.ask(fmt.Sprintf("reap %d", orphan)); got[0] != strconv.Itoa(orphan) {
			v.t.Errorf("process waited for %d, want %d", orphan, orphan)
		}
	}
}

// free fails the test unless every thread runs untraced. The kernel lets go of threads at the end of a tracer, which
// may be a moment away.
func (v *victim) free() {
	v.t.Helper()
	until(v.t, "every thread runs untraced", func() bool {
		files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", v.pid))
		return len(files) > 0 && !slices.ContainsFunc(files, func(name string) bool {
			b, err := os.ReadFile(name)
			tid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			if attr, err := unix.SchedGetAttr(tid, 0); err == nil && (attr.Policy != unix.SCHED_NORMAL || attr.Flags != 0) {
				v.t.Errorf("thread %d has policy %d, flags %d", tid, attr.Policy, attr.Flags)
			}
			return err == nil && (!strings.Contains(string(b), "TracerPid:\t0") || strings.Contains(string(b), "State:\tt") || strings.Contains(string(b), "State:\tT"))
		})
	})
}

// until waits for a state of the system that nobody tells of.
func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !holds(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatalf("it does not come true that %s", what)
		}
	}
}

// serve answers the lines that come in; every victim knows reap.
func serve(answers map[string]func(fields []string) string) {
	fmt.Println("ready")
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		switch answer := answers[fields[0]]; {
		case answer != nil:
			fmt.Printf("%s: %s\n", fields[0], answer(fields[1:]))
		case fields[0] == "reap":
			pid, _ := strconv.Atoi(fields[1])
			got, err := unix.Wait4(pid, nil, unix.WNOHANG|unix.WALL, nil)
			fmt.Printf("reap: %d %v\n", got, err)
		case fields[0] == "hello":
			fmt.Println("hello: hello")
		}
	}
}

// onThread runs f on a thread of its own and says what became of it.
func onThread(name string, f func() string) {
	go func() { // ended with the process
		runtime.LockOSThread()
		fmt.Printf("%s: %s\n", name, f())
	}()
}

func result(n uintptr, errno unix.Errno) string { return fmt.Sprintf("%d %d", n, errno) }

// callsVictim waits in one system call of each kind, without the runtime's handling of EINTR, and computes.
func callsVictim() {
	var read, poll, event [2]int
	for _, p := range []*[2]int{&read, &poll, &event} {
		if err := unix.Pipe(p[:]); err != nil {
			panic(err)
		}
	}
	onThread("read", func() string {
		b := make([]byte, 8)
		n, _, errno := unix.Syscall(unix.SYS_READ, uintptr(read[0]), uintptr(unsafe.Pointer(&b[0])), 8)
		return result(n, errno)
	})
	onThread("ppoll", func() string {
		fds, mask := []unix.PollFd{{Fd: int32(poll[0]), Events: unix.POLLIN}}, uint64(0)
		n, _, errno := unix.Syscall6(unix.SYS_PPOLL, uintptr(unsafe.Pointer(&fds[0])), 1, 0, uintptr(unsafe.Pointer(&mask)), 8, 0)
		return result(n, errno)
	})
	onThread("epoll", func() string { return epollWait(event[0]) })
	word := new(uint32)
	onThread("futex", func() string {
		n, _, errno := unix.Syscall6(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), 0, 0, 0, 0, 0)
		return result(n, errno)
	})
	var rounds, wrong atomic.Int64
	for range 2 {
		onThread("compute", func() string { return compute(&rounds, &wrong) })
	}
	serve(map[string]func([]string) string{
		"sleep":  func([]string) string { sleepHalfASecond(); return "begun" },
		"rounds": func([]string) string { return fmt.Sprint(rounds.Load(), wrong.Load()) },
		"wake": func([]string) string {
			for _, p := range [][2]int{read, poll, event} {
				_, _ = unix.Write(p[1], []byte("12345678"))
			}
			n, _, errno := unix.Syscall(unix.SYS_FUTEX, uintptr(unsafe.Pointer(word)), 1, 1)
			return result(n, errno)
		},
	})
}

// sleepHalfASecond sleeps in the kernel without looking at the time in between.
func sleepHalfASecond() {
	onThread("nanosleep", func() string {
		wait, left := unix.NsecToTimespec(int64(500*time.Millisecond)), unix.Timespec{}
		begin := time.Now()
		n, _, errno := unix.Syscall(unix.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&wait)), uintptr(unsafe.Pointer(&left)), 0)
		return result(n, errno) + fmt.Sprintf(" %d", time.Since(begin).Milliseconds())
	})
}

// epollWait waits for an event; a stop interrupts epoll_wait with EINTR whatever the stop is, which is counted.
func epollWait(fd int) string {
	poller, err := unix.EpollCreate1(0)
	if err != nil {
		return err.Error()
	}
	if err := unix.EpollCtl(poller, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)}); err != nil {
		return err.Error()
	}
	for events := make([]unix.EpollEvent, 4); ; {
		n, err := unix.EpollWait(poller, events, -1)
		if !errors.Is(err, unix.EINTR) {
			return fmt.Sprintf("%d %v", n, err)
		}
	}
}

// compute does sums whose result is known, in registers all along.
func compute(rounds, wrong *atomic.Int64) string {
	for {
		sum, x := uint64(0), 1.0
		for i := range uint64(100_000) {
			sum += i
			x += 0.5
		}
		if sum != 99_999*100_000/2 || x != 50_001 {
			wrong.Add(1)
		}
		rounds.Add(1)
	}
}

// signalsVictim tells of each signal, while busy goroutines and the collector make signals of their own.
func signalsVictim() {
	got := make(chan os.Signal, 64)
	signal.Notify(got, unix.SIGUSR1, unix.SIGCHLD)
	for range 3 {
		go func() { // ended with the process
			for {
				runtime.KeepAlive(make([]byte, 64<<10))
			}
		}()
	}
	go func() { // ended with the process
		for s := range got {
			fmt.Println(s)
		}
	}()
	serve(nil)
}

// faultsVictim reads from an address that is not there, and looks at the address that the fault tells.
func faultsVictim() {
	const bad = 0x123000
	debug.SetPanicOnFault(true)
	faults := new(atomic.Int64)
	onThread("faults", func() string {
		debug.SetPanicOnFault(true)
		fmt.Printf("thread: %d\n", unix.Gettid())
		for {
			if addr := faultAt(bad); addr != bad {
				return fmt.Sprintf("at %#x", addr)
			}
			faults.Add(1)
		}
	})
	serve(map[string]func([]string) string{"count": func([]string) string { return fmt.Sprint(faults.Load()) }})
}

func faultAt(addr uintptr) (at uintptr) {
	defer func() {
		if fault, ok := recover().(interface{ Addr() uintptr }); ok {
			at = fault.Addr()
		}
	}()
	var p *byte
	*(*uintptr)(unsafe.Pointer(&p)) = addr
	return uintptr(*p)
}

// threadsVictim has threads come and go all the time.
func threadsVictim() {
	for range 4 {
		go func() { // ended with the process
			for {
				done := make(chan struct{})
				go func() { runtime.LockOSThread(); close(done) }() // ends its thread
				<-done
			}
		}()
	}
	serve(nil)
}

// monitorVictim takes a picture of the process that it is told of and holds it until it is killed.
func monitorVictim() {
	serve(map[string]func([]string) string{"hold": func(fields []string) string {
		pid, _ := strconv.Atoi(fields[0])
		s, err := Take(pid, Options{Direct: len(fields) > 1})
		if err != nil {
			return err.Error()
		}
		return fmt.Sprint(s.Child)
	}})
}
