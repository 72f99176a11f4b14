package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestBundleHoldsWhatWasWritten(t *testing.T) {
	s, _ := newTestStore(t, Limits{FileBytes: 100})
	log := filepath.Join(t.TempDir(), "log")
	must(t, os.WriteFile(log, []byte(strings.Repeat("a line of the log\n", 20)), 0o644))
	w, err := s.Begin(ClassGoroutine, "", 7148, noon)
	must(t, err)
	must(t, w.Write("crash.txt", []byte("panic: it broke")))
	must(t, w.Write("long.txt", bytes.Repeat([]byte("0123456789"), 11)))
	must(t, w.Write("empty", nil))
	must(t, w.Copy("log.tail", log, 36))
	must(t, w.Copy("log.all", log, 0))
	core, err := w.Create(coreName)
	must(t, err)
	_, err = core.WriteString("core")
	must(t, errors.Join(err, core.Close()))
	if found, _ := os.ReadDir(w.Dir()); len(found) != 7 {
		t.Errorf("%d files while it is written", len(found))
	}
	must(t, w.Rename(ClassFatal, printA))
	meta := &Meta{Reason: "fatal error: all goroutines are asleep", Where: Where{Worker: 3}, Core: Core{State: CoreWritten, File: coreName}}
	id, err := w.Finish(meta)
	must(t, err)

	if want := "20261122T120000.123Z-7148-fatal-aaaaaaaa"; id != want || w.Dir() != filepath.Join(s.Dir(), want) {
		t.Errorf("bundle %s in %s", id, w.Dir())
	}
	e, err := s.Find(id)
	must(t, err)
	got, err := e.Meta()
	must(t, err)
	want := []File{{"crash.txt", 15, false}, {"long.txt", 100, true}, {"empty", 0, false}, {"log.tail", 36, true}, {"log.all", 100, true}, {coreName, 4, false}}
	if !slices.Equal(got.Files, want) {
		t.Errorf("files %v, want %v", got.Files, want)
	}
	if got.ID != id || got.Schema != Schema || got.Class != ClassFatal || !got.Time.Equal(noon) || got.Process.PID != 7148 || got.Where.Worker != 3 || got.Problems != nil {
		t.Errorf("meta %+v", got)
	}
	for name, want := range map[string]string{
		"crash.txt": "panic: it broke", "long.txt": strings.Repeat("0123456789", 10), "log.tail": strings.Repeat("a line of the log\n", 2), coreName: "core",
	} {
		if text, err := e.Read(name, 1000); string(text) != want || err != nil {
			t.Errorf("%s holds %q, %v", name, text, err)
		}
	}
	if e.Core != 4 || e.PID != 7148 || e.Class != ClassFatal || e.Fingerprint != "aaaaaaaa" || !e.Time.Equal(noon) {
		t.Errorf("entry %+v", e)
	}
	if found, _ := os.ReadDir(e.Path()); len(found) != 7 {
		t.Errorf("files left over: %v", found)
	}
}

func TestWriterRefusesWhatIsNotAFile(t *testing.T) {
	s, _ := newTestStore(t, Limits{})
	w, err := s.Begin(ClassPanic, printA, 1, noon)
	must(t, err)
	must(t, w.Write("a.txt", nil))
	for _, name := range []string{
		"", ".", "..", ".writer", ".draft", "../x", "a/b", "/etc/passwd", `a\b`, "a.part", "meta.json", "a b", "a\n", "é", "a\x00",
		strings.Repeat("a", 65), "-rf", "a.txt",
	} {
		if err := w.Write(name, []byte("x")); err == nil {
			t.Errorf("%q was written", name)
		}
		if f, err := w.Create(name); err == nil {
			f.Close()
			t.Errorf("%q was created", name)
		}
		if err := w.Copy(name, "writer_test.go", 0); err == nil {
			t.Errorf("%q was copied", name)
		}
	}
	for _, source := range []string{"nowhere", ".", os.DevNull} {
		if err := w.Copy("b", source, 0); err == nil || !strings.Contains(err.Error(), source) {
			t.Errorf("copy of %s: %v", source, err)
		}
	}
	for i := range MaxFiles - 1 {
		must(t, w.Write(fmt.Sprintf("n%d", i), nil))
	}
	if err := w.Write("more", nil); err == nil {
		t.Error("a bundle has no limit of files")
	}
	m := &Meta{}
	_, err = w.Finish(m)
	must(t, err)
	if len(m.Files) != MaxFiles || len(m.Problems) != maxProblems {
		t.Errorf("%d files, %d problems", len(m.Files), len(m.Problems))
	}
}

func TestWriterIsClosedByFinish(t *testing.T) {
	s, _ := newTestStore(t, Limits{})
	w, err := s.Begin(ClassPanic, printA, 1, noon)
	must(t, err)
	id, err := w.Finish(&Meta{})
	must(t, err)
	_, finishErr := w.Finish(&Meta{})
	_, createErr := w.Create("a")
	for op, err := range map[string]error{
		"write": w.Write("a", nil), "copy": w.Copy("a", "writer_test.go", 0), "create": createErr, "rename": w.Rename(ClassHang, ""),
		"draft": w.Draft(&Meta{}), "finish": finishErr,
	} {
		if !errors.Is(err, ErrClosed) {
			t.Errorf("%s after finish: %v", op, err)
		}
	}
	must(t, w.Discard())
	if got := ids(t, s); !slices.Equal(got, []string{id}) {
		t.Errorf("%v", got)
	}
}

