package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"vitrine/crash/bundle"
	"vitrine/crash/probe"
	"vitrine/crash/snapshot"
)

// crashOpenCommand opens a core in the debugger.
type crashOpenCommand struct {
	ID    string   `arg:"" optional:"" default:"last" help:"Id, the beginning of one, or last; default last."`
	Args  []string `arg:"" optional:"" name:"arg" help:"What else the debugger is given, behind --."`
	Exe   string   `placeholder:"FILE" help:"The program that crashed; default the path where it was."`
	To    string   `placeholder:"DIR" help:"Where the core is expanded; default the directory for temporary files."`
	Keep  bool     `help:"Leave the expanded core there."`
	Print bool     `help:"Print the commands that do it, and do nothing."`
}

const (
	coreFile     = "core.zst"
	delve        = "dlv"
	delveInstall = "go install github.com/go-delve/delve/cmd/dlv@v1.27.2"
)

// Run expands the core, runs the debugger on it, and removes it.
func (c *crashOpenCommand) Run(crash *crashCommand, io *streams) error {
	if strings.HasPrefix(c.ID, "-") { // it stood behind --
		c.ID, c.Args = "last", append([]string{c.ID}, c.Args...)
	}
	if crash.JSON && !c.Print {
		return usagef("--json: open runs the debugger; with --print it prints the commands, as JSON too")
	}
	entry, m, err := crash.find(c.ID)
	if err != nil {
		return err
	}
	if entry.Core == 0 {
		return fmt.Errorf("%s has no core: %s", entry.ID, visible(m.Core.Why))
	}
	exe := c.Exe
	if exe == "" {
		exe = m.Core.Executable
	}
	c.compare(exe, &m.Build, io.err)
	if c.Print {
		return c.print(entry, exe, io.out, crash.JSON)
	}
	debugger, err := findDelve()
	if err != nil && !c.Keep {
		return fmt.Errorf("the debugger is missing: %s; --keep only expands the core", delveInstall)
	}
	return c.open(entry, m, debugger, exe, io)
}

// compare warns when the program is not the one that crashed.
func (c *crashOpenCommand) compare(exe string, b *bundle.Build, tell io.Writer) {
	switch id := probe.BuildID(exe); {
	case id == "":
		fmt.Fprintf(tell, "vitrine: warning: %s cannot be read as a program; --exe FILE names the one that crashed\n", visible(exe))
	case b.ID != "" && id != b.ID:
		fmt.Fprintf(tell, "vitrine: warning: %s has build id %s, what crashed had %s: names and lines may be wrong; --exe FILE names the right one\n",
			visible(exe), visible(id), visible(b.ID))
	}
}

// print prints the commands for a shell, as JSON the words of each.
func (c *crashOpenCommand) print(e bundle.Entry, exe string, w io.Writer, asJSON bool) error {
	core := filepath.Join(c.tempDir(), "core."+e.ID)
	commands := [][]string{
		{"zstd", "-d", "--sparse", filepath.Join(e.Path(), coreFile), "-o", core},
		{delve, "core", exe, core},
		{"rm", core},
	}
	p := &lines{w: w}
	if asJSON {
		p.json(map[string]any{"commands": commands})
		return printed(p.err)
	}
	for _, words := range commands {
		for i, word := range words {
			words[i] = quoted(word)
		}
		p.printf("%s\n", strings.Join(words, " "))
	}
	return printed(p.err)
}

// quoted writes a word as a shell takes it, and as a terminal does not obey it.
func quoted(word string) string {
	if visible(word) != word {
		return "$'" + strings.ReplaceAll(visible(strings.ReplaceAll(word, `\`, `\\`)), "'", `\'`) + "'"
	}
	if strings.Trim(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-+=:,@") == "" && word != "" {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

func (c *crashOpenCommand) tempDir() string {
	if c.To != "" {
		return c.To
	}
	return os.TempDir()
}

// open does it. Without a debugger the core is expanded and kept.
func (c *crashOpenCommand) open(e bundle.Entry, m *bundle.Meta, debugger, exe string, io *streams) error {
	dir, err := os.MkdirTemp(c.To, "vitrine-core-") // mode 0700: a core holds all secrets of its process
	if err != nil {
		return err
	}
	if !c.Keep {
		defer os.RemoveAll(dir)
	}
	core := filepath.Join(dir, "core")
	fmt.Fprintf(io.err, "expanding %s to %s\n", size(e.Core), core)
	defer ignoreInterrupts()()
	if err := expandCore(e, m, core); err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	if debugger == "" {
		fmt.Fprintf(io.out, "%s\n", core)
		return nil
	}
	command := exec.Command(debugger, append([]string{"core", exe, core}, c.Args...)...)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, io.out, io.err
	if err := command.Run(); err != nil {
		return fmt.Errorf("%s: %w", delve, err)
	}
	return nil
}

// ignoreInterrupts leaves Ctrl-C to the debugger, so that the core is removed when that has ended. The function that it returns
// undoes it.
func ignoreInterrupts() (undo func()) {
	interrupts := make(chan os.Signal, 1)
	signal.Notify(interrupts, os.Interrupt, syscall.SIGTERM)
	return func() { signal.Stop(interrupts) }
}

// expandCore writes the ELF core of a bundle, and checks that it is the one that was written.
func expandCore(e bundle.Entry, m *bundle.Meta, to string) error {
	src, err := openCore(e)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	sum := sha256.New()
	err = errors.Join(snapshot.Expand(dst, io.TeeReader(src, sum)), dst.Close())
	if err == nil {
		err = sameSum(sum, src, m.Core.SHA256)
	}
	return err
}

// sameSum compares the checksum of a file that was read up to here with the one that was noted, if one was.
func sameSum(sum hash.Hash, rest io.Reader, want string) error {
	if _, err := io.Copy(sum, rest); err != nil {
		return err
	}
	if got := hex.EncodeToString(sum.Sum(nil)); want != "" && got != want {
		return fmt.Errorf("%s is damaged: its SHA-256 is %s, it was %s when it was written", coreFile, got, visible(want))
	}
	return nil
}

// openCore opens the compressed core. It follows no link out of the bundle and waits for no pipe.
func openCore(e bundle.Entry) (*os.File, error) {
	root, err := os.OpenRoot(e.Path())
	if err != nil {
		return nil, err
	}
	defer root.Close()
	info, err := root.Lstat(coreFile)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s of %s is no file", coreFile, e.ID)
	}
	return root.Open(coreFile)
}

// findDelve finds the debugger on the path or where go install puts it.
func findDelve() (string, error) {
	if path, err := exec.LookPath(delve); err == nil {
		return path, nil
	}
	for _, dir := range installDirs() {
		if dir == "" {
			continue
		}
		if path, err := exec.LookPath(filepath.Join(dir, delve)); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("find %s: %w", delve, exec.ErrNotFound)
}

// installDirs lists where go install puts programs.
func installDirs() []string {
	dirs := []string{os.Getenv("GOBIN")}
	paths := filepath.SplitList(os.Getenv("GOPATH"))
	if home, err := os.UserHomeDir(); err == nil && len(paths) == 0 {
		paths = []string{filepath.Join(home, "go")}
	}
	for _, path := range paths {
		dirs = append(dirs, filepath.Join(path, "bin"))
	}
	return dirs
}
