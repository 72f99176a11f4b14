//go:build linux

package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vitrine/core/flight"
	"vitrine/crash/bundle"
	"vitrine/servers/observe"
)

// sabotage is a whole stack with bots that may be made to panic.
type sabotage struct {
	*program
	dir, run string // of bundles, of what the monitors read
}

// newSabotage starts a stack. Its bundles are in a folder that the test waits for the monitors to leave.
func newSabotage(t *testing.T) *sabotage {
	t.Helper()
	dir, err := os.MkdirTemp("", "vitrine-e2e-crash-")
	if err != nil {
		t.Fatal(err)
	}
	s := &sabotage{dir: filepath.Join(dir, "crash"), run: filepath.Join(dir, "run")}
	t.Cleanup(func() {
		s.settled(t)
		os.RemoveAll(dir)
	})
	s.program = launch(t, "up", "--bots", "20", "--for", "5s", "--json", "--port-base", "0", "--set", "ops.chaos=true",
		"--set", "crash.dir="+s.dir, "--set", "crash.run_dir="+s.run)
	s.until(t, "sessions and monitors", func(st *observe.Status) bool { return st.Total.Sessions >= 20 && st.Crash.Monitors == 2 })
	return s
}

// until waits until /status shows what is wanted.
func (s *sabotage) until(t *testing.T, what string, holds func(*observe.Status) bool) {
	t.Helper()
	poll(t, what, func() bool {
		var st observe.Status
		return fetch(s.ops()+"/status", &st) == nil && holds(&st)
	})
}

// settled waits until the monitors have done their work.
func (s *sabotage) settled(t *testing.T) {
	t.Helper()
	poll(t, "the monitors' end", func() bool {
		left, err := os.ReadDir(s.run)
		return err != nil || len(left) == 0
	})
}

func poll(t *testing.T, what string, holds func() bool) {
	t.Helper()
	late := time.After(patience)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// chaos has the stack panic by the command that people use.
func (s *sabotage) chaos(t *testing.T, server, seam string) {
	t.Helper()
	cmd := exec.Command(executable, "chaos", "panic", "--ops-addr", strings.TrimPrefix(s.ops(), "http://"), "--server", server, "--seam", seam)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("chaos panic at %s: %v\n%s", seam, err, text)
	}
}

// bundles returns what the crashes left.
func (s *sabotage) bundles(t *testing.T) []*bundle.Meta {
	t.Helper()
	store, err := bundle.Look(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	entries, err := store.List()
	if err != nil {
		t.Fatal(err)
	}
	var metas []*bundle.Meta
	for _, e := range entries {
		m, err := e.Meta()
		if err != nil {
			t.Fatal(err)
		}
		metas = append(metas, m)
	}
	return metas
}

// A handler that panics costs its session and nobody else's, and leaves one bundle that says where it was.
func TestPanicLeavesABundleAndTheOthersInPeace(t *testing.T) {
	s := newSabotage(t)
	s.chaos(t, "echo-sealed", "recv")
	s.until(t, "a bundle", func(st *observe.Status) bool { return st.Crash.Bundles == 1 })
	s.status(patience) // 1: a bot saw its session end
	got := lastLine(t, s.program)
	checkBooks(t, got)
	var cut uint64
	for _, one := range got.Servers {
		cut += *one.ServerDisconnects
	}
	if cut != 1 || *got.Servers["echo-sealed"].ServerDisconnects != 1 || got.CloseReasons["handler_panic"] != 1 {
		t.Errorf("servers ended %d sessions unasked, reasons %v, want one, of echo-sealed, with handler_panic", cut, got.CloseReasons)
	}
	metas := s.bundles(t)
	if len(metas) != 1 {
		t.Fatalf("%d bundles, want 1", len(metas))
	}
	m := metas[0]
	w := m.Where
	if m.Class != bundle.ClassPanic || w.Server != "echo-sealed" || w.Callback != "OnRecv" || w.Session == "" ||
		!strings.Contains(m.Reason, "chaos at recv") || flight.Enabled && (len(m.Trace) != 32 || len(m.Span) != 16) {
		t.Errorf("meta %+v", m)
	}
	var config map[string]struct{ Value string }
	text, err := os.ReadFile(filepath.Join(s.dir, m.ID, "config.json"))
	if err != nil || json.Unmarshal(text, &config) != nil || config["ops.chaos"].Value != "true" {
		t.Errorf("config.json: %v\n%s", err, text)
	}
}

// Panics at the seams that are no session's cost no session at all.
func TestPanicsOutsideSessionsCostNone(t *testing.T) {
	s := newSabotage(t)
	callbacks := map[string]string{"worker-begin": "OnWorkerThreadBegin", "worker-end": "OnWorkerThreadEnd", "timer": "timer"}
	var panics uint64
	for seam := range callbacks {
		s.chaos(t, "chat", seam)
		panics++
		s.until(t, seam, func(st *observe.Status) bool { return st.Crash.Panics == panics })
	}
	s.until(t, "three bundles", func(st *observe.Status) bool { return st.Crash.Bundles == 3 })
	if status := s.status(patience); status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
	got := lastLine(t, s.program)
	checkBooks(t, got)
	if !got.OK || got.CloseReasons["handler_panic"] != 0 {
		t.Errorf("got %+v, want ok", got)
	}
	seen := map[string]bool{}
	for _, m := range s.bundles(t) {
		seen[m.Where.Callback] = true
	}
	for _, callback := range callbacks {
		if !seen[callback] {
			t.Errorf("no bundle of %s among %v", callback, seen)
		}
	}
}

// A panic that nobody catches ends the process, with the runtime's status and a bundle.
func TestPanicOnAGoroutineEndsTheProcess(t *testing.T) {
	s := newSabotage(t)
	s.chaos(t, "chat", "goroutine")
	if status := s.status(patience); status != 2 {
		t.Errorf("exit status %d, want the runtime's 2", status)
	}
	s.settled(t)
	metas := s.bundles(t)
	if len(metas) != 1 || metas[0].Class != bundle.ClassGoroutine || !strings.Contains(metas[0].Reason, "chaos on a goroutine") {
		t.Errorf("got %d bundles %+v, want one of that goroutine", len(metas), metas)
	}
}
