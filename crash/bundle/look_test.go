package bundle

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"
)

func TestLookReadsAndChangesNothing(t *testing.T) {
	s, _ := newTestStore(t, Limits{})
	id := crashed(t, s, ClassGoroutine, "0123456789abcdef", noon, 10)
	before := tree(t, s.Dir())
	look, err := Look(s.Dir())
	must(t, err)
	defer look.Close()
	if got := ids(t, look); len(got) != 1 || got[0] != id {
		t.Errorf("lists %q, want %q", got, id)
	}
	e, err := look.Find("last")
	must(t, err)
	if m, err := e.Meta(); err != nil || m.ID != id {
		t.Errorf("meta of the last: %v, %v", m, err)
	}
	if _, err := look.Begin(ClassFatal, "", 1, noon); !errors.Is(err, syscall.EROFS) {
		t.Errorf("Begin: %v, want that it is read-only", err)
	}
	if after := tree(t, s.Dir()); after != before {
		t.Errorf("changed:\n%s\nwas:\n%s", after, before)
	}
}

func TestLookMakesNoDirectory(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "crash")
	if _, err := Look(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want that it is not there", err)
	}
	if _, err := os.Lstat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("after it: %v", err)
	}
}

func TestExcessIsWhatPruneRemoves(t *testing.T) {
	s, _ := newTestStore(t, Limits{Bundles: 3, Cores: 1})
	for i := range 5 {
		crashed(t, s, ClassGoroutine, "0123456789abcdef", noon.Add(time.Duration(i)*time.Second), 100)
	}
	before := tree(t, s.Dir())
	bundles, cores, err := s.Excess()
	must(t, err)
	if tree(t, s.Dir()) != before {
		t.Error("Excess changed the store")
	}
	all := ids(t, s)
	r, err := s.Prune()
	must(t, err)
	if len(bundles) != 2 || r.Bundles != 2 || len(cores) != r.Cores || r.Cores == 0 {
		t.Fatalf("foretold %d bundles and %d cores, removed %+v", len(bundles), len(cores), r)
	}
	left := ids(t, s)
	for _, id := range all {
		if slices.Contains(bundles, id) == slices.Contains(left, id) {
			t.Errorf("%s: foretold to go %v, is there %v", id, slices.Contains(bundles, id), slices.Contains(left, id))
		}
	}
	entries, err := s.List()
	must(t, err)
	for _, e := range entries {
		if slices.Contains(cores, e.ID) != (e.Core == 0) {
			t.Errorf("%s: its core was foretold to go %v, has %d bytes", e.ID, slices.Contains(cores, e.ID), e.Core)
		}
	}
}
