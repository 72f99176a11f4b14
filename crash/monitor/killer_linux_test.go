package monitor

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vitrine/crash/blackbox"
)

// A kill is the deadman timer's only where the process was still there when that was due.
func TestOverdueIsWhoMissedTheDeadman(t *testing.T) {
	const second = int64(time.Second)
	box, err := blackbox.Create(filepath.Join(t.TempDir(), "box"), blackbox.Header{})
	if err != nil {
		t.Fatal(err)
	}
	defer box.Close()
	w := &watcher{box: box}
	for name, test := range map[string]struct {
		due, killed int64
		want        string
	}{
		"not armed":      {0, 100 * second, ""},
		"in time":        {100 * second, 99 * second, ""},
		"just in time":   {100 * second, 100*second - 1, ""},
		"due":            {100 * second, 100*second + 1, "3s after its last sign of life: the deadman timer of crash.deadman=3s"},
		"seen late":      {100 * second, 100*second + 240_000_000, "3.2s after"},
		"without a time": {100 * second, 0, ""},
	} {
		box.Deadman(3*time.Second, test.due)
		if got := w.overdue(test.killed); !strings.Contains(got, test.want) || (got == "") != (test.want == "") {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
	if got := new(watcher).overdue(second); got != "" {
		t.Errorf("without a black box: %q", got)
	}
}
