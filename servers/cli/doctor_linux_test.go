package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"vitrine/crash/provoke"
)

// refusedVariable makes TestDoctorBelowAFilter the doctor of a process that may not be traced: "1" before it is one, then "2"; "3" is
// the child that tries.
const refusedVariable = "VITRINE_CLI_DOCTOR_REFUSED"

// The doctor says of ptrace what its own trial found, and of the kernel's core what follows from that.
func TestDoctorBelowAFilter(t *testing.T) {
	switch os.Getenv(refusedVariable) {
	case "1":
		os.Setenv(refusedVariable, "2")
		t.Fatal(provoke.RefuseTracing(os.Environ()))
	case "2":
		diagnoseBelowAFilter(t)
		return
	case "3":
		if err := traceOnCue(os.Getppid()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if !provoke.CanRefuseTracing {
		t.Skip("needs a filter of system calls")
	}
	c := exec.Command("sh", "-c", `ulimit -c unlimited; exec "$0" "$@"`, os.Args[0], "-test.run=^TestDoctorBelowAFilter$")
	c.Env = append(os.Environ(), refusedVariable+"=1")
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	text, _, _ := strings.Cut(string(out), "PASS")
	rows := map[string]finding{}
	var findings []finding
	if err := json.Unmarshal([]byte(text), &findings); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, f := range findings {
		rows[f.Name] = f
	}
	for _, name := range []string{"stop a process", "ptrace"} {
		if f := rows[name]; f.OK || !strings.HasPrefix(f.Value, "no: ") || !strings.Contains(f.Value, "not permitted") || f.Help == "" {
			t.Errorf("%+v", f)
		}
	}
	if f := rows["kernel core"]; strings.HasPrefix(f.Value, "file core, limit unlimited") && (!f.OK || !strings.Contains(f.Value, "status 134")) {
		t.Errorf("%+v", f)
	}
}

// diagnoseBelowAFilter prints what the doctor found.
func diagnoseBelowAFilter(t *testing.T) {
	findings := diagnose(t.TempDir(), func(ctx context.Context) (*exec.Cmd, error) {
		c := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestDoctorBelowAFilter$")
		c.Env = append(os.Environ(), refusedVariable+"=3")
		return c, nil
	})
	if err := json.NewEncoder(os.Stdout).Encode(findings); err != nil {
		t.Fatal(err)
	}
}
