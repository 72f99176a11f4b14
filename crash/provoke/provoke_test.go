package provoke_test

import (
	"errors"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"vitrine/crash/provoke"
)

func TestMain(m *testing.M) {
	provoke.Serve()
	os.Exit(m.Run())
}

// Every class leaves a bundle that says what happened, and dies with the exit status that it has without capture.
func TestEveryClassLeavesItsBundle(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("signals and limits of memory are sent and set on Linux")
	}
	if raceEnabled {
		t.Skip("a victim under the race detector is terabytes wide, and some classes are races")
	}
	slots := make(chan struct{}, 2) // processes at once
	for _, class := range provoke.Classes() {
		t.Run(class.Name, func(t *testing.T) {
			t.Parallel()
			if lacks := class.Lacks(); lacks != "" {
				t.Skip(lacks)
			}
			slots <- struct{}{}
			defer func() { <-slots }()
			leavesItsBundle(t, class)
		})
	}
}

func leavesItsBundle(t *testing.T, class provoke.Class) {
	o, err := provoke.Run(t.Context(), provoke.Options{Class: class.Name, Dir: t.TempDir(), Stderr: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	if len(o.Missing) > 0 {
		t.Errorf("missing: %q in %+v", o.Missing, o.Meta)
	}
	if class.Name == "huge" && o.Status == 2 {
		return // the kernel needs ten seconds to refuse, and the runtime's status for it is 2
	}
	bare, err := provoke.Run(t.Context(), provoke.Options{Class: class.Name, Bare: true, Stderr: t.Output()})
	if err != nil {
		t.Fatal(err)
	}
	if o.Status != bare.Status {
		t.Errorf("exit status %d, without capture %d", o.Status, bare.Status)
	}
	if o.Meta != nil {
		t.Logf("%s: %s (%s), %+v, core %s %s", o.Meta.Class, o.Meta.Reason, o.Meta.ReasonHow, o.Meta.Timings, o.Meta.Core.State, o.Meta.Core.Why)
	}
}

// What is not as it should be is said.
func TestMissingPartsAreNamed(t *testing.T) {
	if _, err := provoke.Find("boredom"); err == nil || !strings.Contains(err.Error(), "mapwrites") {
		t.Errorf("an unknown class: %v, want the names of those that are", err)
	}
	dir := t.TempDir()
	for range 2 { // the second time the bundle of the first is there, and is not taken for the second's
		o, err := provoke.Run(t.Context(), provoke.Options{Class: "exit", Dir: dir})
		if err != nil || len(o.Missing) != 0 {
			t.Fatalf("%+v, %v", o, err)
		}
	}
	v, err := provoke.Start(t.Context(), provoke.Options{Class: "panic", Dir: dir, Wait: 10 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if status, err := v.End(); status != 0 || err != nil {
		t.Errorf("the end of a victim to which nothing happened: %d, %v", status, err)
	}
	if _, err := v.Next(); !errors.Is(err, provoke.ErrNoBundle) {
		t.Errorf("its bundle: %v, want ErrNoBundle", err)
	}
}

// One victim panics again and again and goes on; each time is a bundle, and none is taken twice.
func TestLivingVictimIsAskedAgain(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("a test of live bundles")
	}
	v, err := provoke.Start(t.Context(), provoke.Options{Class: "panic", Dir: t.TempDir(), Heap: 8 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	seen := map[string]bool{}
	for range 3 {
		if err := v.Provoke(); err != nil {
			t.Fatal(err)
		}
		e, err := v.Next()
		if err != nil || seen[e.ID] {
			t.Fatalf("bundle %q, %v", e.ID, err)
		}
		seen[e.ID] = true
	}
	if _, err := v.Gap(); err != nil {
		t.Error(err)
	}
	if status, err := v.End(); status != 0 || err != nil {
		t.Errorf("its end: %d, %v", status, err)
	}
}
