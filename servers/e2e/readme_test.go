//go:build linux

package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// readmePrograms are the programs of README.md, by the address they listen on.
func readmePrograms(t *testing.T) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(repository(), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	programs := map[string]string{}
	address := regexp.MustCompile(`127\.0\.0\.1:\d+`)
	for _, block := range regexp.MustCompile("(?s)\n```go\n(.*?)\n```\n").FindAllStringSubmatch(string(text), -1) {
		if strings.HasPrefix(block[1], "package main\n") {
			programs[address.FindString(block[1])] = block[1]
		}
	}
	return programs
}

// freeAddress is one on which nobody listens now.
func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// outsideModule writes a program into a module of its own, with the two lines in go.mod that README names.
func outsideModule(t *testing.T, source string) (folder string) {
	t.Helper()
	folder = t.TempDir()
	version := ""
	module, err := os.ReadFile(filepath.Join(repository(), "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	if version = regexp.MustCompile(`(?m)^go \S+$`).FindString(string(module)); version == "" {
		t.Fatal("go.mod names no version of Go")
	}
	sums, err := os.ReadFile(filepath.Join(repository(), "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"go.mod":  fmt.Sprintf("module outside\n\n%s\n\nrequire vitrine v0.0.0\nreplace vitrine => %s\n", version, repository()),
		"go.sum":  string(sums),
		"main.go": source,
	} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

// The echo server of README builds in a module outside of this one, echoes, and ends on Ctrl-C.
func TestREADMEEchoServerWorksOutsideTheRepository(t *testing.T) {
	const written = "127.0.0.1:6000"
	source, ok := readmePrograms(t)[written]
	if !ok {
		t.Fatalf("README.md has no program that listens on %s", written)
	}
	addr := freeAddress(t)
	folder := outsideModule(t, strings.Replace(source, written, addr, 1))
	build := exec.Command("go", "build", "-mod=mod", "-o", "outside", ".")
	build.Dir = folder
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, text)
	}
	p := launchFile(t, filepath.Join(folder, "outside"))
	var c *client
	eventually(t, "listening", func() (ok bool) {
		var err error
		c, err = connect(addr, lan)
		return err == nil
	})
	defer c.conn.Close()
	for _, want := range []string{"hello", "again", strings.Repeat("long", 5000)} {
		if err := c.send([]byte(want)); err != nil {
			t.Fatal(err)
		}
		if got, err := c.receive(); err != nil || string(got) != want {
			t.Errorf("got %d bytes, %v; want the %d sent", len(got), err, len(want))
		}
	}
	c.conn.Close()
	p.signal(syscall.SIGINT)
	if status := p.status(patience); status != 0 {
		t.Errorf("exit status %d after SIGINT, want 0", status)
	}
}
