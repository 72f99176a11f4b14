package monitor

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vitrine/crash/bundle"
	"vitrine/crash/snapshot"
)

// victimVariable makes the test program a process that waits for its input to end.
const victimVariable = "VITRINE_MONITOR_VICTIM"

func TestMain(m *testing.M) {
	if os.Getenv(victimVariable) != "" {
		fmt.Println("up")
		bufio.NewReader(os.Stdin).ReadByte()
		fmt.Println("goes on")
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// startVictim starts a process; end ends it in good order and tells whether it got there.
func startVictim(t *testing.T) (pid int, end func() bool) {
	t.Helper()
	c := exec.Command(os.Args[0], "--password=hunter2secret")
	c.Env = append(os.Environ(), victimVariable+"=1")
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal("the victim did not start")
	}
	return c.Process.Pid, func() bool {
		in.Close()
		went := lines.Scan() && lines.Text() == "goes on"
		return c.Wait() == nil && went
	}
}

func TestDumpOfAStrangerLeavesItAsItWas(t *testing.T) {
	pid, end := startVictim(t)
	dir := filepath.Join(t.TempDir(), "crash")
	s, known, err := Discover(pid, dir)
	if err != nil || known || s.Dir != dir {
		t.Fatalf("discovered %+v, known %v, %v", s, known, err)
	}
	if args := strings.Join(s.Process.Args, " "); strings.Contains(args, "hunter2secret") || s.Build.Go == "" || time.Since(s.Process.Started) > time.Minute {
		t.Errorf("args %q, build %+v, started %v", args, s.Build, s.Process.Started)
	}
	if err := snapshot.SelfTest(pid); err != nil {
		t.Skip("processes cannot be traced here: ", err)
	}
	for range 2 { // no limit holds back what somebody asked for
		d, err := Dump(s)
		if err != nil {
			t.Fatal(err)
		}
		m, err := bundle.ReadMeta(d.Path)
		if err != nil || m.Class != bundle.ClassLive || !m.Live || m.Core.State != bundle.CoreWritten || d.Stopped <= 0 || len(d.Problems) > 0 {
			t.Errorf("bundle %+v of %+v, %v", m, d, err)
		}
	}
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	if len(strings.TrimSpace(string(children))) > 0 {
		t.Errorf("children are left: %s", children)
	}
	if _, err := os.Stat(filepath.Join(dir, SpoolDir)); err == nil {
		t.Error("a report was spooled")
	}
	if !end() {
		t.Error("the process did not go on")
	}
}

func TestDiscoverBelievesNoSetupOfAnotherProcess(t *testing.T) {
	pid, end := startVictim(t)
	defer end()
	dir := t.TempDir()
	run := filepath.Join(dir, "run", fmt.Sprintf("%d-1", pid))
	if err := os.MkdirAll(run, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		setup Setup
		known bool
	}{
		"its own":                      {Setup{Process: bundle.Process{PID: pid, Started: time.Now()}, RunDir: run}, true},
		"of another number":            {Setup{Process: bundle.Process{PID: pid + 1, Started: time.Now()}, RunDir: run}, false},
		"of another directory":         {Setup{Process: bundle.Process{PID: pid, Started: time.Now()}, RunDir: dir}, false},
		"of who had the number before": {Setup{Process: bundle.Process{PID: pid, Started: time.Now().Add(-time.Hour)}, RunDir: run}, false},
	} {
		t.Run(name, func(t *testing.T) {
			at := c.setup.RunDir
			c.setup.RunDir = run
			if err := c.setup.Save(); err != nil {
				t.Fatal(err)
			}
			if at != run {
				text, err := os.ReadFile(filepath.Join(run, setupName))
				if err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(run, setupName), []byte(strings.ReplaceAll(string(text), run, at)), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if _, known, err := Discover(pid, dir); err != nil || known != c.known {
				t.Errorf("known %v, %v; want %v", known, err, c.known)
			}
		})
	}
}

func TestDiscoverOfNobody(t *testing.T) {
	if _, _, err := Discover(1<<30, t.TempDir()); err == nil {
		t.Error("no error for a process that is not there")
	}
}
