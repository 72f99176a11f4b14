package probe

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

func TestBuildIDIsReadFromProgramsAlone(t *testing.T) {
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if id := BuildID(program); (id == "") != (runtime.GOOS != "linux") {
		t.Errorf("of this program: %q", id)
	}
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("\x7fELF and no more"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{text, t.TempDir(), "/dev/zero", "nowhere", ""} {
		if id := BuildID(path); id != "" {
			t.Errorf("of %q: %q, want none", path, id)
		}
	}
}
