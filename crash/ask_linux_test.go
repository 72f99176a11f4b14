package crash_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"vitrine/crash/bundle"
	"vitrine/crash/monitor"
	"vitrine/crash/provoke"
)

// setupOf reads the setup of a victim that waits.
func setupOf(t *testing.T, w *waiting) *monitor.Setup {
	t.Helper()
	runs, _ := filepath.Glob(filepath.Join(w.run, "*-*"))
	if len(runs) != 1 {
		t.Fatalf("run directories: %q", runs)
	}
	s, err := monitor.LoadSetup(runs[0])
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// fileIn returns the text of a file of a bundle, "" when it is not there.
func fileIn(path, name string) string {
	text, _ := os.ReadFile(filepath.Join(path, name))
	return string(text)
}

// A dump has what only the server knows, though another process makes it.
func TestDumpAsksTheServer(t *testing.T) {
	t.Parallel()
	if raceEnabled {
		t.Skip("a process under the race detector is terabytes wide")
	}
	w := startWaiting(t, t.TempDir(), t.TempDir())
	d, err := monitor.Dump(setupOf(t, w))
	if err != nil {
		t.Fatal(err)
	}
	m, err := bundle.ReadMeta(d.Path)
	if err != nil || len(d.Problems) > 0 || m.Core.State != bundle.CoreWritten || m.Goroutines < 5 || m.Where.Function != "" {
		t.Errorf("%+v, %v, of %+v", d, err, m)
	}
	for name, want := range map[string]string{
		"crash.txt": "bufio.(*Reader).ReadString", "goroutines.json": "bufio.(*Reader).ReadString", "sessions.json": "[42]", "blackbox.json": "{", "env.json": "{",
	} {
		if text := fileIn(d.Path, name); !strings.Contains(text, want) {
			t.Errorf("%s lacks %q:\n%.500s", name, want, text)
		}
	}
	if status, _, _ := w.die(t); status != 2 {
		t.Errorf("status %d afterwards, want 2", status)
	}
}

// A server that does not answer is dumped all the same, and the bundle says what it lacks.
func TestDumpOfAServerThatStandsStill(t *testing.T) {
	t.Parallel()
	if raceEnabled {
		t.Skip("a process under the race detector is terabytes wide")
	}
	w := startWaiting(t, t.TempDir(), t.TempDir())
	s := setupOf(t, w)
	syscall.Kill(w.command.Process.Pid, syscall.SIGSTOP)
	d, err := monitor.Dump(s)
	syscall.Kill(w.command.Process.Pid, syscall.SIGCONT)
	if err != nil {
		t.Fatal(err)
	}
	m, err := bundle.ReadMeta(d.Path)
	if err != nil || m.Core.State != bundle.CoreWritten || len(m.Problems) != 1 || !strings.Contains(m.Problems[0], "goroutines.json") ||
		!strings.Contains(m.Problems[0], "did not answer") {
		t.Errorf("problems %q, core %+v, %v", m.Problems, m.Core, err)
	}
	w.die(t)
}

// dumper is a process that may trace nobody and dumps another; what came of that it prints.
func dumper() {
	if os.Getenv("VITRINE_CRASH_REFUSED") == "" {
		os.Setenv("VITRINE_CRASH_REFUSED", "yes")
		fmt.Fprintln(os.Stderr, provoke.RefuseTracing(os.Environ()))
		os.Exit(1)
	}
	s, err := monitor.LoadSetup(os.Getenv("VITRINE_CRASH_RUN"))
	if err == nil {
		var d *monitor.Dumped
		if d, err = monitor.Dump(s); err == nil {
			err = json.NewEncoder(os.Stdout).Encode(d)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// filtered returns the test program as a victim, or skips where there is no filter for it.
func filtered(t *testing.T, name string, env ...string) *exec.Cmd {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = slices.Concat(os.Environ(), []string{victimVariable + "=" + name}, env)
	c.Stderr = t.Output()
	return c
}

// outcome runs a command and decodes what it prints.
func outcome(t *testing.T, c *exec.Cmd, v any) {
	t.Helper()
	out, err := c.Output()
	if err == nil {
		err = json.Unmarshal(out, v)
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) || err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// Where no snapshot can be taken, a dump of a server has its words.
func TestDumpWithoutTracingHasText(t *testing.T) {
	t.Parallel()
	if !provoke.CanRefuseTracing {
		t.Skip("needs a filter of system calls")
	}
	w := startWaiting(t, t.TempDir(), t.TempDir())
	var d monitor.Dumped
	outcome(t, filtered(t, "dumper", "VITRINE_CRASH_RUN="+setupOf(t, w).RunDir), &d)
	if d.Core.State != bundle.CoreNone || !strings.Contains(d.Core.Why, "not permitted") || !strings.Contains(fileIn(d.Path, "crash.txt"), "bufio.(*Reader)") {
		t.Errorf("%+v, %q", d, fileIn(d.Path, "crash.txt"))
	}
	w.die(t)
}
