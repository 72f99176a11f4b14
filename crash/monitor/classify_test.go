package monitor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vitrine/crash/bundle"
	"vitrine/crash/traceback"
)

func TestDeathsWithATextAreClassified(t *testing.T) {
	for file, want := range map[string]struct {
		throw  string // found in the snapshot
		class  bundle.Class
		reason string
	}{
		"error.txt":            {"", bundle.ClassGoroutine, "panic: "},
		"nil.txt":              {"", bundle.ClassGoroutine, "nil pointer dereference"},
		"nilmap.txt":           {"", bundle.ClassGoroutine, "nil map"},
		"cgoabort.txt":         {"", bundle.ClassAbort, "SIGABRT"},
		"cgofault.txt":         {"", bundle.ClassCgo, "SIGSEGV"},
		"signal-quit.txt":      {"", bundle.ClassSignal, "SIGQUIT"},
		"signal-segv.txt":      {"", bundle.ClassSignal, "SIGSEGV"},
		"signal-ill.txt":       {"", bundle.ClassSignal, "SIGILL"},
		"output-mapwrites.txt": {"fatal error: concurrent map writes", bundle.ClassFatal, "concurrent map writes"},
		"output-oom.txt":       {"", bundle.ClassOOM, "out of memory"},
		"address.txt":          {"", bundle.ClassFault, "fault"},
		"stack.txt":            {"", bundle.ClassStack, "stack"},
	} {
		text, err := os.ReadFile(filepath.Join("../traceback/testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		d := death{text: text, dump: traceback.Parse(text), throw: want.throw, throwHow: "stackscan"}
		class, reason, how := d.classify()
		if class != want.class || !strings.Contains(reason, want.reason) || how == "" {
			t.Errorf("%s: class %q, reason %q (%s), want %q, %q", file, class, reason, how, want.class, want.reason)
		}
	}
}

func TestDeathsWithoutAWordAreClassified(t *testing.T) {
	for name, test := range map[string]struct {
		death death
		class bundle.Class
	}{
		"SIGKILL":               {death{exit: bundle.Exit{Known: true, Signal: "SIGKILL"}}, bundle.ClassKilled},
		"the kernel for memory": {death{exit: bundle.Exit{Known: true, Signal: "SIGKILL"}, oomKilled: true}, bundle.ClassOOMKilled},
		"abort":                 {death{exit: bundle.Exit{Known: true, Signal: "SIGABRT"}}, bundle.ClassAbort},
		"a signal":              {death{exit: bundle.Exit{Known: true, Signal: "SIGTERM"}}, bundle.ClassSignal},
		"exit":                  {death{exit: bundle.Exit{Known: true, Code: 3}}, bundle.ClassExit},
		"cut short":             {death{text: []byte("panic: "), dump: &traceback.Dump{}, exit: bundle.Exit{Known: true, Signal: "SIGKILL"}}, bundle.ClassKilled},
		"nobody knows":          {death{}, bundle.ClassKilled},
	} {
		if class, reason, how := test.death.classify(); class != test.class || reason == "" || how == "" {
			t.Errorf("%s: class %q, reason %q (%s), want %q", name, class, reason, how, test.class)
		}
	}
}
