package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A process of which many pictures were taken does not notice: each system call ends as it would have, and sums are right.
func TestTakeLeavesSystemCallsAlone(t *testing.T) {
	v := startVictim(t, "calls")
	v.ask("sleep")
	before := v.ask("rounds")
	for range 20 {
		v.release(v.take(Options{}))
		v.free()
	}
	if got := v.expect("nanosleep:"); got[0] != "0" || got[1] != "0" || number(t, got[2]) < 500 {
		t.Errorf("nanosleep of 500 ms gave %q", got)
	}
	v.say("wake")
	want := map[string]string{"read": "[8 0]", "ppoll": "[1 0]", "epoll": "[1 <nil>]", "futex": "[0 0]", "wake": "[1 0]"}
	for name, want := range want {
		if got := fmt.Sprint(v.expect(name + ":")); got != want {
			t.Errorf("%s gave %s, want %s", name, got, want)
		}
	}
	after := v.ask("rounds")
	if number(t, after[0]) <= number(t, before[0]) || after[1] != "0" {
		t.Errorf("sums: %q before, %q after: done, wrong", before, after)
	}
}

func number(t *testing.T, text string) int64 {
	t.Helper()
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// Signals that arrive about a stop are delivered, each once, and the child that the process did not know of sends none.
func TestTakeDeliversSignals(t *testing.T) {
	v := startVictim(t, "signals")
	for range 30 {
		if err := unix.Kill(v.pid, unix.SIGUSR1); err != nil {
			t.Fatal(err)
		}
		s := v.take(Options{})
		v.expect("user defined signal 1")
		v.release(s)
	}
	v.ask("hello")
	if len(v.skipped) != 0 {
		t.Errorf("process says %q besides, want nothing", v.skipped)
	}
}

// A fault whose delivery a stop holds up comes out with its address, though the thread was borrowed in between.
func TestBorrowedThreadFaultsAgain(t *testing.T) {
	v := startVictim(t, "faults")
	tid := int(number(t, v.expect("thread:")[0]))
	in, err := readInfo(v.pid)
	if err != nil {
		t.Fatal(err)
	}
	before := number(t, v.ask("count")[0])
	tracer := newTracer()
	defer tracer.end()
	tracer.do(func() { err = borrowAtFault(v.pid, tid, in.gate, tracer) })
	if err != nil {
		t.Fatal(err)
	}
	v.free()
	until(t, "faults go on", func() bool { return number(t, v.ask("count")[0]) > before+10 })
}

func borrowAtFault(pid, tid int, gate uint64, tracer *tracer) error {
	t := newTarget(pid, info{}, tracer, patience)
	defer t.letGo()
	if err := ptrace(unix.PTRACE_SEIZE, tid, 0, 0); err != nil {
		return err
	}
	th := &thread{tid: tid}
	t.threads = append(t.threads, th)
	if err := t.awaitAll(); err != nil {
		return err
	}
	for !slices.Equal(th.signals, []unix.Signal{unix.SIGSEGV}) { // preemption comes in between
		if err := ptrace(unix.PTRACE_CONT, tid, 0, uintptr(th.signals[0])); err != nil {
			return err
		}
		th.signals, th.stopped = nil, false
		if err := t.awaitAll(); err != nil {
			return err
		}
	}
	j, err := borrow(th, gate, borrowOptions)
	if err != nil {
		return err
	}
	got, err := j.call(unix.SYS_GETPID)
	if err == nil && got != int64(pid) {
		err = fmt.Errorf("getpid gave %d, want %d", got, pid)
	}
	return errors.Join(err, j.end())
}

// A process with one thread that a signal stopped is forked all the same, and has its signal afterwards.
func TestTakeBorrowsTheOnlyThreadAtASignal(t *testing.T) {
	v := start(t, exec.Command("sh", "-c", `trap "echo usr1" USR1; echo ready; while :; do :; done`))
	in, err := readInfo(v.pid)
	if err != nil {
		t.Fatal(err)
	}
	child := 0
	tracer := newTracer()
	tracer.do(func() {
		target := newTarget(v.pid, in, tracer, patience)
		defer target.letGo()
		if err = ptrace(unix.PTRACE_SEIZE, v.pid, 0, 0); err != nil {
			return
		}
		target.threads = []*thread{{tid: v.pid}}
		if err = errors.Join(unix.Kill(v.pid, unix.SIGUSR1), target.awaitAll(), target.readRegisters()); err == nil {
			child, err = target.fork()
		}
	})
	if err != nil || child == 0 {
		t.Fatalf("fork gave child %d, %v", child, err)
	}
	v.expect("usr1")
	tracer.end()
	v.free()
}

// Where there is no vdso, and no close_range, the copy is made and closes its files all the same.
func TestForkWithoutHelpOfTheKernel(t *testing.T) {
	v := startVictim(t, "calls")
	in, err := readInfo(v.pid)
	if err != nil {
		t.Fatal(err)
	}
	in.gate = 0
	tracer := newTracer()
	defer tracer.end()
	var files []os.DirEntry
	tracer.do(func() {
		target := newTarget(v.pid, in, tracer, patience)
		defer target.letGo()
		if err = errors.Join(target.stopAll(), target.readRegisters()); err != nil {
			return
		}
		child, forkErr := target.fork()
		if err = forkErr; err != nil {
			return
		}
		defer kill(child)
		j, borrowErr := borrow(&thread{tid: child}, target.info.gate, childOptions)
		if err = borrowErr; err == nil {
			err = closeEach(j)
		}
		files, _ = os.ReadDir(fmt.Sprintf("/proc/%d/fd", child))
	})
	if err != nil || len(files) != 0 {
		t.Errorf("copy has %d open files, %v", len(files), err)
	}
	v.free()
	v.ask("rounds")
}

// Threads that come and go do not escape: when all are said to stand, all do.
func TestTakeStopsProcessWhoseThreadsComeAndGo(t *testing.T) {
	v := startVictim(t, "threads")
	for range 30 {
		var err error
		var states []byte
		tracer := newTracer()
		tracer.do(func() {
			target := newTarget(v.pid, info{}, tracer, patience)
			defer target.letGo()
			err = target.stopAll()
			states = v.states()
		})
		tracer.end()
		if err != nil || len(bytes.Trim(states, "tZX")) != 0 {
			t.Errorf("threads are in states %q, %v; want all to stand", states, err)
		}
		v.ask("hello")
	}
	v.release(v.take(Options{}))
	v.free()
}

// states gives the letter of each thread's state.
func (v *victim) states() (letters []byte) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", v.pid))
	for _, name := range files {
		if st, err := readStat(name); err == nil {
			letters = append(letters, st.state)
		}
	}
	return letters
}

