package crash_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"vitrine/crash"
	"vitrine/crash/bundle"
	"vitrine/crash/monitor"
)

// addHardships adds the victims of these tests.
func addHardships() {
	victims["wait"] = func(p *crash.Process) {
		pids := p.MonitorPIDs()
		fmt.Println("monitors", pids[0], pids[1])
		bufio.NewReader(os.Stdin).ReadString('\n')
		panic("told to")
	}
	victims["displaced"] = func(p *crash.Process) {
		f, err := os.Create(filepath.Join(os.Getenv("VITRINE_CRASH_RUN"), "taken"))
		if err != nil {
			panic(err)
		}
		debug.SetCrashOutput(f, debug.CrashOptions{})
		for !strings.Contains(said(), "other code took") {
			time.Sleep(time.Millisecond) // sleep: polls
		}
		os.Remove(f.Name())
		panic("told to")
	}
	victims["storm"] = func(p *crash.Process) {
		for ; p.Stats().Bundles == 0; stormed.Add(1) {
			crash.Guard(func() { panic("again and again") })
		}
	}
	victims["twice"] = func(p *crash.Process) {
		for range 20 {
			go panic(again{})
		}
		select {}
	}
}

// stormed counts the panics of the victim "storm".
var stormed atomic.Int64

// sources give a victim's part of a report: that of "storm" is long in coming.
func sources(name string) map[string]func() ([]byte, error) {
	if name == "wait" {
		return map[string]func() ([]byte, error){"sessions.json": func() ([]byte, error) { return []byte("[42]"), nil }}
	}
	if name != "storm" {
		return nil
	}
	return map[string]func() ([]byte, error){"storm.txt": func() ([]byte, error) {
		for until := stormed.Load() + 2*monitor.StormPanics; stormed.Load() < until; {
			time.Sleep(time.Millisecond) // sleep: polls
		}
		return []byte("it goes on"), nil
	}}
}

func TestStormOfPanicsHasNoCore(t *testing.T) {
	status, entries := perish(t, t.TempDir(), "storm")
	if status != 0 || len(entries) != 1 {
		t.Fatalf("status %d, %d bundles, want 0 and 1", status, len(entries))
	}
	m, err := entries[0].Meta()
	if err != nil || m.Class != bundle.ClassPanic || m.Core.State != bundle.CoreNone || !strings.Contains(m.Core.Why, "storm") {
		t.Errorf("%+v, %v; want one of a storm, without a core", m, err)
	}
}

// again panics when its panic is printed.
type again struct{}

func (again) Error() string { panic("a panic within a panic") }

// waiting is a victim that waits to be told to die.
type waiting struct {
	command  *exec.Cmd
	in       io.WriteCloser
	monitors [2]int
	alone    bool // without monitors
	dir, run string
	errs     *strings.Builder
}

func startWaiting(t *testing.T, dir, run string) *waiting {
	t.Helper()
	w := &waiting{dir: dir, run: run, errs: new(strings.Builder)}
	w.command = exec.Command(os.Args[0])
	w.command.Env = append(os.Environ(), victimVariable+"=wait", "VITRINE_CRASH_DIR="+dir, "VITRINE_CRASH_RUN="+run)
	w.command.Stderr = w.errs
	w.command.WaitDelay = 20 * time.Second
	in, err := w.command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := w.command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.command.Start(); err != nil {
		t.Fatal(err)
	}
	w.in = in
	lines := bufio.NewReader(out)
	for w.monitors[1] == 0 {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		fmt.Sscanf(line, "monitors %d %d", &w.monitors[0], &w.monitors[1])
	}
	return w
}

// die tells it to, and returns its status, how long that took, and its bundles.
func (w *waiting) die(t *testing.T) (status int, took time.Duration, entries []bundle.Entry) {
	t.Helper()
	began := time.Now()
	io.WriteString(w.in, "\n")
	w.command.Wait()
	took = time.Since(began)
	status = w.command.ProcessState.ExitCode()
	if !w.alone {
		waitDone(t, w.run)
	}
	if !strings.Contains(w.errs.String(), "panic: told to") {
		t.Errorf("standard error lacks the panic:\n%s", w.errs)
	}
	return status, took, list(t, w.dir)
}

