package bundle

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const (
	printA = "aaaaaaaaaaaaaaaa"
	printB = "bbbbbbbbbbbbbbbb"
)

// step is one crash in a table, after some time.
type step struct {
	after  time.Duration
	class  Class
	print  string
	bundle bool
	core   bool
	why    string
}

func TestAdmissionFollowsLimits(t *testing.T) {
	const min, hour = time.Minute, time.Hour
	go1, live := ClassGoroutine, ClassPanic
	cases := []struct {
		name   string
		limits Limits
		steps  []step
	}{
		{"one bundle a minute and one core an hour for each fingerprint", Limits{}, []step{
			{0, live, printA, true, true, ""},
			{59 * time.Second, live, printA, false, false, whyRecent},
			{time.Second, live, printA, true, false, whyCoreRecent},
			{0, live, printB, true, true, ""},
			{0, live, printB, false, false, whyRecent},
			{59 * min, live, printA, true, true, ""},
		}},
		{"the text of a dying process comes once a minute", Limits{LoopCrashes: 100}, []step{
			{0, go1, printA, true, true, ""},
			{59 * time.Second, go1, printA, false, false, whyRecent},
			{time.Second, go1, printA, true, false, whyCoreRecent},
			{0, ClassFatal, printB, true, true, ""},
		}},
		{"tokens run out and come back", Limits{BundlesPerHour: 2}, []step{
			{0, live, printA, true, true, ""},
			{0, live, printB, true, true, ""},
			{0, live, "c", false, false, whyRate},
			{0, go1, "d", true, true, ""}, // dying needs none
			{29 * min, live, "c", false, false, whyRate},
			{min, live, "c", true, true, ""},
			{0, live, "e", false, false, whyRate},
			{10 * hour, live, "e", true, true, ""},
			{0, live, "f", true, true, ""},
			{0, live, "g", false, false, whyRate}, // the bucket has its size and no more
		}},
		{"five deaths in five minutes are a loop", Limits{}, []step{
			{0, go1, "1", true, true, ""},
			{75 * time.Second, go1, "2", true, true, ""},
			{75 * time.Second, go1, "3", true, true, ""},
			{75 * time.Second, go1, "4", true, true, ""},
			{75 * time.Second, go1, "5", true, false, whyLoop}, // 300 s after the first
			{0, live, "6", true, true, ""},                     // lives on: no loop
			{76 * time.Second, go1, "7", true, true, ""},       // 301 s after the second
		}},
		{"deaths that were held back count for the loop", Limits{}, []step{
			{0, go1, "1", true, true, ""},
			{0, go1, "1", false, false, whyRecent},
			{0, go1, "1", false, false, whyRecent},
			{0, go1, "1", false, false, whyRecent},
			{0, go1, "2", true, false, whyLoop},
		}},
		{"what is gone has no core", Limits{LoopCrashes: 100}, []step{
			{0, ClassKilled, "", true, false, whyNoCore},
			{0, ClassOOMKilled, "", true, false, whyNoCore},
			{0, ClassExit, "", true, false, whyNoCore},
			{0, ClassKilled, "", false, false, whyRecent}, // the class stands for the fingerprint
			{0, ClassAbort, "", true, true, ""},
		}},
		{"a clock that is set back holds nothing back", Limits{BundlesPerHour: 2}, []step{
			{0, live, printA, true, true, ""},
			{-24 * hour, live, printA, true, true, ""},
			{0, live, printA, false, false, whyRecent},
			{30 * min, live, printA, true, false, whyCoreRecent},
		}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s, clock := newTestStore(t, c.limits)
			for i, step := range c.steps {
				clock.pass(step.after)
				a, err := s.Admit(step.class, step.print)
				must(t, err)
				if a.Bundle != step.bundle || a.Core != step.core || a.Why != step.why || a.Core != (a.CoreBytes > 0) {
					t.Errorf("step %d, %s %s: %+v, want bundle %v core %v %q", i, step.class, step.print, a, step.bundle, step.core, step.why)
				}
			}
		})
	}
}