// A process that is killed while it stands goes, though its tracer lives on: the tracer waits for the threads it held.
func TestTracerWaitsForThreadsThatWereKilled(t *testing.T) {
	v := startVictim(t, "signals")
	tracer := newTracer()
	defer tracer.end()
	target := newTarget(v.pid, info{}, tracer, patience)
	var err error
	tracer.do(func() { err = target.stopAll() })
	if err := errors.Join(err, unix.Kill(v.pid, unix.SIGKILL)); err != nil {
		t.Fatal(err)
	}
	tracer.do(target.letGo)
	gone := make(chan struct{})
	go func() { _, _ = v.cmd.Process.Wait(); close(gone) }() // ended by the end of the process
	select {
	case <-gone:
	case <-time.After(patience):
		t.Error("the killed process does not go")
	}
}

// startTracing starts a victim and what is to trace it, which ends with the test.
func startTracing(t *testing.T) (*victim, info, *tracer) {
	t.Helper()
	v := startVictim(t, "signals")
	in, err := readInfo(v.pid)
	if err != nil {
		t.Fatal(err)
	}
	tracer := newTracer()
	t.Cleanup(tracer.end)
	return v, in, tracer
}

// The death of a first thread in an injected call is noticed, though no wait tells of it while others are not waited for.
func TestInjectedCallEndsWithItsProcess(t *testing.T) {
	v, in, tracer := startTracing(t)
	called := make(chan error, 1)
	go func() { // ended by the death of the process
		tracer.do(func() {
			target := newTarget(v.pid, in, tracer, patience)
			defer target.letGo()
			err := target.stopAll()
			if err == nil {
				var j *injection
				if j, err = borrow(target.known[v.pid], in.gate, borrowOptions); err == nil {
					_, err = j.call(unix.SYS_PAUSE)
				}
			}
			called <- err
		})
	}()
	until(t, "the first thread is in pause", func() bool {
		call, _ := readProc(fmt.Sprintf("/proc/%d/syscall", v.pid))
		return bytes.HasPrefix(call, []byte("34 "))
	})
	if err := unix.Kill(v.pid, unix.SIGKILL); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-called:
		if !errors.Is(err, ErrGone) {
			t.Errorf("call gave %v, want %v", err, ErrGone)
		}
	case <-time.After(patience):
		t.Error("the call does not end")
	}
}

