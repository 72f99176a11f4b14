package monitor

import (
	"encoding/json"
	"errors"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"vitrine/crash/bundle"
	"vitrine/crash/probe"
)

// looked returns the moments of a bundle's cgroup.json, and what its meta.json says is missing of it.
func looked(t *testing.T, path string) (moments, problems []string) {
	t.Helper()
	m, err := bundle.ReadMeta(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range m.Problems {
		if strings.HasPrefix(p, cgroupName) {
			problems = append(problems, p)
		}
	}
	data, err := bundle.ReadFile(path, cgroupName, maxCgroupBytes)
	if errors.Is(err, os.ErrNotExist) {
		return nil, problems
	}
	var all looks
	if err := errors.Join(err, json.Unmarshal(data, &all)); err != nil {
		t.Fatal(err)
	}
	return slices.Sorted(maps.Keys(all)), problems
}

// Every bundle has cgroup.json, or says why it has none.
func TestBundlesHaveTheirControlGroup(t *testing.T) {
	mine := probe.Cgroup(os.Getpid())
	if runtime.GOOS == "linux" && mine.Version == 0 {
		t.Skip("this process is in no control group that is known")
	}
	alive := fallen(t)
	alive.Process = bundle.Process{PID: os.Getpid(), Started: time.Now()}
	path, err := WriteText(alive, &Capture{Class: bundle.ClassPanic, Reason: "panic: x", At: time.Now()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	checkLooks(t, "alive, without a monitor", path, mine, cgroupNow)

	dead := fallen(t)
	j := heardOf(dead)
	j.cgroup = looks{cgroupStart: mine, cgroupDeath: mine.Again()}
	if err := j.finish(); err != nil {
		t.Fatal(err)
	}
	checkLooks(t, "dead", j.path, mine, cgroupDeath, cgroupStart)
}

func checkLooks(t *testing.T, name, path string, of probe.CgroupInfo, want ...string) {
	t.Helper()
	moments, problems := looked(t, path)
	if of.Version == 0 {
		if len(moments) > 0 || len(problems) != 1 {
			t.Errorf("%s: %q, problems %q; want none and why", name, moments, problems)
		}
	} else if !slices.Equal(moments, want) || len(problems) > 0 {
		t.Errorf("%s: %q, problems %q; want %q", name, moments, problems, want)
	}
}

// Of a run that is over with all its monitors there is what they saw at the start.
func TestOrphansHaveTheControlGroupOfTheirStart(t *testing.T) {
	mine := probe.Cgroup(os.Getpid())
	for name, test := range map[string]struct {
		kept     bool
		problems int
	}{"kept": {true, 1}, "nothing kept": {false, 3}} {
		s := fallen(t)
		hold, err := HoldRun(s.RunDir)
		if err := errors.Join(err, s.Save()); err != nil {
			t.Fatal(err)
		}
		if test.kept {
			s.keepCgroup(mine)
			s.keepCgroup(probe.CgroupInfo{Version: 7}) // a monitor that was started again
		}
		if err := errors.Join(hold.Close(), orphan(s.RunDir)); err != nil {
			t.Fatal(err)
		}
		store, err := bundle.Open(s.Dir, bundle.Limits{}, nil)
		if err != nil {
			t.Fatal(err)
		}
		entries, err := store.List()
		if err := errors.Join(err, store.Close()); err != nil || len(entries) != 1 {
			t.Fatalf("%s: %d bundles, %v", name, len(entries), err)
		}
		moments, problems := looked(t, entries[0].Path())
		if want := test.kept && mine.Version != 0; want != slices.Equal(moments, []string{cgroupStart}) || len(problems) < 1 || len(problems) > test.problems {
			t.Errorf("%s: %q, problems %q", name, moments, problems)
		}
		if m, err := entries[0].Meta(); err != nil || m.Core.State != bundle.CoreNone || m.Core.Why != nothingLeft {
			t.Errorf("%s: core %+v, %v", name, m.Core, err)
		}
	}
}
