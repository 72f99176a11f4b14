package crash_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"vitrine/crash"
	"vitrine/crash/bundle"
)

// victimVariable makes the test program a victim: its value is what happens to it.
const victimVariable = "VITRINE_CRASH_VICTIM"

func TestMain(m *testing.M) {
	crash.ServeMonitor()
	if name, ok := os.LookupEnv(victimVariable); ok {
		if stranger := strangers[name]; stranger != nil {
			stranger()
		}
		addHardships()
		addHeap()
		victim(name)
	}
	os.Exit(m.Run())
}

// strangers are victims that do without the capture, or start it themselves. They do not return.
var strangers = map[string]func(){"dumper": dumper, "told": told}

// victim starts the capture and dies as it is told.
func victim(name string) {
	if name == "early" || name == "earlyexit" || name == "earlyzero" {
		hurry(name)
	}
	p, err := crash.Start(crash.Config{
		Dir: os.Getenv("VITRINE_CRASH_DIR"), RunDir: os.Getenv("VITRINE_CRASH_RUN"), Name: "victim", Stall: 200 * time.Millisecond,
		Limits: bundle.Limits{BundleEvery: 1, CoreEvery: 1, BundlesPerHour: 1000, LoopCrashes: 100},
		Notify: say, Sources: sources(name),
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(99)
	}
	for p.Stats().Monitors < 2 || p.Stats().Ptrace == "" {
		time.Sleep(time.Millisecond) // sleep: polls
	}
	fmt.Println("armed")
	victims[name](p)
	p.Close()
	os.Exit(0)
}

var saying struct {
	sync.Mutex
	text strings.Builder
}

// say keeps and prints what the capture has to say.
func say(e crash.Event) {
	saying.Lock()
	defer saying.Unlock()
	fmt.Fprintln(&saying.text, e.Message)
	fmt.Fprintln(os.Stderr, e.Message, e.Attrs)
}

func said() string {
	saying.Lock()
	defer saying.Unlock()
	return saying.text.String()
}

var victims = map[string]func(*crash.Process){
	"clean":     func(*crash.Process) {},
	"panic":     func(*crash.Process) { panic("player 42 has hp -1") },
	"goroutine": func(*crash.Process) { go panic(errors.New("inner")); select {} },
	"nil":       func(*crash.Process) { var p *int; fmt.Println(*p) },
	"mapwrites": func(*crash.Process) { writeTogether() },
	"stack":     func(*crash.Process) { recurse(0) },
	"exit":      func(*crash.Process) { os.Exit(3) },
	"sigkill":   func(*crash.Process) { syscall.Kill(os.Getpid(), syscall.SIGKILL); select {} },
	"sigquit":   func(*crash.Process) { syscall.Kill(os.Getpid(), syscall.SIGQUIT); select {} },
	"sigsegv":   func(*crash.Process) { syscall.Kill(os.Getpid(), syscall.SIGSEGV); select {} },
	"guard":     func(*crash.Process) { crash.Guard(func() { panic("player 42 has hp -1") }) },
	"hang": func(p *crash.Process) {
		beat := p.Loop("game/0")
		beat.Begin()
		for p.Stats().Bundles == 0 {
			time.Sleep(time.Millisecond) // sleep: polls
		}
	},
}

func writeTogether() {
	m := map[int]int{}
	for range 4 {
		go func() {
			for {
				m[1]++
			}
		}()
	}
	select {}
}

//go:noinline
func recurse(n int) int {
	var b [1024]byte
	b[n%1024] = 1
	if n < 0 { // never, but nobody knows
		return 0
	}
	return recurse(n+1) + int(b[0])
}

// perish runs a victim to its end and returns its exit status and its bundles, when all monitors are done.
func perish(t *testing.T, dir, name string) (status int, entries []bundle.Entry) {
	t.Helper()
	c := exec.Command(os.Args[0])
	run := t.TempDir()
	c.Env = append(os.Environ(), victimVariable+"="+name, "VITRINE_CRASH_DIR="+dir, "VITRINE_CRASH_RUN="+run)
	var errs strings.Builder
	c.Stderr = &errs
	c.WaitDelay = 20 * time.Second
	err := c.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("run %s: %v", name, err)
	}
	status = c.ProcessState.ExitCode()
	if ws := c.ProcessState.Sys().(syscall.WaitStatus); ws.Signaled() {
		status = 128 + int(ws.Signal())
	}
	waitDone(t, run)
	store, err := bundle.Open(dir, bundle.Limits{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	entries, err = store.List()
	if err != nil {
		t.Fatal(err)
	}
	if t.Failed() || testing.Verbose() {
		t.Log(errs.String())
	}
	return status, entries
}

// waitDone waits until the monitors have removed what the run left.
func waitDone(t *testing.T, run string) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for time.Now().Before(deadline) {
		if left, _ := filepath.Glob(filepath.Join(run, "*-*")); len(left) == 0 {
			return
		}
		time.Sleep(5 * time.Millisecond) // sleep: polls
	}
	t.Error("the monitors did not finish")
}

func TestEveryDeathLeavesABundle(t *testing.T) {
	for name, want := range map[string]struct {
		class  bundle.Class
		status int
		reason string
	}{
		"panic":     {bundle.ClassGoroutine, 2, "player 42 has hp -1"},
		"goroutine": {bundle.ClassGoroutine, 2, "inner"},
		"nil":       {bundle.ClassGoroutine, 2, "nil pointer dereference"},
		"mapwrites": {bundle.ClassFatal, 2, "concurrent map"},
		"stack":     {bundle.ClassStack, 2, "stack overflow"},
		"exit":      {bundle.ClassExit, 3, "exit(3)"},
		"sigkill":   {bundle.ClassKilled, 137, "SIGKILL"},
		"sigquit":   {bundle.ClassSignal, 2, "SIGQUIT"},
		"sigsegv":   {bundle.ClassSignal, 2, "SIGSEGV"},
		"guard":     {bundle.ClassPanic, 0, "player 42 has hp -1"},
		"hang":      {bundle.ClassHang, 0, "game/0"},
	} {
		if raceEnabled && name != "panic" && name != "guard" && name != "hang" {
			continue // a process under the race detector is terabytes wide, and its core takes seconds
		}
		t.Run(name, func(t *testing.T) {
			status, entries := perish(t, t.TempDir(), name)
			if status != want.status || len(entries) != 1 {
				t.Fatalf("status %d and %d bundles, want %d and 1", status, len(entries), want.status)
			}
			m, err := entries[0].Meta()
			if err != nil {
				t.Fatal(err)
			}
			if m.Class != want.class || !strings.Contains(m.Reason, want.reason) {
				text, _ := entries[0].Read("crash.txt", 1000)
				t.Errorf("class %q, reason %q (%s); want %q, %q\n%s", m.Class, m.Reason, m.ReasonHow, want.class, want.reason, text)
			}
		})
	}
}