// A thread that stood and was killed refuses the next request, whichever that is.
func TestInjectionAfterTheEnd(t *testing.T) {
	v, in, tracer := startTracing(t)
	target := newTarget(v.pid, in, tracer, patience)
	var th *thread
	var j *injection
	var err error
	tracer.do(func() {
		if err = target.stopAll(); err == nil {
			th = target.known[v.pid]
			j, err = borrow(th, in.gate, borrowOptions)
		}
	})
	if err := errors.Join(err, unix.Kill(v.pid, unix.SIGKILL)); err != nil {
		t.Fatal(err)
	}
	until(t, "the first thread has ended", func() bool { return target.untraceable(v.pid) })
	for _, c := range []struct {
		name string
		do   func() error
	}{
		{"call", func() error { _, err := j.call(unix.SYS_GETPID); return err }},
		{"end", j.end},
		{"borrow", func() error { _, err := borrow(th, in.gate, borrowOptions); return err }},
	} {
		th.gone = false
		tracer.do(func() { err = c.do() })
		if !errors.Is(err, ErrGone) || !th.gone {
			t.Errorf("%s gave %v, gone %t, want %v, gone", c.name, err, th.gone, ErrGone)
		}
	}
	tracer.do(target.letGo)
}

func TestSubject(t *testing.T) {
	threads := []*thread{
		{tid: 5, stopped: true}, {tid: 7, stopped: true, signals: []unix.Signal{unix.SIGURG}},
		{tid: 8, gone: true, stopped: true, signals: []unix.Signal{unix.SIGSEGV}},
		{tid: 9, stopped: true, signals: []unix.Signal{unix.SIGBUS}},
	}
	for _, c := range []struct {
		name    string
		threads []*thread
		o       Options
		want    int
	}{
		{"asked for", threads, Options{Thread: 7}, 7},
		{"asked for and not there", threads, Options{Thread: 8}, 9},
		{"at a fault", threads, Options{}, 9},
		{"main", threads[:2], Options{}, 5},
		{"no main", threads[1:2], Options{}, 7},
	} {
		target := &target{pid: 5, threads: c.threads}
		if got := target.subject(c.o); got.tid != c.want || target.ordered(got)[0] != got {
			t.Errorf("%s: subject is %d, want %d, first", c.name, got.tid, c.want)
		}
	}
}

// The child is the only thing that is left: a zombie until the process waits for it, and no descriptor is open in it.
func TestTakeLeavesNothingButTheOrphan(t *testing.T) {
	v := startVictim(t, "signals")
	s := v.take(Options{})
	if files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.Child)); err != nil || len(files) != 0 {
		t.Errorf("copy has %d open files (%v), want none", len(files), err)
	}
	if err := s.Release(); err != nil {
		t.Fatal(err)
	}
	if got := v.children(); !slices.Equal(got, []string{fmt.Sprint(s.Orphan())}) {
		t.Errorf("children are %q, want the orphan %d", got, s.Orphan())
	}
	v.ask(fmt.Sprintf("reap %d", s.Orphan()))
	if got := v.children(); len(got) != 0 {
		t.Errorf("children are %q, want none", got)
	}
	if _, err := s.Read(0x1000, make([]byte, 8)); !errors.Is(err, ErrReleased) {
		t.Errorf("read after release gave %v, want %v", err, ErrReleased)
	}
	if err := s.Release(); err != nil {
		t.Errorf("second release gave %v", err)
	}
}

