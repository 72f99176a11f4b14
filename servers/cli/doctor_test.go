package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"vitrine/crash/probe"
)

// doctorVariable makes TestDoctorTraces the child that stops its parent.
const doctorVariable = "VITRINE_CLI_DOCTOR_TRACE"

func TestDoctorTraces(t *testing.T) {
	if pid, err := strconv.Atoi(os.Getenv(doctorVariable)); err == nil {
		if err := traceOnCue(pid); err != nil {
			t.Fatal(err)
		}
		return
	}
	if runtime.GOOS != "linux" {
		t.Skip("needs linux")
	}
	f := tracing(func(ctx context.Context) (*exec.Cmd, error) {
		c := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestDoctorTraces$")
		c.Env = append(os.Environ(), doctorVariable+"="+strconv.Itoa(os.Getpid()))
		return c, nil
	})
	if can := probe.Run(); can.Ptrace == probe.Yes && !f.OK {
		t.Errorf("/proc says that tracing is allowed, the child says %+v", f)
	}
}

// A filter of system calls may kill who traces; the doctor lives to tell.
func TestDoctorOutlivesItsChild(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs linux")
	}
	f := tracing(func(ctx context.Context) (*exec.Cmd, error) {
		return exec.CommandContext(ctx, "sh", "-c", "read cue; echo going >&2; kill -SYS $$"), nil
	})
	if f.OK || !f.Essential || f.Help == "" || !strings.Contains(f.Value, "no: going signal: bad system call") {
		t.Errorf("got %+v", f)
	}
}

func TestDoctorLooksAtTheDirectory(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]bool{dir: true, filepath.Join(dir, "a", "b"): true, file: false, filepath.Join(file, "crash"): false, "/proc/nothing": false} {
		f := directory(path)
		if f.OK != want || f.OK != (f.Help == "") || !f.Essential {
			t.Errorf("%s: %+v, want %v", path, f, want)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestDoctorPrintsHelpBelowWhatIsMissing(t *testing.T) {
	findings := []finding{
		{Name: "one", Value: "yes", OK: true},
		{Name: "another", Value: "no\x1b", Help: strings.Repeat("do something about it ", 8)},
		{Name: "third", Value: "no", Essential: true, Help: "at once"},
	}
	var b bytes.Buffer
	if err := printFindings(&b, false, findings); err != nil {
		t.Fatal(err)
	}
	golden(t, "doctor.golden", b.String())
	b.Reset()
	if err := printFindingsJSON(&b, false, findings); err != nil {
		t.Fatal(err)
	}
	var got struct {
		OK       bool
		Findings []finding
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil || got.OK || len(got.Findings) != 3 || got.Findings[1] != findings[1] {
		t.Errorf("%+v, %v", got, err)
	}
}

func TestDoctorFindsTheDebugger(t *testing.T) {
	onlyDebugger(t, "")
	if f := debugger(); f.OK || !strings.Contains(f.Help, delveInstall) || f.Essential {
		t.Errorf("without one: %+v", f)
	}
	onlyDebugger(t, "exit 0\n")
	if f := debugger(); !f.OK || filepath.Base(f.Value) != delve {
		t.Errorf("with one: %+v", f)
	}
}
