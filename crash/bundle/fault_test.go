package bundle

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestStoreThatCannotBeWrittenIsAClearError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	must(t, os.WriteFile(file, nil, fileMode))
	for _, dir := range []string{file, filepath.Join(file, "below"), string([]byte{'a', 0})} {
		if _, err := Open(dir, Limits{}, nil); err == nil || !strings.Contains(err.Error(), "open crash store") {
			t.Errorf("%q: %v", dir, err)
		}
	}
	s, _ := newTestStore(t, Limits{})
	d := breakDisk(s)
	for want, fail := range map[error]func(op, name string) error{syscall.ENOSPC: full, syscall.EROFS: readOnly} {
		d.fail = fail
		_, err := s.Begin(ClassPanic, printA, 1, noon)
		if !errors.Is(err, want) || !strings.Contains(err.Error(), s.Dir()) {
			t.Errorf("begin: %v, want %v in %s", err, want, s.Dir())
		}
		if err := s.tryOut(); !errors.Is(err, want) {
			t.Errorf("open: %v, want %v", err, want)
		}
	}
	d.fail = func(string, string) error { return nil }
	if left := tree(t, s.Dir()); strings.Contains(left, prefixBegin) {
		t.Errorf("left:\n%s", left)
	}
}

// A disk that fills up after any number of steps keeps what it took, loses none of it, and says what is missing.
func TestBundleOutlivesAFullDisk(t *testing.T) {
	text := []byte("panic: it broke\n\ngoroutine 1 [running]:\n")
	for room := range 40 {
		s, _ := newTestStore(t, Limits{})
		d := breakDisk(s)
		left := room
		d.half = room%2 == 1
		d.fail = func(op, name string) error {
			if full(op, name) == nil {
				return nil
			}
			if left--; left < 0 {
				return syscall.ENOSPC
			}
			return nil
		}
		w, err := s.Begin(ClassGoroutine, printA, 1, noon)
		if err != nil {
			continue
		}
		wrote := w.Write(textName, text)
		w.Write("metrics.json", []byte("{}"))
		w.Draft(&Meta{Reason: "panic: it broke"})
		if f, err := w.Create(coreName); err == nil {
			must(t, f.Close())
		}
		m := &Meta{Core: Core{State: CoreWritten, File: coreName}}
		if _, err := w.Finish(m); err != nil {
			left = 100 // somebody made room
			if _, err = w.Finish(m); err != nil {
				t.Fatalf("room for %d steps: %v", room, err)
			}
		}
		e, err := s.Find("last")
		must(t, err)
		checkBundle(t, e)
		got, err := e.Read(textName, 1000)
		if wrote == nil && string(got) != string(text) {
			t.Errorf("room for %d steps: text %q, %v", room, got, err)
		}
		if wrote != nil && (!strings.HasPrefix(string(text), string(got)) || !strings.Contains(strings.Join(m.Problems, "\n"), textName)) {
			t.Errorf("room for %d steps: text %q, %v", room, got, m.Problems)
		}
	}
}

// checkBundle finds what a bundle with a final name must not be.
func checkBundle(t *testing.T, e Entry) *Meta {
	t.Helper()
	m, err := e.Meta()
	if err != nil {
		t.Fatalf("bundle %s: %v\n%s", e.ID, err, tree(t, e.Path()))
	}
	if m.ID != e.ID || m.Class != e.Class || m.Process.PID != e.PID {
		t.Errorf("bundle %s says %s, %s, %d", e.ID, m.ID, m.Class, m.Process.PID)
	}
	found, err := os.ReadDir(e.Path())
	must(t, err)
	names := map[string]bool{metaName: true}
	for _, f := range m.Files {
		names[f.Name] = true
		if info, err := os.Lstat(filepath.Join(e.Path(), f.Name)); err != nil || info.Size() != f.Bytes {
			t.Errorf("bundle %s: file %+v is %v, %v", e.ID, f, info, err)
		}
	}
	for _, f := range found {
		if !names[f.Name()] {
			t.Errorf("bundle %s: %s is in no list", e.ID, f.Name())
		}
	}
	return m
}

