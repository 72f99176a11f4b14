package bundle

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
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
	if err := look.Update(id, func(m *Meta) { m.Uploaded = "yes" }); !errors.Is(err, syscall.EROFS) {
		t.Errorf("Update: %v, want that it is read-only", err)
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