func TestAdmissionCountsWhatItHoldsBack(t *testing.T) {
	s, clock := newTestStore(t, Limits{})
	for i := range 10 {
		a, err := s.Admit(ClassPanic, printA)
		must(t, err)
		if a.Before.Count != uint64(i) || a.Before.HeldBack != uint64(max(i-1, 0)) {
			t.Errorf("crash %d: %+v before", i, a.Before)
		}
		clock.pass(time.Second)
	}
	reopened, err := Open(s.Dir(), Limits{}, clock.now)
	must(t, err)
	defer reopened.Close()
	got, err := reopened.Seen(ClassPanic, printA)
	must(t, err)
	if want := (Before{Count: 10, HeldBack: 9, First: noon, Last: noon.Add(9 * time.Second)}); got != want {
		t.Errorf("after opening again: %+v, want %+v", got, want)
	}
	if got, err := s.Seen(ClassPanic, printB); got != (Before{}) || err != nil {
		t.Errorf("of another fingerprint: %+v, %v", got, err)
	}
}

func TestCoreNeedsRoomOnTheDisk(t *testing.T) {
	for _, c := range []struct {
		name        string
		free, total int64
		err         error
		want        int64 // bytes, 0 = no core
	}{
		{"plenty", 90 << 30, 100 << 30, nil, 4 << 30},
		{"a little", 11 << 30, 100 << 30, nil, 1 << 30},
		{"ten percent", 10 << 30, 100 << 30, nil, 0},
		{"none", 0, 100 << 30, nil, 0},
		{"nobody can tell", 0, 0, errors.ErrUnsupported, 4 << 30},
		{"broken", 0, 0, syscall.EIO, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := newTestStore(t, Limits{})
			breakDisk(s).room = func() (int64, int64, error) { return c.free, c.total, c.err }
			a, err := s.Admit(ClassGoroutine, printA)
			must(t, err)
			if slack := a.CoreBytes - c.want; !a.Bundle || a.Core != (c.want > 0) || slack < 0 || slack > 100 {
				t.Errorf("%+v, want a bundle and %d bytes of core", a, c.want)
			}
			if !a.Core && a.Why != whyDisk {
				t.Errorf("no core for %q", a.Why)
			}
		})
	}
}

// Counts that cannot be used keep no text of a dying process back.
func TestAdmissionOutlivesFaults(t *testing.T) {
	for name, fail := range map[string]func(op, name string) error{
		"full": full, "read-only": readOnly,
		"unreadable": func(op, name string) error {
			if op == "open" && name == countsName {
				return syscall.EIO
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := newTestStore(t, Limits{})
			_, err := s.Admit(ClassPanic, printA)
			must(t, err)
			breakDisk(s).fail = fail
			for range 3 {
				a, err := s.Admit(ClassGoroutine, printB)
				if err == nil || !strings.Contains(err.Error(), s.Dir()) || !a.Bundle || a.Core {
					t.Errorf("dying: %+v, %v", a, err)
				}
				a, err = s.Admit(ClassPanic, printB)
				if err == nil || a.Bundle || a.Core {
					t.Errorf("living: %+v, %v", a, err)
				}
			}
		})
	}
}

func TestAdmissionOfAnUnknownClassIsAnError(t *testing.T) {
	s, _ := newTestStore(t, Limits{})
	if a, err := s.Admit("meltdown", printA); err == nil || a.Bundle {
		t.Errorf("%+v, %v", a, err)
	}
}

