package traceback

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"runtime/pprof"
	"strings"
	"testing"
)

// victimMode tells this test binary to die in a way, for the test that started it.
const victimMode = "TRACEBACK_VICTIM"

// TestVictim dies where it was started for that.
func TestVictim(t *testing.T) {
	switch os.Getenv(victimMode) {
	case "":
		t.Skip("run by TestThisGoPrintsWhatIsRead")
	case "panic":
		pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels("session", "7")))
		panicking()
	case "nil":
		var p *Goroutine
		p.Minutes++
	case "throw":
		m := map[int]int{}
		// Both end with the process, which the runtime kills for them.
		go writeForever(m)
		writeForever(m)
	}
}

//go:noinline
func panicking() { panic(errors.New("boom\nagain")) }

//go:noinline
func writeForever(m map[int]int) {
	for i := 0; ; i++ {
		m[i%10] = i
	}
}

// What the Go at hand prints must be read as well as the corpus, which an earlier one printed.
func TestThisGoPrintsWhatIsRead(t *testing.T) {
	for _, test := range []struct{ mode, reason, signal, where string }{
		{"panic", "panic: boom\n\tagain", "", "vitrine/crash/traceback.panicking"},
		{"nil", "invalid memory address", "SIGSEGV", "vitrine/crash/traceback.TestVictim"},
		{"throw", "fatal error: concurrent map writes", "", "vitrine/crash/traceback.writeForever"},
	} {
		for _, level := range []string{"single", "all", "system"} {
			t.Run(test.mode+" "+level, func(t *testing.T) {
				d := Parse(die(t, test.mode, level))
				g := d.Crashed()
				if g == nil || d.Cut {
					t.Fatalf("nobody died: %+v", d)
				}
				at := g.App()[0]
				if !strings.Contains(d.Reason, test.reason) || d.Signal != test.signal || at.Func != test.where || at.Line == 0 {
					t.Errorf("%q, signal %q, in %+v", d.Reason, d.Signal, at)
				}
				if _, ok := d.Throw(); ok != (test.mode == "throw") {
					t.Errorf("throw: %v", ok)
				}
				if test.mode == "panic" && g.Labels["session"] != "7" {
					t.Errorf("labels %q", g.Labels)
				}
				if (level == "system") != (at.SP != 0) {
					t.Errorf("level %s, sp %#x", level, at.SP)
				}
			})
		}
	}
}

// die returns what a child prints that dies.
func die(t *testing.T, mode, level string) []byte {
	t.Helper()
	c := exec.Command(os.Args[0], "-test.run=^TestVictim$")
	c.Env = append(os.Environ(), victimMode+"="+mode, "GOTRACEBACK="+level, "GODEBUG=tracebacklabels=1", "GORACE=exitcode=2")
	text, err := c.CombinedOutput()
	if err == nil {
		t.Fatalf("lives on:\n%s", text)
	}
	return text
}
