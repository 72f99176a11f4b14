package bundle

import (
	"errors"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// A bundle gets its final name when all of it is on the disk, and the name is made durable then.
func TestFinishSyncsBeforeItRenames(t *testing.T) {
	s, _ := newTestStore(t, Limits{})
	d := breakDisk(s)
	w, err := s.Begin(ClassPanic, printA, 1, noon)
	must(t, err)
	must(t, w.Write(textName, []byte("panic: it broke")))
	f, err := w.Create(coreName)
	must(t, err)
	must(t, f.Close())
	var steps []string
	partial := w.name
	d.fail = func(op, name string) error {
		if op == "sync" || op == "rename" {
			steps = append(steps, op+" "+strings.TrimPrefix(name, partial+"/"))
		}
		return nil
	}
	id, err := w.Finish(&Meta{})
	must(t, err)
	want := []string{
		"sync crash.txt", "rename core.zst", "sync core.zst", "sync meta.json.part", "rename meta.json", "sync " + partial, "rename " + id, "sync .",
	}
	if !slices.Equal(steps, want) {
		t.Errorf("got  %v\nwant %v", steps, want)
	}
}

// A disk that does not sync a file costs a problem; one that does not sync the directory costs another try.
func TestFinishTellsWhatIsNotDurable(t *testing.T) {
	for _, c := range []struct {
		broken   string // the end of the name that is not synced
		fails    bool
		named    bool
		problems int
	}{
		{"/" + textName, false, true, 1},
		{"/" + metaName + suffixPart, true, false, 0},
		{suffixPartial, true, false, 0},
		{".", true, true, 0},
	} {
		s, _ := newTestStore(t, Limits{})
		d := breakDisk(s)
		w, err := s.Begin(ClassPanic, printA, 4711, noon)
		must(t, err)
		must(t, w.Write(textName, []byte("panic: it broke")))
		d.fail = func(op, name string) error {
			if op == "sync" && strings.HasSuffix(name, c.broken) {
				return syscall.EIO
			}
			return nil
		}
		m := &Meta{}
		id, err := w.Finish(m)
		if errors.Is(err, syscall.EIO) != c.fails || (id != "") != c.named || len(m.Problems) != c.problems {
			t.Errorf("%s: %q, %v, problems %v", c.broken, id, err, m.Problems)
		}
		if !c.named {
			d.fail = func(string, string) error { return nil }
			_, err = w.Finish(m)
			must(t, err)
		}
		e, err := s.Find("last")
		must(t, err)
		checkBundle(t, e)
	}
}
