package bundle

import (
	"slices"
	"testing"
	"time"
)

// begun begins a bundle and, unless its writer is to live, lets it die over that.
func begun(t *testing.T, s *Store, class Class, pid int, at time.Time, lives bool) string {
	t.Helper()
	w, err := s.Begin(class, "", pid, at)
	must(t, err)
	must(t, w.Write("crash.txt", []byte(fixtureText)))
	if lives {
		t.Cleanup(func() { w.Discard() })
	} else {
		must(t, w.unlock())
	}
	return w.name
}

// What dead writers began about a death goes, and nothing else.
func TestSupersedeRemovesWhatDeadWritersBegan(t *testing.T) {
	const pid = 4711
	s, _ := newTestStore(t, Limits{})
	gone := begun(t, s, ClassFatal, pid, noon, false)
	kept := []string{
		begun(t, s, ClassFatal, pid, noon.Add(time.Second), true),
		begun(t, s, ClassPanic, pid, noon, false),
		begun(t, s, ClassFatal, pid+1, noon, false),
		begun(t, s, ClassFatal, pid, noon.Add(-time.Hour), false),
		crashed(t, s, ClassFatal, "", noon.Add(2*time.Second), -1),
	}
	removed := s.Supersede(pid, noon.Add(-time.Minute))
	names, err := s.disk.names(".")
	must(t, err)
	if want := []string{gone}; !slices.Equal(removed, want) || slices.Contains(names, gone) {
		t.Errorf("removed %v, want %v; left %v", removed, want, names)
	}
	for _, name := range kept {
		if !slices.Contains(names, name) {
			t.Errorf("%s is gone", name)
		}
	}
}