// The core gives way when the disk has no room for meta.json.
func TestCoreGivesWayToMeta(t *testing.T) {
	s, _ := newTestStore(t, Limits{})
	d := breakDisk(s)
	w, err := s.Begin(ClassGoroutine, printA, 1, noon)
	must(t, err)
	must(t, w.Write(coreName, make([]byte, 1000)))
	must(t, w.Write(textName, []byte("panic: it broke")))
	d.fail = func(op, name string) error {
		if _, err := os.Stat(filepath.Join(w.Dir(), coreName)); err == nil {
			return full(op, name)
		}
		return nil
	}
	m := &Meta{Core: Core{State: CoreWritten, File: coreName, Bytes: 1000, Apparent: 5000}}
	_, err = w.Finish(m)
	must(t, err)
	e, err := s.Find("last")
	must(t, err)
	got := checkBundle(t, e)
	if want := (Core{State: CoreNone, Why: whyNoRoom, Apparent: 5000}); got.Core != want || len(got.Files) != 1 || e.Core != 0 {
		t.Errorf("core %+v, files %v", got.Core, got.Files)
	}
}

// A store on a full disk makes room of its own bundles for a new one.
func TestBeginMakesRoom(t *testing.T) {
	s, _ := newTestStore(t, Limits{Cores: 1})
	crashed(t, s, ClassGoroutine, printA, noon, 100)
	crashed(t, s, ClassGoroutine, printA, noon.Add(time.Second), 100)
	d := breakDisk(s)
	d.fail = func(op, name string) error {
		entries, err := s.List()
		must(t, err)
		if op == "mkdir" && entries[1].Core > 0 {
			return syscall.ENOSPC
		}
		return nil
	}
	w, err := s.Begin(ClassGoroutine, printA, 1, noon)
	must(t, err)
	must(t, w.Discard())
}

// Nothing of a bundle waits for a process that stopped with the lock in its hand.
func TestStuckHolderOfTheLockDelaysNoReport(t *testing.T) {
	s, _ := newTestStore(t, Limits{})
	f, err := s.lockFile()
	must(t, err)
	defer f.Close()
	if err := s.disk.lock(f); errors.Is(err, errors.ErrUnsupported) {
		t.Skip("no locks here")
	}
	s.wait = 20 * time.Millisecond
	if a, err := s.Admit(ClassGoroutine, printA); !errors.Is(err, ErrBusy) || !a.Bundle || a.Core {
		t.Errorf("dying: %+v, %v", a, err)
	}
	if a, err := s.Admit(ClassPanic, printA); !errors.Is(err, ErrBusy) || a.Bundle {
		t.Errorf("living: %+v, %v", a, err)
	}
	id := crashed(t, s, ClassGoroutine, printA, noon, 10)
	if got := ids(t, s); !slices.Equal(got, []string{id}) {
		t.Errorf("bundles %v", got)
	}
	if _, err := s.Prune(); !errors.Is(err, ErrBusy) {
		t.Errorf("prune: %v", err)
	}
	if got := s.Recover(nil); got != nil {
		t.Errorf("recovered %v", got)
	}
	must(t, f.Close())
	if _, err := s.Prune(); err != nil {
		t.Errorf("prune after that: %v", err)
	}
}

// A sweep of another process may take a directory that has no lock in it yet.
func TestBeginTriesAgainWhenASweepTakesItsDirectory(t *testing.T) {
	s, _ := newTestStore(t, Limits{})
	d := breakDisk(s)
	sweeps := beginTries - 1
	d.fail = func(op, name string) error {
		if op == "create" && strings.HasPrefix(name, prefixBegin) && sweeps > 0 {
			sweeps--
			must(t, os.Remove(filepath.Join(s.Dir(), filepath.Dir(name))))
		}
		return nil
	}
	w, err := s.Begin(ClassPanic, printA, 1, noon)
	must(t, err)
	must(t, w.Discard())
	sweeps = beginTries
	if _, err := s.Begin(ClassPanic, printA, 1, noon); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a sweep without end: %v", err)
	}
}

// A bundle may get its final name while it is looked at, and another writer its old name: that one is alive.
func TestRecoverIsNotFooledByAnotherOfTheSameName(t *testing.T) {
	for _, op := range []string{"open", "lock"} {
		s, clock := newTestStore(t, Limits{})
		begin := func() *Writer {
			w, err := s.Begin(ClassPanic, printA, 4711, noon)
			must(t, err)
			must(t, w.Write(textName, []byte("panic: it broke")))
			return w
		}
		first, second := begin(), (*Writer)(nil)
		other, err := Open(s.Dir(), Limits{}, clock.now)
		must(t, err)
		breakDisk(other).fail = func(did, name string) error {
			if did == op && strings.HasSuffix(name, writerName) && second == nil {
				must(t, first.Discard())
				second = begin()
			}
			return nil
		}
		if got := other.Recover(nil); got != nil || second == nil {
			t.Errorf("%s: recovered %v of a writer that lives", op, got)
		}
		must(t, other.Close())
		_, err = second.Finish(&Meta{})
		must(t, err)
	}
}
