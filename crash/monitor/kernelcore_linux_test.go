package monitor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"vitrine/crash/bundle"
)

func TestKernelsCoreIsFoundByItsPattern(t *testing.T) {
	for pattern, want := range map[string]struct {
		path  string
		known bool
	}{
		"core":                {"/srv/core", true},
		"core.7":              {"/srv/core.7", true},
		"/cores/%%.%p":        {"/cores/%.7", true},
		"/cores/core.%e.%p":   {"/cores/core.%e.7", false},
		"|/bin/handler %p %s": {"|/bin/handler %p %s", false},
		"@/run/core.socket":   {"@/run/core.socket", false},
	} {
		if path, known := kernelCorePath(pattern, "/srv", 7); path != want.path || known != want.known {
			t.Errorf("%s: %q, %v, want %+v", pattern, path, known, want)
		}
	}
	if _, known := kernelCorePath("core", "", 7); known {
		t.Error("a file in a directory that nobody knows is known")
	}
}

// The exit status does not always say that there is a core; the file does.
func TestKernelsCoreIsTold(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "new"), []byte("core"), 0o600); err != nil {
		t.Fatal(err)
	}
	old := filepath.Join(dir, "old")
	if err := os.WriteFile(old, []byte("core"), 0o600); err != nil {
		t.Fatal(err)
	}
	long := time.Now().Add(-time.Hour)
	if err := os.Chtimes(old, long, long); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		pattern string
		exit    bundle.Exit
		why     string // before
		says    string // "" = nothing more
		dumped  bool
	}{
		{"new", bundle.Exit{Signal: "SIGABRT"}, "refused", "refused; the kernel wrote its own to " + filepath.Join(dir, "new"), true},
		{"old", bundle.Exit{Signal: "SIGABRT"}, "refused", "did not write", false},
		{"old", bundle.Exit{Signal: "SIGABRT", CoreDumped: true}, "", "the kernel wrote its own", true},
		{"%e", bundle.Exit{Signal: "SIGABRT"}, "refused", "nobody tells", false},
		{"old", bundle.Exit{Signal: "SIGKILL"}, "", "", false},
		{"new", bundle.Exit{Signal: "SIGKILL"}, "", "", false}, // somebody else's
		{"old", bundle.Exit{Code: 2}, "refused", "refused", false},
		{"", bundle.Exit{Signal: "SIGABRT"}, "refused", "refused", false},
	} {
		s := &Setup{KernelCore: test.pattern}
		j := &work{job: &job{setup: s, report: newReport(s, time.Now()), began: time.Now()}, w: &watcher{setup: s}, ended: test.exit, cwd: dir}
		j.meta.Core.Why = test.why
		j.tellKernelCore()
		if got := j.meta.Core.Why; !strings.Contains(got, test.says) || test.says == "" && got != "" || j.ended.CoreDumped != test.dumped {
			t.Errorf("%+v: %q, dumped %v", test, got, j.ended.CoreDumped)
		}
	}
}
