package bundle

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// made is a bundle in a table: its fingerprint, and the bytes of its core, -1 = none.
type made struct {
	print string
	core  int
}

func TestPruneKeepsNewestAndFirst(t *testing.T) {
	plain := func(prints string) (all []made) {
		for _, p := range prints {
			all = append(all, made{strings.Repeat(string(p), 16), -1})
		}
		return all
	}
	for _, c := range []struct {
		name   string
		limits Limits
		made   []made // oldest first
		kept   []int  // places in made of the bundles that stay
		cores  []int  // and of those that still have their core
	}{
		{"within limits", Limits{Bundles: 3}, plain("aaa"), []int{0, 1, 2}, nil},
		{"the middle goes first, oldest first", Limits{Bundles: 3}, plain("aaaaa"), []int{0, 3, 4}, nil},
		{"the first of each is dearer than what came between", Limits{Bundles: 4}, plain("abaaab"), []int{0, 1, 4, 5}, nil},
		{"when all are dear the oldest goes", Limits{Bundles: 3}, plain("abcdef"), []int{3, 4, 5}, nil},
		{"the newest stays whatever the limit", Limits{Bundles: 1, TextBytes: 1}, plain("ab"), []int{1}, nil},
		{"bytes of text", Limits{TextBytes: 35_000}, plain("aaaa"), []int{0, 2, 3}, nil},
		{"cores do not count as text", Limits{TextBytes: 35_000}, []made{{printA, 90_000}, {printA, 90_000}}, []int{0, 1}, []int{0, 1}},
		{"number of cores", Limits{Cores: 3}, []made{{printA, 10}, {printA, 10}, {printA, 10}, {printA, 10}, {printA, -1}}, []int{0, 1, 2, 3, 4}, []int{0, 2, 3}},
		{"first core of each", Limits{Cores: 2}, []made{{printB, 10}, {printA, 10}, {printA, 10}, {printA, 10}}, []int{0, 1, 2, 3}, []int{1, 3}},
		{"bytes of cores", Limits{CoreBytes: 25}, []made{{printA, 10}, {printA, 10}, {printA, 10}}, []int{0, 1, 2}, []int{0, 2}},
		{"the newest core stays", Limits{CoreBytes: 5, Cores: 1}, []made{{printA, 10}, {printB, 10}, {printB, -1}}, []int{0, 1, 2}, []int{1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, _ := newTestStore(t, c.limits)
			var all []string
			for i, m := range c.made {
				all = append(all, crashed(t, s, ClassGoroutine, m.print, noon.Add(time.Duration(i)*time.Minute), m.core))
			}
			removed, err := s.Prune()
			must(t, err)
			var kept, cores []int
			entries, err := s.List()
			must(t, err)
			for _, e := range slices.Backward(entries) {
				at := slices.Index(all, e.ID)
				m := checkBundle(t, e)
				kept = append(kept, at)
				if e.Core > 0 {
					cores = append(cores, at)
				}
				if c.made[at].core > 0 && e.Core == 0 && m.Core.Why != whyPruned {
					t.Errorf("bundle %d says of its core: %+v", at, m.Core)
				}
			}
			if !slices.Equal(kept, c.kept) || !slices.Equal(cores, c.cores) {
				t.Errorf("kept %v with cores %v, want %v with %v", kept, cores, c.kept, c.cores)
			}
			if removed.Bundles != len(all)-len(kept) || removed.Bytes == 0 != (len(kept) == len(all) && len(cores) == coresOf(c.made)) {
				t.Errorf("removed %+v", removed)
			}
		})
	}
}

func coresOf(all []made) (n int) {
	for _, m := range all {
		if m.core > 0 {
			n++
		}
	}
	return n
}

// A disk that is nearly full loses all cores but the newest, no text, and stops losing as soon as there is room.
func TestPruneLeavesRoomOnTheDisk(t *testing.T) {
	for freed := range 4 {
		s, _ := newTestStore(t, Limits{Cores: 10})
		for i := range 4 {
			crashed(t, s, ClassGoroutine, printA, noon.Add(time.Duration(i)*time.Minute), 1000)
		}
		d := breakDisk(s)
		free := int64(100 - freed)
		d.room = func() (int64, int64, error) { return free, 1000, nil }
		d.fail = func(op, name string) error {
			if op == "remove" && strings.HasSuffix(name, "/"+coreName) {
				free++
			}
			return nil
		}
		removed, err := s.Prune()
		must(t, err)
		if want := min(freed, 3); removed.Cores != want || removed.Bundles != 0 {
			t.Errorf("%d wanted: %+v", want, removed)
		}
		if e, err := s.Find("last"); err != nil || e.Core == 0 {
			t.Errorf("newest %+v, %v", e, err)
		}
	}
}

// What cannot be removed does not keep the rest, and is told.
func TestPruneGoesOnAfterAFault(t *testing.T) {
	s, _ := newTestStore(t, Limits{Bundles: 1})
	var all []string
	for i := range 5 {
		all = append(all, crashed(t, s, ClassGoroutine, printA, noon.Add(time.Duration(i)*time.Minute), -1))
	}
	breakDisk(s).fail = func(op, name string) error {
		if op == "rename" && name == all[2]+suffixGone {
			return syscall.EIO
		}
		return nil
	}
	removed, err := s.Prune()
	if !errors.Is(err, syscall.EIO) || removed.Bundles != 3 {
		t.Errorf("%+v, %v", removed, err)
	}
	if got := ids(t, s); !slices.Equal(got, []string{all[4], all[2]}) {
		t.Errorf("kept %v", got)
	}
}

// A core goes from a full disk although meta.json cannot be changed to say so.
func TestPruneRemovesCoresOnAFullDisk(t *testing.T) {
	s, _ := newTestStore(t, Limits{Cores: 1})
	for i := range 3 {
		crashed(t, s, ClassGoroutine, printA, noon.Add(time.Duration(i)*time.Minute), 1000)
	}
	breakDisk(s).fail = full
	if removed, err := s.Prune(); err != nil || removed.Cores != 2 {
		t.Errorf("%+v, %v", removed, err)
	}
}

// A process that crashes at once whenever it is started keeps its first and its last reports and fills no disk.
func TestCrashLoopIsBounded(t *testing.T) {
	s, clock := newTestStore(t, Limits{Bundles: 10})
	bundles, cores := 0, 0
	for i := range 120 {
		print := fmt.Sprintf("%016x", i%3)
		a, err := s.Admit(ClassGoroutine, print)
		must(t, err)
		if a.Bundle {
			bundles++
			size := -1
			if a.Core {
				cores++
				size = 100
			}
			crashed(t, s, ClassGoroutine, print, clock.now(), size)
			_, err := s.Prune()
			must(t, err)
		}
		clock.pass(10 * time.Second)
	}
	if bundles > 3*20 || bundles < 3*17 || cores != 3 {
		t.Errorf("%d bundles and %d cores of 120 crashes in 1200 s", bundles, cores)
	}
	got := ids(t, s)
	if first := got[len(got)-1]; len(got) != 10 || !strings.HasPrefix(first, noon.Format(stamp)) {
		t.Errorf("%d bundles, the oldest %s", len(got), first)
	}
}