// children lists the children of all threads.
func (v *victim) children() []string {
	v.t.Helper()
	var out []string
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", v.pid))
	if err != nil {
		v.t.Fatal(err)
	}
	for _, task := range tasks {
		b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/children", v.pid, task.Name()))
		out = append(out, strings.Fields(string(b))...)
	}
	return out
}

// A stop that does not succeed in time leaves a process that runs, and another one succeeds.
func TestTakeGivesUpWithoutHarm(t *testing.T) {
	v := startVictim(t, "signals")
	for range 10 {
		if s, err := Take(v.pid, Options{Deadline: time.Nanosecond}); err == nil {
			v.release(s) // it stood before anybody looked at the clock
		} else if !errors.Is(err, errStuck) {
			t.Errorf("take gave %v, want %v", err, errStuck)
		}
		v.free()
		v.ask("hello")
	}
	v.release(v.take(Options{}))
}

// A stopped process stays stopped, and goes on when it is told to.
func TestTakeOfStoppedProcess(t *testing.T) {
	v := startVictim(t, "signals")
	stopped := func() bool {
		st, err := readStat(fmt.Sprintf("/proc/%d/stat", v.pid))
		return err == nil && st.state == 'T'
	}
	if err := unix.Kill(v.pid, unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	until(t, "the process stops", stopped)
	s := v.take(Options{})
	until(t, "the process is stopped still", stopped)
	if err := errors.Join(s.Release(), unix.Kill(v.pid, unix.SIGCONT)); err != nil {
		t.Fatal(err)
	}
	v.ask(fmt.Sprintf("reap %d", s.Orphan()))
	v.free()
}

// A process that is killed in the middle goes at once: no thread of it is kept by the one who took the picture.
func TestTakeLetsKilledProcessGo(t *testing.T) {
	for i := range 15 {
		v := startVictim(t, "threads")
		taken := make(chan *Snapshot, 1)
		go func() { // ended by Take
			s, _ := Take(v.pid, Options{}) // may fail or not
			taken <- s
		}()
		for range i * 200 {
			unix.Getppid() // a little later each time
		}
		if err := unix.Kill(v.pid, unix.SIGKILL); err != nil {
			t.Fatal(err)
		}
		gone := make(chan struct{})
		go func() { _, _ = v.cmd.Process.Wait(); close(gone) }() // ended by the end of the process
		select {
		case <-gone:
		case <-time.After(patience):
			t.Fatal("the killed process does not go")
		}
		if s := <-taken; s != nil {
			if err := s.Release(); err != nil {
				t.Error(err)
			}
		}
	}
}

// The death of who took the picture ends the child and leaves the process alone.
func TestChildDiesWithItsMonitor(t *testing.T) {
	v, monitor := startVictim(t, "signals"), startVictim(t, "monitor")
	child := int(number(t, monitor.ask(fmt.Sprintf("hold %d", v.pid))[0]))
	if err := monitor.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	until(t, "the child is dead", func() bool {
		st, err := readStat(fmt.Sprintf("/proc/%d/stat", child))
		return err == nil && st.state == 'Z'
	})
	v.free()
	v.ask(fmt.Sprintf("reap %d", child))
}

func TestTakeReportsWhatCannotBeTaken(t *testing.T) {
	v, held := startVictim(t, "monitor"), startVictim(t, "signals")
	if err := v.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_, _ = v.cmd.Process.Wait()
	if _, err := Take(v.pid, Options{}); !errors.Is(err, ErrGone) {
		t.Errorf("picture of a dead process gave %v, want %v", err, ErrGone)
	}
	if err := SelfTest(v.pid); !errors.Is(err, ErrGone) {
		t.Errorf("self-test with a dead process gave %v, want %v", err, ErrGone)
	}
	if err := SelfTest(held.pid); err != nil {
		t.Errorf("self-test gave %v", err)
	}
	held.free()
}
