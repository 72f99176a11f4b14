package crash_test

import (
	"os"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"vitrine/crash"
	"vitrine/crash/bundle"
)

// hurry is over before its monitors can have come to themselves.
func hurry(name string) {
	p, err := crash.Start(crash.Config{
		Dir: os.Getenv("VITRINE_CRASH_DIR"), RunDir: os.Getenv("VITRINE_CRASH_RUN"), Name: "hurry", Notify: say,
		Metrics: func() []byte { panic("a source that panics ends nothing") },
	})
	switch {
	case err != nil:
		os.Exit(99)
	case name == "earlyexit":
		os.Exit(3)
	case name == "earlyzero":
		os.Exit(0)
	}
	panic("early, " + p.Dir())
}

func TestEarlyDeathsAreExplainedToo(t *testing.T) {
	for name, want := range map[string]struct {
		status, bundles int
		class           bundle.Class
	}{"early": {2, 1, bundle.ClassGoroutine}, "earlyexit": {3, 1, bundle.ClassExit}, "earlyzero": {0, 0, ""}} {
		began := time.Now()
		status, entries := perish(t, t.TempDir(), name)
		var own []bundle.Entry
		for _, e := range entries {
			if e.Class != bundle.ClassPanic { // of the source
				own = append(own, e)
			}
		}
		if status != want.status || len(own) != want.bundles {
			t.Errorf("%s: status %d after %v, %d bundles, want %d and %d", name, status, time.Since(began), len(own), want.status, want.bundles)
		} else if want.bundles == 1 && own[0].Class != want.class {
			t.Errorf("%s: class %s, want %s", name, own[0].Class, want.class)
		}
	}
}

// The capture takes no signal away from the program that has asked for it.
func TestSignalsOfTheProgramStayItsOwn(t *testing.T) {
	mine := make(chan os.Signal, 1)
	signal.Notify(mine, syscall.SIGCONT)
	defer signal.Stop(mine)
	p, err := crash.Start(crash.Config{Dir: t.TempDir(), RunDir: t.TempDir(), Notify: say})
	if err != nil {
		t.Fatal(err)
	}
	p.Close()
	syscall.Kill(os.Getpid(), syscall.SIGCONT)
	select {
	case <-mine:
	case <-time.After(10 * time.Second):
		t.Error("the program's signal does not come any more")
	}
}

func TestLimitsThatMakeNoSenseAreRefused(t *testing.T) {
	_, err := crash.Start(crash.Config{Dir: t.TempDir(), Limits: bundle.Limits{Bundles: -1}})
	if err == nil {
		t.Error("a negative number of bundles was taken")
	}
}