func list(t *testing.T, dir string) []bundle.Entry {
	t.Helper()
	store, err := bundle.Open(dir, bundle.Limits{}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	entries, err := store.List()
	if err != nil {
		t.Fatal(err)
	}
	return entries
}

func TestMonitorsInTrouble(t *testing.T) {
	for name, test := range map[string]struct {
		trouble func(w *waiting)
		most    time.Duration // that the end may take
		bundles int
	}{
		"the first is stopped":   {func(w *waiting) { syscall.Kill(w.monitors[0], syscall.SIGSTOP) }, 4 * time.Second, 1},
		"the reserve is stopped": {func(w *waiting) { syscall.Kill(w.monitors[1], syscall.SIGSTOP) }, 2 * time.Second, 1},
		"the first is killed":    {func(w *waiting) { syscall.Kill(w.monitors[0], syscall.SIGKILL) }, 4 * time.Second, 1},
		"both are killed":        {func(w *waiting) { w.signal(syscall.SIGKILL); w.alone = true }, 4 * time.Second, 0},
		"all get an interrupt":   {func(w *waiting) { w.signal(syscall.SIGINT) }, 2 * time.Second, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := startWaiting(t, t.TempDir(), t.TempDir())
			test.trouble(w)
			status, took, entries := w.die(t)
			if status != 2 || took > test.most {
				t.Errorf("status %d after %v, want 2 within %v", status, took, test.most)
			}
			if len(entries) < test.bundles {
				t.Errorf("%d bundles, want %d", len(entries), test.bundles)
			}
			syscall.Kill(w.monitors[1], syscall.SIGCONT)
		})
	}
}

func (w *waiting) signal(s syscall.Signal) {
	for _, pid := range w.monitors {
		syscall.Kill(pid, s)
	}
}

func TestSpoolInTrouble(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("mounting a file system needs root")
	}
	for name, options := range map[string]string{"full": "size=16k", "read-only": "size=1m,ro"} {
		t.Run(name, func(t *testing.T) {
			dir, run := t.TempDir(), t.TempDir()
			if err := exec.Command("mount", "-t", "tmpfs", "-o", options, "tmpfs", dir).Run(); err != nil {
				t.Skipf("mount a file system: %v", err)
			}
			defer exec.Command("umount", "-l", dir).Run()
			w := startWaiting(t, dir, run)
			io.WriteString(w.in, "\n")
			w.command.Wait()
			if status := w.command.ProcessState.ExitCode(); status != 2 {
				t.Errorf("status %d, want 2", status)
			}
			waitDone(t, run)
			rescued, _ := filepath.Glob(filepath.Join(run, "rescued*", "*", "crash.txt"))
			if len(rescued) != 1 {
				t.Fatalf("rescued texts: %q, want one", rescued)
			}
			if text, _ := os.ReadFile(rescued[0]); !strings.Contains(string(text), "told to") {
				t.Errorf("the rescued text lacks the panic:\n%s", text)
			}
			exec.Command("umount", "-l", dir).Run() // the disk is mended
			home := startWaiting(t, dir, run)
			if _, _, entries := home.die(t); len(entries) != 2 {
				t.Errorf("%d bundles after the next start, want the one that came home and its own", len(entries))
			}
		})
	}
}

func TestServersShareASpool(t *testing.T) {
	dir := t.TempDir()
	var both sync.WaitGroup
	for range 2 {
		run := t.TempDir()
		w := startWaiting(t, dir, run)
		both.Go(func() {
			if status, _, _ := w.die(t); status != 2 {
				t.Errorf("status %d, want 2", status)
			}
		})
	}
	both.Wait()
	if n := len(list(t, dir)); n != 2 {
		t.Errorf("%d bundles, want 2", n)
	}
}

func TestCrashDuringACrash(t *testing.T) {
	status, entries := perish(t, t.TempDir(), "twice")
	if status != 2 || len(entries) != 1 {
		t.Errorf("status %d and %d bundles, want 2 and 1", status, len(entries))
	}
}

func TestDisplacedHookIsTakenBack(t *testing.T) {
	status, entries := perish(t, t.TempDir(), "displaced")
	if status != 2 || len(entries) != 1 {
		t.Errorf("status %d and %d bundles, want 2 and 1", status, len(entries))
	}
}