// Counts that make no sense are set aside, and counting begins again.
func TestDamagedCountsAreSetAside(t *testing.T) {
	for name, text := range map[string]string{
		"empty": "", "torn": `{"schema":1,"tok`, "garbage": "\x00\xff", "another schema": `{"schema":2}`, "an array": "[]",
		"huge": `{"schema":1,"kinds":{"` + strings.Repeat("x", maxCountsBytes) + `":null}}`,
	} {
		t.Run(name, func(t *testing.T) {
			s, _ := newTestStore(t, Limits{})
			must(t, os.WriteFile(filepath.Join(s.Dir(), countsName), []byte(text), fileMode))
			if _, err := s.Seen(ClassPanic, printA); !errors.Is(err, ErrCorrupt) {
				t.Errorf("seen: %v", err)
			}
			a, err := s.Admit(ClassPanic, printA)
			if err != nil || !a.Bundle || !a.Core {
				t.Errorf("%+v, %v", a, err)
			}
			if kept, err := os.ReadFile(filepath.Join(s.Dir(), damagedName)); string(kept) != text {
				t.Errorf("set aside %d bytes, %v", len(kept), err)
			}
		})
	}
}

func TestHostileCountsStayWithinBounds(t *testing.T) {
	s, _ := newTestStore(t, Limits{})
	const text = `{"schema":1,"tokens":1e300,"refilled":"9999-01-01T00:00:00Z","kinds":{"a":null,"aaaaaaaaaaaaaaaa":
		{"count":18446744073709551615,"bundle":"9999-01-01T00:00:00Z","core":"9999-01-01T00:00:00Z"}},
		"deaths":["9999-01-01T00:00:00Z","9999-01-01T00:00:00Z","9999-01-01T00:00:00Z","9999-01-01T00:00:00Z"]}`
	must(t, os.WriteFile(filepath.Join(s.Dir(), countsName), []byte(text), fileMode))
	if a, err := s.Admit(ClassGoroutine, printA); err != nil || !a.Bundle || !a.Core {
		t.Errorf("%+v, %v", a, err)
	}
	admitted := 0
	for i := range 100 {
		a, err := s.Admit(ClassPanic, fmt.Sprintf("%016x", i))
		must(t, err)
		if a.Bundle {
			admitted++
		}
	}
	if admitted != 19 {
		t.Errorf("%d more bundles were admitted in one hour, want 19", admitted)
	}
}

// What is remembered is bounded: the fingerprint that was not seen for longest goes.
func TestCountsAreBounded(t *testing.T) {
	l, err := Limits{}.withDefaults()
	must(t, err)
	c := &counts{Schema: Schema, Kinds: map[string]*counted{}}
	for i := range 3 * MaxFingerprints {
		c.admit(l, noon.Add(time.Duration(i)*time.Second), ClassGoroutine, fmt.Sprintf("%032x", i), 1<<40)
	}
	if len(c.Kinds) != MaxFingerprints || c.Others != 2*MaxFingerprints || len(c.Deaths) != l.LoopCrashes {
		t.Errorf("%d fingerprints, %d of others, %d deaths", len(c.Kinds), c.Others, len(c.Deaths))
	}
	if c.Kinds[fmt.Sprintf("%032x", 3*MaxFingerprints-1)] == nil {
		t.Error("the newest was forgotten")
	}
	s, _ := newTestStore(t, Limits{})
	must(t, s.writeCounts(c))
	info, err := os.Stat(filepath.Join(s.Dir(), countsName))
	must(t, err)
	if info.Size() > maxCountsBytes {
		t.Errorf("the file has %d bytes and would not be read", info.Size())
	}
}

func TestLimitsThatMakeNoSenseAreAllTold(t *testing.T) {
	_, err := Open(t.TempDir(), Limits{Bundles: -1, CoreEvery: -1, FreePercent: 101, LoopCrashes: 1000}, nil)
	for _, name := range []string{"bundles", "core every", "free percent", "loop crashes"} {
		if err == nil || !strings.Contains(err.Error(), "limit of "+name) {
			t.Errorf("%s is not in: %v", name, err)
		}
	}
}
