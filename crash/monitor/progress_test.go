package monitor

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"vitrine/crash/bundle"
)

// fallen is the setup of a process that has died.
func fallen(t *testing.T) *Setup {
	t.Helper()
	return &Setup{
		Process: bundle.Process{PID: 1 << 30, Started: time.Now()}, Dir: filepath.Join(t.TempDir(), "crash"), RunDir: t.TempDir(),
	}
}

// heardOf begins the report of a death that told of itself.
func heardOf(s *Setup) *job {
	r := newReport(s, time.Now())
	r.meta.Class, r.meta.Reason = bundle.ClassGoroutine, "panic: it broke"
	j := begin(s, r, time.Now(), func() {})
	j.hear([]byte("panic: it broke\n\ngoroutine 1 [running]:\nmain.main()\n\t/main.go:3 +0x1\n"), 0)
	return j
}

// The limits let one bundle of a kind through in a minute. A monitor that takes over from one which asked them and died has its
// answer, and leaves nothing of what that one had begun.
func TestOneAnswerOfTheLimitsIsEnoughForADeath(t *testing.T) {
	s := fallen(t)
	first := heardOf(s)
	if a, err := first.admit(); err != nil || !a.Bundle {
		t.Fatalf("admission %+v, %v", a, err)
	}
	if err := heardOf(s).finish(); err != nil { // the first lives still, so what it has begun stays
		t.Fatal(err)
	}
	if path := s.progress().Path; path == "" {
		t.Error("the bundle is not noted")
	} else if m, err := bundle.ReadMeta(path); err != nil || m.Fingerprint == "" {
		t.Errorf("fingerprint of %+v, %v", m, err)
	} else if err := s.follow(path); err != nil {
		t.Error(err)
	}
	other := *s
	other.RunDir = t.TempDir()
	if err := heardOf(&other).finish(); !errors.Is(err, errHeldBack) {
		t.Errorf("another death of this kind: %v, want it held back", err)
	}
}

// A bundle that has its name is sent by whoever goes on, and not made again.
func TestOrphanOfAFinishedBundleIsNotReportedAgain(t *testing.T) {
	s := fallen(t)
	hold, err := HoldRun(s.RunDir)
	if err := errors.Join(err, s.Save(), heardOf(s).finish(), orphan(s.RunDir)); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.RunDir); err != nil {
		t.Errorf("a run directory in use was taken for an orphan: %v", err)
	}
	if err := errors.Join(hold.Close(), orphan(s.RunDir)); err != nil {
		t.Fatal(err)
	}
	bundles, _ := filepath.Glob(filepath.Join(s.Dir, "*", "meta.json")) // the pattern is well formed
	left, _ := filepath.Glob(s.RunDir)
	if len(bundles) != 1 || len(left) != 0 {
		t.Errorf("bundles %q, run directory %q, want one and none", bundles, left)
	}
}
