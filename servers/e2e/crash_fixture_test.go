//go:build linux

package e2e

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"vitrine/crash/bundle"
	"vitrine/crash/monitor"
	"vitrine/servers/observe"
)

// The size of the runs of crashes; see the package comment.
var (
	kills      = flag.Int("kills", 2, "servers that are killed under load")
	hardships  = flag.Int("hardships", 1, "crashes in each kind of trouble")
	crashCount = flag.Int("crashes", 6, "crashes while Sentry is down")
)

// site is where programs run whose crashes are captured, one after the other or at once.
type site struct {
	t       *testing.T
	dir     string // their working folder
	crashes string // the directory of their bundles
	run     string // where what outlives them is
}

func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, dir: t.TempDir(), crashes: filepath.Join(t.TempDir(), "crash"), run: memoryDir(t)}
	t.Cleanup(s.explain)
	return s
}

// explain logs what is there when the test has failed.
func (s *site) explain() {
	if !s.t.Failed() {
		return
	}
	for _, pattern := range []string{s.crashes + "/*", s.crashes + "/*/*", s.run + "/*", s.run + "/*/*"} {
		there, _ := filepath.Glob(pattern) // the pattern is well formed
		s.t.Log(strings.Join(there, "\n"))
	}
	said, err := os.ReadFile(filepath.Join(s.crashes, "monitor.err"))
	s.t.Logf("the monitors said: %s %v", said, err)
}

// memoryDir returns a folder on a tmpfs, as the capture takes by itself, where there is one.
func memoryDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/dev/shm", "vitrine-e2e-")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// launch starts the program with its capture in the site.
func (s *site) launch(args ...string) *program {
	s.t.Helper()
	return launchIn(s.t, s.dir, executable, append(args,
		"--port-base", "0", "--set", "crash.dir="+s.crashes, "--set", "crash.run_dir="+s.run)...)
}

// armed starts the program and waits until both its monitors watch and know whether cores can be taken.
func (s *site) armed(args ...string) *program {
	s.t.Helper()
	p := s.launch(args...)
	eventually(s.t, "two monitors watch", func() bool {
		c := p.capture()
		return c.Monitors == 2 && c.Ptrace != "" && len(p.monitors()) == 2
	})
	return p
}

// capture is what /status says of the crash capture.
func (p *program) capture() observe.CrashStatus {
	p.t.Helper()
	var all observe.Status
	if err := fetch(p.ops()+"/status", &all); err != nil {
		p.t.Fatal(err)
	}
	return all.Crash
}

// monitors returns the process ids of the program's crash monitors by role: children with the variable that makes them one.
func (p *program) monitors() map[string]int {
	p.t.Helper()
	var children []byte
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", p.cmd.Process.Pid)) // the pattern is well formed
	for _, task := range tasks {
		more, _ := os.ReadFile(task) // a thread that has ended has no children
		children = append(append(children, ' '), more...)
	}
	found := map[string]int{}
	for _, word := range strings.Fields(string(children)) {
		environment, _ := os.ReadFile("/proc/" + word + "/environ") // one that has ended is none
		for _, variable := range strings.Split(string(environment), "\x00") {
			if role, ok := strings.CutPrefix(variable, monitor.Marker+"="); ok {
				found[role], _ = strconv.Atoi(word) // a directory of /proc is a number
			}
		}
	}
	return found
}

// settled waits until the monitors of processes that have ended are done: they remove what outlived those.
func (s *site) settled() {
	s.t.Helper()
	eventually(s.t, "the monitors are done", func() bool {
		left, _ := filepath.Glob(filepath.Join(s.run, "*-*")) // the pattern is well formed
		return len(left) == 0
	})
}

// bundles waits for the monitors and returns what there is, newest first.
func (s *site) bundles() []bundle.Entry {
	s.t.Helper()
	s.settled()
	store, err := bundle.Open(s.crashes, bundle.Limits{}, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	defer store.Close()
	entries, err := store.List()
	if err != nil {
		s.t.Fatal(err)
	}
	return entries
}

// only returns the one bundle that there must be.
func (s *site) only() (bundle.Entry, *bundle.Meta) {
	s.t.Helper()
	entries := s.bundles()
	if len(entries) != 1 {
		s.t.Fatalf("%d bundles, want 1: %v", len(entries), entries)
	}
	return entries[0], metaOf(s.t, entries[0])
}

func metaOf(t *testing.T, e bundle.Entry) *bundle.Meta {
	t.Helper()
	m, err := e.Meta()
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// chaos has a server of the program panic.
func (p *program) chaos(server, seam string) {
	p.t.Helper()
	out, status := runIn(p.t, p.cmd.Dir, "chaos", "panic", "--ops-addr", strings.TrimPrefix(p.ops(), "http://"), "--server", server, "--seam", seam)
	if status != 0 {
		p.t.Fatalf("chaos at %s of %s: exit status %d: %s", seam, server, status, out)
	}
}
