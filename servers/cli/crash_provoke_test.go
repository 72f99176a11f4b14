package cli

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"vitrine/crash/provoke"
)

// TestMain makes the test program the one that dies, or that watches it, where it is run as such.
func TestMain(m *testing.M) {
	provoke.Serve()
	os.Exit(m.Run())
}

func TestCrashTestTellsWhatItLeft(t *testing.T) {
	dir := t.TempDir()
	var out, errs strings.Builder
	if status := Main([]string{"crash", "test", "goroutine", "--dir", dir, "--json"}, &out, &errs); status != statusOK {
		t.Fatalf("status %d: %s%s", status, out.String(), errs.String())
	}
	var o provoke.Outcome
	if err := json.Unmarshal([]byte(out.String()), &o); err != nil {
		t.Fatal(err)
	}
	if o.Status != 2 || !strings.HasPrefix(o.Bundle, dir) || o.Meta == nil || !strings.Contains(o.Meta.Reason, provoke.Value) {
		t.Errorf("outcome %+v", o)
	}
}

func TestCrashTestKnowsItsClasses(t *testing.T) {
	for _, c := range []struct {
		args   string
		status int
		out    string // is part of what is printed
	}{
		{"--list", statusOK, "mapwrites"},
		{"--list --json", statusOK, `"name":"mapwrites"}`},
		{"sigkill", statusOK, "killed by SIGKILL"},
		{"", statusUsage, "which class"},
		{"boredom", statusUsage, "no class"},
	} {
		var out strings.Builder
		args := append([]string{"crash", "test", "--dir", t.TempDir()}, strings.Fields(c.args)...)
		if status := Main(args, &out, &out); status != c.status || !strings.Contains(out.String(), c.out) {
			t.Errorf("%q: status %d, want %d with %q: %s", c.args, status, c.status, c.out, out.String())
		}
	}
}
