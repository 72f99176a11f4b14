//go:build linux

package logs

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestTallyFindsWhatIsMissing(t *testing.T) {
	type note struct {
		session uint64
		n       int64
	}
	for name, c := range map[string]struct {
		notes    []note
		returned []uint64
		want     [5]uint64 // lost, duplicates, strange, disordered, unborn
	}{
		"all there":             {[]note{{1, 0}, {1, 1}, {2, 0}}, []uint64{2, 1}, [5]uint64{}},
		"one under way":         {[]note{{1, 0}, {1, 1}, {2, 0}}, []uint64{1, 1}, [5]uint64{}},
		"two under way":         {[]note{{1, 0}, {1, 1}}, []uint64{0, 0}, [5]uint64{0, 0, 0, 0, 1}},
		"the last is missing":   {[]note{{1, 0}}, []uint64{2, 1}, [5]uint64{2}},
		"one between":           {[]note{{1, 0}, {1, 2}}, []uint64{3, 0}, [5]uint64{1}},
		"one twice":             {[]note{{1, 0}, {1, 0}}, []uint64{1, 0}, [5]uint64{0, 1}},
		"nobody's":              {[]note{{3, 0}, {0, 1}, {1, -1}}, []uint64{0, 0}, [5]uint64{0, 0, 3}},
		"out of order":          {[]note{{1, 1}, {1, 0}}, []uint64{2, 0}, [5]uint64{0, 0, 0, 1}},
		"beyond the first word": {[]note{{1, 64}}, []uint64{65, 0}, [5]uint64{64}},
	} {
		seen := newTally(2)
		for _, n := range c.notes {
			seen.note(n.session, n.n)
		}
		got := [5]uint64{seen.lost(c.returned), seen.duplicates, seen.strange, seen.disordered, seen.unborn(c.returned)}
		if got != c.want {
			t.Errorf("%s: lost, twice, strange, disordered, unborn %v, want %v", name, got, c.want)
		}
	}
}

func TestOnlyCompleteLinesCount(t *testing.T) {
	seen := newTally(1)
	err := seen.noteLines(strings.NewReader(`{"session":1,"x":0,"op":"walk"}
{"x":1,"op":"walk","session":1}
{"op":"walk"}
{"session":1,"x":2,"op":"wa`))
	if err != nil || seen.lost([]uint64{3}) != 1 || seen.strange != 1 || !seen.has(0, 1) {
		t.Errorf("%v, %d lost, %d strange", err, seen.lost([]uint64{3}), seen.strange)
	}
}

func TestCounterIsSharedByName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "calls")
	child, err := openCounter(path)
	if err != nil {
		t.Fatal(err)
	}
	defer child.close()
	parent, err := openCounter(path)
	if err != nil {
		t.Fatal(err)
	}
	defer parent.close()
	child.returned(0, 7)
	child.returned(maxCallers-1, 9)
	got := parent.calls(maxCallers)
	if got[0] != 7 || got[maxCallers-1] != 9 || sum(got) != 16 {
		t.Errorf("calls %v", got)
	}
}
