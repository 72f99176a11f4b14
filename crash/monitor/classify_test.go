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

// Where no memory can be read, the functions on the stack tell the reason.
func TestReasonsAreToldByTheStackAlone(t *testing.T) {
	const head, call, mine = "goroutine 19 [running]:\n", "({0x4ad491?, 0x0?})\n\t/go/panic.go:1181 +0x18\n", "main.main()\n\t/main.go:3 +0x28\n"
	for text, want := range map[string]string{
		head + "internal/runtime/maps.fatal" + call + "runtime.mapassign_fast64" + call + mine:            "fatal error: concurrent map writes",
		head + "internal/runtime/maps.fatal" + call + "internal/runtime/maps.(*Map).Delete" + call + mine: "fatal error: concurrent map writes",
		head + "internal/runtime/maps.fatal" + call + "runtime.mapaccess2_faststr" + call + mine:          "fatal error: concurrent map read and map write",
		head + "internal/runtime/maps.fatal" + call + "internal/runtime/maps.(*Iter).Next" + call + mine:  "fatal error: concurrent map iteration and map write",
		head + "internal/runtime/maps.fatal" + call:                                                       "fatal error: concurrent map access",
		"runtime stack:\nruntime.throw" + call + "runtime.newstack" + call + "\n" + head + mine:           "fatal error: stack overflow",
		head + "runtime.throw" + call + mine:                                                              "fatal error: unknown",
	} {
		d := death{text: []byte(text), dump: traceback.Parse([]byte(text))}
		if _, reason, how := d.classify(); reason != want || how == "" {
			t.Errorf("%s\nreason %q (%s), want %q", text, reason, how, want)
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
		"the deadman timer":     {death{exit: bundle.Exit{Known: true, Signal: "SIGKILL"}, overdue: "killed by SIGKILL, 3s after"}, bundle.ClassKilled},
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

func TestDeathsSayWhoSentTheSignal(t *testing.T) {
	const words, stuck = "SIGABRT: abort\nPC=0x1 m=0 sigcode=0\n\ngoroutine 1 [running]:\nmain.main()\n\t/main.go:3 +0x1\n", "loop game/0 made no progress for 5s"
	overdue := "killed by SIGKILL, 3.1s after its last sign of life: the deadman timer of crash.deadman=3s does that"
	sigkill := bundle.Exit{Known: true, Signal: "SIGKILL"}
	for name, test := range map[string]struct {
		death       death
		reason, how string
	}{
		"the watchdog":               {death{text: []byte(words), killer: stuck}, "SIGABRT: abort, sent by the watchdog: " + stuck, "text"},
		"somebody":                   {death{text: []byte(words)}, "SIGABRT: abort", "text"},
		"the watchdog, without text": {death{killer: stuck, exit: bundle.Exit{Known: true, Signal: "SIGABRT"}}, "killed by SIGABRT, sent by the watchdog: " + stuck, "exit"},
		"another's panic":            {death{text: []byte("panic: x\n\ngoroutine 1 [running]:\n"), killer: stuck}, "panic: x", "text"},
		"the deadman":                {death{exit: sigkill, overdue: overdue}, overdue, howDeadman},
		"the deadman or the kernel":  {death{exit: sigkill, overdue: overdue, oomKilled: true}, "killed by the kernel: the memory of its cgroup ran out", "cgroup"},
		"anybody":                    {death{exit: sigkill}, "killed by SIGKILL", "exit"},
	} {
		test.death.dump = traceback.Parse(test.death.text)
		if _, reason, how := test.death.classify(); reason != test.reason || how != test.how {
			t.Errorf("%s: %q (%s), want %q (%s)", name, reason, how, test.reason, test.how)
		}
	}
}
