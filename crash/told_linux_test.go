package crash_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"vitrine/crash"
	"vitrine/crash/monitor"
	"vitrine/crash/probe"
	"vitrine/crash/provoke"
)

// heardAtStart is what a process knows of itself once ptrace was tried.
type heardAtStart struct {
	Line    string // of the start
	Ptrace  string // of Stats
	Can     probe.Capabilities
	Gauge   *float64 // nil = absent
	Saved   string   // of setup.json
	Warning string
}

// told is a process that may not be traced and prints what it knows of that.
func told() {
	if os.Getenv("VITRINE_CRASH_REFUSED") == "" {
		os.Setenv("VITRINE_CRASH_REFUSED", "yes")
		fmt.Fprintln(os.Stderr, provoke.RefuseTracing(os.Environ()))
		os.Exit(1)
	}
	var h heardAtStart
	lines := make(chan string, 16)
	p, err := crash.Start(crash.Config{
		Dir: os.Getenv("VITRINE_CRASH_DIR"), RunDir: os.Getenv("VITRINE_CRASH_RUN"), Name: "told",
		Notify: func(e crash.Event) { lines <- fmt.Sprintln(append([]any{e.Message}, e.Attrs...)...) },
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for late := time.After(20 * time.Second); h.Line == "" || h.Warning == ""; {
		select {
		case line := <-lines:
			if strings.HasPrefix(line, "crash capture is on") {
				h.Line = line
			} else {
				h.Warning += line
			}
		case <-late:
			os.Exit(1)
		}
	}
	h.Ptrace, h.Can = p.Stats().Ptrace, p.Capabilities()
	if value, known := h.Can.Values()["ptrace"]; known {
		h.Gauge = &value
	}
	if s, err := monitor.LoadSetup(p.RunDir()); err == nil {
		h.Saved = s.Capabilities["ptrace"]
	}
	p.Close()
	if err := json.NewEncoder(os.Stdout).Encode(h); err != nil {
		os.Exit(1)
	}
	os.Exit(0)
}

// What the self-test of ptrace found is said by everything that speaks of it.
func TestRefusedTracingIsTold(t *testing.T) {
	t.Parallel()
	if !provoke.CanRefuseTracing {
		t.Skip("needs a filter of system calls")
	}
	var h heardAtStart
	outcome(t, filtered(t, "told", "VITRINE_CRASH_DIR="+t.TempDir(), "VITRINE_CRASH_RUN="+t.TempDir()), &h)
	for what, says := range map[string]string{"line": h.Line, "stats": h.Ptrace, "capabilities": h.Can.Ptrace, "setup": h.Saved, "warning": h.Warning} {
		if !strings.Contains(says, "not permitted") || strings.Contains(says, "unknown:") {
			t.Errorf("%s says %q", what, says)
		}
	}
	if h.Gauge == nil || *h.Gauge != 0 || !strings.HasPrefix(h.Can.Ptrace, "no: ") {
		t.Errorf("gauge %v, capabilities %q", h.Gauge, h.Can.Ptrace)
	}
}