func TestDiscardLeavesNothing(t *testing.T) {
	s, _ := newTestStore(t, Limits{})
	before := tree(t, s.Dir())
	w, err := s.Begin(ClassPanic, printA, 1, noon)
	must(t, err)
	must(t, w.Write("a", []byte("a")))
	must(t, w.Discard())
	must(t, w.Discard())
	if after := tree(t, s.Dir()); after != before {
		t.Errorf("left:\n%s", after)
	}
}

// Bundles of one millisecond, process, class and fingerprint get names of their own, finished or not.
func TestNamesAreUnique(t *testing.T) {
	s, _ := newTestStore(t, Limits{})
	seen := map[string]bool{}
	for i := range 20 {
		w, err := s.Begin(ClassPanic, printA, 1, noon)
		must(t, err)
		must(t, w.Write("n", fmt.Append(nil, i)))
		if seen[w.Dir()] {
			t.Fatalf("%s twice", w.Dir())
		}
		seen[w.Dir()] = true
		if i%2 == 0 {
			_, err := w.Finish(&Meta{})
			must(t, err)
			seen[w.Dir()] = true
		}
	}
	if got := ids(t, s); len(got) != 10 {
		t.Errorf("%d bundles: %v", len(got), got)
	}
}

// A name that somebody takes while the bundle is written is not written over.
func TestFinishTakesAnotherNameWhenItsOwnIsTaken(t *testing.T) {
	s, _ := newTestStore(t, Limits{})
	w, err := s.Begin(ClassPanic, printA, 1, noon)
	must(t, err)
	taken := strings.TrimSuffix(w.Dir(), suffixPartial)
	must(t, os.WriteFile(taken, []byte("mine"), fileMode))
	m := &Meta{}
	id, err := w.Finish(m)
	must(t, err)
	if id != filepath.Base(taken)+"-2" || m.ID != id {
		t.Errorf("%s, %s", id, m.ID)
	}
	if text, _ := os.ReadFile(taken); string(text) != "mine" {
		t.Errorf("what was there holds %q", text)
	}
}

func TestNamesRoundTrip(t *testing.T) {
	for _, c := range []struct {
		class       Class
		fingerprint string
		pid         int
		at          time.Time
		want        string
	}{
		{ClassGoroutine, printA, 7148, noon, "20261122T120000.123Z-7148-goroutine-aaaaaaaa"},
		{ClassKilled, "", 0, noon.In(time.FixedZone("east", 3600)).Add(999 * time.Microsecond), "20261122T120000.123Z-0-killed-00000000"},
		{ClassHang, "../../etc", -5, time.Time{}, "20261122T120000.123Z-0-hang-cb7d5d3f"},
		{ClassExit, "AAAAAAAAA", 1, time.Date(12026, 1, 1, 0, 0, 0, 0, time.UTC), "20261122T120000.123Z-1-exit-fa6d68c4"},
	} {
		l := makeLabel(c.class, c.fingerprint, c.pid, c.at, noon)
		if l.String() != c.want {
			t.Errorf("%s, want %s", l, c.want)
		}
		if got, ok := parseLabel(l.String()); !ok || got != l {
			t.Errorf("%s is read as %+v, %v", l, got, ok)
		}
	}
	for _, name := range []string{
		"", ".", "..", "-", "----", "20261122T120000.123Z-7148-goroutine-aaaaaaaa-1", "20261122T120000.123Z-7148-goroutine-aaaaaaaa-02",
		"20261122T120000.123Z-7148-goroutine-aaaaaaaa-100", "20261122T120000.123Z-07148-goroutine-aaaaaaaa", "20261122T120000.123Z-+1-goroutine-aaaaaaaa",
		"20261122T120000.123Z-7148-meltdown-aaaaaaaa", "20261122T120000.123Z-7148-goroutine-AAAAAAAA", "20261122T120000.123Z-7148-goroutine-aaaaaaa",
		"20261322T120000.123Z-7148-goroutine-aaaaaaaa", "20261122T120000.123Z-7148-goroutine-aaaaaaaa\n", "20261122T120000.123Z-7148-goroutine-aaaaaaaa/..",
	} {
		if l, ok := parseLabel(name); ok {
			t.Errorf("%q is read as %+v", name, l)
		}
	}
}

func TestFindTakesIdsBeginningsAndLast(t *testing.T) {
	s, _ := newTestStore(t, Limits{})
	if _, err := s.Find("last"); !errors.Is(err, ErrNotFound) {
		t.Errorf("in an empty store: %v", err)
	}
	a := crashed(t, s, ClassPanic, printA, noon, -1)
	again := crashed(t, s, ClassPanic, printA, noon, -1) // a is the beginning of its name
	b := crashed(t, s, ClassHang, printB, noon.Add(time.Hour), -1)
	if got := ids(t, s); !slices.Equal(got, []string{b, again, a}) {
		t.Errorf("list %v, want newest first", got)
	}
	for _, c := range []struct {
		id, want string
		err      error
	}{
		{"last", b, nil}, {a, a, nil}, {again, again, nil}, {b[:13], b, nil}, {"2026", "", ErrAmbiguous},
		{"", "", ErrNotFound}, {"2027", "", ErrNotFound}, {"../" + a, "", ErrNotFound}, {b + "/", "", ErrNotFound}, {".", "", ErrNotFound},
	} {
		if e, err := s.Find(c.id); e.ID != c.want || !errors.Is(err, c.err) {
			t.Errorf("find %q: %q, %v", c.id, e.ID, err)
		}
	}
}
