package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"vitrine/crash/bundle"
)

// withCore writes a bundle whose core expands to a text.
func (f *crashFixture) withCore(text string, change func(*bundle.Meta)) string {
	f.t.Helper()
	m := panicMeta()
	file := compressed(f.t, text)
	sum := sha256.Sum256([]byte(file))
	program, err := os.Executable()
	f.must(err)
	m.Core = bundle.Core{State: bundle.CoreWritten, File: coreFile, Bytes: int64(len(file)), SHA256: hex.EncodeToString(sum[:]), Executable: program}
	if change != nil {
		change(m)
	}
	return f.bundle(m, map[string]string{coreFile: file})
}

// onlyDebugger makes a script, or nothing, the one debugger that there is. It says what it was given.
func onlyDebugger(t *testing.T, script string) {
	t.Helper()
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	t.Setenv("GOPATH", "")
	t.Setenv("GOBIN", "")
	t.Setenv("PATH", dir+"/none")
	if script == "" {
		return
	}
	bin := filepath.Join(dir, "go", "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(bin, delve), []byte("#!/bin/sh\n"+script), 0o755); err != nil {
		t.Fatal(err)
	}
}

func TestOpenRunsTheDebuggerOnTheCoreAndRemovesIt(t *testing.T) {
	onlyDebugger(t, "read_core() { while IFS= read -r l; do echo \"core: $l\"; done < \"$3\"; }\necho \"$1 $2 $4\"\nread_core \"$@\"\n")
	f := newCrashFixture(t)
	f.withCore("what it held\n", nil)
	to := t.TempDir()
	got := f.run("open", "last", "--to", to, "--", "--init")
	program, _ := os.Executable()
	if got.status != statusOK || got.out != "core "+program+" --init\ncore: what it held\n" {
		t.Errorf("got %+v", got)
	}
	if got := f.run("open", "--to", to, "--", "--init"); !strings.HasPrefix(got.out, "core "+program+" --init\n") {
		t.Errorf("of the last one: %+v", got)
	}
	if left, err := os.ReadDir(to); err != nil || len(left) > 0 {
		t.Errorf("left %v, %v", left, err)
	}
}

func TestOpenKeepsACoreThatIsWanted(t *testing.T) {
	onlyDebugger(t, "")
	f := newCrashFixture(t)
	f.withCore("what it held", nil)
	if got := f.run("open", "--to", t.TempDir()); got.status != statusFailed || !strings.Contains(got.err, delveInstall) {
		t.Errorf("without a debugger: %+v", got)
	}
	got := f.run("open", "--to", t.TempDir(), "--keep")
	text, err := os.ReadFile(strings.TrimSpace(got.out))
	if got.status != statusOK || string(text) != "what it held" {
		t.Errorf("kept %q, %v: %+v", text, err, got)
	}
	info, err := os.Stat(strings.TrimSpace(got.out))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; a core is for nobody else", info.Mode(), err)
	}
}

func TestOpenRefusesAndWarns(t *testing.T) {
	for name, test := range map[string]struct {
		change func(*bundle.Meta)
		spoil  func(path string) error
		want   string
		status int
	}{
		"a damaged core": {nil, func(path string) error {
			return os.WriteFile(path, []byte(compressed(t, "another")), 0o600)
		}, "damaged", statusFailed},
		"no zstd":         {nil, func(path string) error { return os.WriteFile(path, []byte("nonsense"), 0o600) }, "expand core", statusFailed},
		"a pipe":          {nil, func(path string) error { return makePipe(path) }, "no core", statusFailed},
		"another program": {func(m *bundle.Meta) { m.Build.ID = "0123" }, nil, "names and lines may be wrong", statusOK},
		"no program":      {func(m *bundle.Meta) { m.Core.Executable = "/nowhere/vitrine" }, nil, "--exe FILE", statusOK},
	} {
		t.Run(name, func(t *testing.T) {
			onlyDebugger(t, "exit 0\n")
			f := newCrashFixture(t)
			id := f.withCore("what it held", test.change)
			if test.spoil != nil {
				path := filepath.Join(f.dir, id, coreFile)
				f.must(os.Remove(path))
				f.must(test.spoil(path))
			}
			to := t.TempDir()
			if got := f.run("open", "--to", to); got.status != test.status || !strings.Contains(got.err, test.want) {
				t.Errorf("got %+v, want %q", got, test.want)
			}
			if left, err := os.ReadDir(to); err != nil || len(left) > 0 {
				t.Errorf("left %v, %v", left, err)
			}
		})
	}
}

func TestOpenPrintsCommandsForAShell(t *testing.T) {
	f := newCrashFixture(t)
	id := f.withCore("core", func(m *bundle.Meta) { m.Core.Executable = "/srv/it's here/vitrine" })
	got := f.run("open", "--print", "--to", "/tmp")
	want := "zstd -d --sparse " + f.dir + "/" + id + "/core.zst -o /tmp/core." + id + "\n" +
		"dlv core '/srv/it'\\''s here/vitrine' /tmp/core." + id + "\nrm /tmp/core." + id + "\n"
	if got.status != statusOK || got.out != want {
		t.Errorf("got:\n%s%s\nwant:\n%s", got.out, got.err, want)
	}
	want = `{"commands":[["zstd","-d","--sparse","` + f.dir + "/" + id + `/core.zst","-o","/tmp/core.` + id +
		`"],["dlv","core","/srv/it's here/vitrine","/tmp/core.` + id + `"],["rm","/tmp/core.` + id + "\"]]}\n"
	if got := f.run("open", "--print", "--to", "/tmp", "--json"); got.status != statusOK || got.out != want {
		t.Errorf("as JSON:\n%s%s\nwant:\n%s", got.out, got.err, want)
	}
	if got := f.run("open", "--json"); got.status != statusUsage || !strings.Contains(got.err, "--json: open runs the debugger") {
		t.Errorf("--json without --print: %+v", got)
	}
}
