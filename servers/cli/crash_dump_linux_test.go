package cli

import (
	"debug/elf"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"vitrine/crash/snapshot"
)

// startSleeper starts a process that has time.
func startSleeper(t *testing.T) int {
	t.Helper()
	c := exec.Command("sleep", "600")
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Process.Kill()
		c.Wait()
	})
	return c.Process.Pid
}

// What dump writes, show tells of and open expands to a core that a debugger reads.
func TestDumpOfARunningProcess(t *testing.T) {
	pid := startSleeper(t)
	if err := snapshot.SelfTest(pid); err != nil {
		t.Skip("processes cannot be traced here: ", err)
	}
	dir := t.TempDir()
	got := run("crash", "--dir", dir, "dump", fmt.Sprint(pid), "--json")
	var dumped struct {
		ID      string `json:"id"`
		Stopped int64  `json:"stopped_us"`
	}
	if err := json.Unmarshal([]byte(got.out), &dumped); err != nil || got.status != statusOK || dumped.Stopped <= 0 || dumped.Stopped > 2e6 {
		t.Fatalf("got %+v, %v", got, err)
	}
	if !strings.Contains(got.err, "sleep") || !strings.Contains(got.err, "no crash capture") {
		t.Errorf("does not tell what is missing of a stranger: %q", got.err)
	}
	shown := run("crash", "--dir", dir, "show", dumped.ID)
	for _, want := range []string{"live", "none, the process went on", "vitrine crash open " + dumped.ID, "sleep (process " + fmt.Sprint(pid)} {
		if !strings.Contains(shown.out, want) {
			t.Errorf("show does not say %q:\n%s%s", want, shown.out, shown.err)
		}
	}
	onlyDebugger(t, "")
	opened := run("crash", "--dir", dir, "open", "--keep", "--to", t.TempDir())
	core, err := elf.Open(strings.TrimSpace(opened.out))
	if err != nil {
		t.Fatalf("%+v, %v", opened, err)
	}
	defer core.Close()
	if core.Type != elf.ET_CORE || len(core.Progs) < 3 {
		t.Errorf("type %v with %d segments", core.Type, len(core.Progs))
	}
	if state, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err != nil || !strings.Contains(string(state), ") S ") {
		t.Errorf("the process does not sleep on: %s, %v", state, err)
	}
}

func TestDumpOfNobody(t *testing.T) {
	dir := t.TempDir()
	if got := run("crash", "--dir", dir, "dump", fmt.Sprint(1<<30)); got.status != statusFailed || !strings.Contains(got.err, "process") {
		t.Errorf("got %+v", got)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}
