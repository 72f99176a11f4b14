//go:build linux

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"vitrine/core/frame"
	"vitrine/servers/observe"
)

// logLine is a line of `vitrine logs --json`.
type logLine struct {
	Index, Level, Type, Session, Msg string
	Fields                           map[string]any
}

// runIn runs the program to its end in a folder and returns its standard output and exit status.
func runIn(t *testing.T, dir string, args ...string) (out string, status int) {
	t.Helper()
	cmd := exec.Command(executable, args...)
	cmd.Dir = dir
	text, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if exit != nil {
		t.Logf("%v: %v: %s", args, err, exit.Stderr)
	}
	return string(text), cmd.ProcessState.ExitCode()
}

// logged asks the log for its lines.
func logged(t *testing.T, dir string, args ...string) (lines []logLine) {
	t.Helper()
	out, status := runIn(t, dir, append([]string{"logs", "--json"}, args...)...)
	if status != 0 {
		t.Fatalf("logs %v: exit status %d", args, status)
	}
	for text := range strings.Lines(out) {
		var line logLine
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		lines = append(lines, line)
	}
	return lines
}

// verified fails unless the log is whole.
func verified(t *testing.T, dir string, args ...string) {
	t.Helper()
	out, status := runIn(t, dir, append([]string{"logs", "verify"}, args...)...)
	if status != 0 || !strings.Contains(out, "0 gaps, 0 duplicates") {
		t.Errorf("verify: exit status %d, want 0 and no gap:\n%s", status, out)
	}
}

// The log prints the life of each session that the summary names, from join to leave.
func TestLogTellsTheLifeOfASession(t *testing.T) {
	dir := t.TempDir()
	p := launchIn(t, dir, executable, "up", "--bots", "20", "--for", "3s", "--json", "--port-base", "0")
	if status := p.status(patience); status != 0 {
		t.Fatalf("exit status %d, want 0", status)
	}
	for name, server := range lastLine(t, p).Servers {
		if server.LastSession == "" {
			t.Errorf("%s: no last session", name)
			continue
		}
		var told []string
		for _, line := range logged(t, dir, "--session", server.LastSession) {
			if line.Session != server.LastSession || line.Type != "session" {
				t.Errorf("%s: a line of another: %+v", name, line)
			}
			if line.Fields["server"] == name { // ids are unique in a server
				told = append(told, line.Msg)
			}
		}
		if len(told) != 2 || told[0] != "session joined" || told[1] != "session left" && told[1] != "session ended" {
			t.Errorf("%s: session %s: %q, want that it joined and left", name, server.LastSession, told)
		}
	}
	verified(t, dir)
	hint := p.find(`vitrine (logs --session \d+ --grep server=\S+)$`)[1]
	out, status := runIn(t, dir, strings.Fields(hint)...)
	if lines := strings.Count(out, "\n"); status != 0 || lines != 2 {
		t.Errorf("%s: exit status %d, %d lines, want 2:\n%s", hint, status, lines, out)
	}
	if p.find(`^  log\s+(.*)$`)[1] != "var/log  vitrine logs --follow" {
		t.Error("the start does not say where the log is")
	}
}

// Servers that are started in one folder have a log each; the same one twice is told who has it.
func TestServersOfOneFolderHaveALogEach(t *testing.T) {
	dir := t.TempDir()
	first := launchIn(t, dir, executable, "serve", "echo", "--port-base", "0")
	first.find(`log\s+var/log/echo-lan `)
	launchIn(t, dir, executable, "serve", "chat", "--port-base", "0").find(`log\s+var/log/chat `)
	again := launchIn(t, dir, executable, "serve", "echo", "--port-base", "0")
	if status := again.status(patience); status != 1 {
		t.Errorf("exit status %d, want 1", status)
	}
	again.find(fmt.Sprintf(`var/log/echo-lan.* process %d.*--set log\.dir=DIR`, first.cmd.Process.Pid))
	launchIn(t, dir, executable, "serve", "echo", "--port-base", "0", "--set", "log.dir=").find(`log\s+no files`)
	if out, status := runIn(t, dir, "logs", "--dir", "var/log/chat", "--grep", "server started", "--count"); status != 0 || strings.TrimSpace(out) != "1" {
		t.Errorf("beside the writer: exit status %d, %q, want 1 line", status, out)
	}
}

// churned connects, says hello and leaves until the server is gone, and returns the addresses that were answered.
func churned(addr string) (answered []string) {
	for {
		c, err := connect(addr, frame.Codec{})
		if err != nil {
			return answered
		}
		remote := c.conn.LocalAddr().String()
		err = c.send([]byte("hello"))
		if err == nil {
			_, err = c.receive()
		}
		c.conn.Close()
		if err != nil {
			return answered
		}
		answered = append(answered, remote)
	}
}

// SIGKILL under load: every session that was answered is in the log, which has no gap, before the next start and after.
func TestLogSurvivesSIGKILL(t *testing.T) {
	const enough = 2000 // sessions
	dir := t.TempDir()
	p := launchIn(t, dir, executable, "serve", "echo", "--greeting=false", "--port-base", "0", "--set", "log.dir=log")
	addr := p.find(`^listening on (\S+)`)[1]
	var clients sync.WaitGroup
	answered := make([][]string, 4)
	for i := range answered {
		clients.Go(func() { answered[i] = churned(addr) })
	}
	p.await("echo-lan", func(now observe.ServerStatus) bool { return now.Counters.Joins > enough })
	p.signal(syscall.SIGKILL)
	p.status(patience)
	clients.Wait()

	verified(t, dir, "--dir", "log")
	checkJoins(t, logged(t, dir, "--dir", "log"), answered)
	p = launchIn(t, dir, executable, "serve", "echo", "--port-base", "0", "--set", "log.dir=log")
	p.find(`^listening on`)
	p.signal(syscall.SIGTERM)
	if status := p.status(patience); status != 0 {
		t.Errorf("exit status %d after the restart, want 0", status)
	}
	verified(t, dir, "--dir", "log")
	lines := logged(t, dir, "--dir", "log")
	checkJoins(t, lines, answered)
	for i, line := range lines {
		if line.Index != strconv.Itoa(i+1) {
			t.Fatalf("line %d has index %s", i+1, line.Index)
		}
	}
	if last := lines[len(lines)-1]; last.Msg != "process stopped" || last.Level != "SYSTEM" {
		t.Errorf("the last line is %+v", last)
	}
}

// checkJoins fails unless a line of the log tells that each of the addresses joined.
func checkJoins(t *testing.T, lines []logLine, answered [][]string) {
	t.Helper()
	joined := map[any]int{}
	for _, line := range lines {
		if line.Msg == "session joined" {
			joined[line.Fields["remote"]]++
		}
	}
	total, missing := 0, 0
	for _, some := range answered {
		for _, remote := range some {
			total++
			if joined[remote]--; joined[remote] < 0 { // a port may come again
				missing++
			}
		}
	}
	if missing > 0 || total == 0 {
		t.Errorf("%d of %d sessions that were answered are not in the log", missing, total)
	}
	t.Logf("%d sessions answered, %d lines", total, len(lines))
}

// The levels of files and console change with the file of the configuration; the directory needs a restart.
func TestServeReloadsTheLevelsOfItsLog(t *testing.T) {
	dir := t.TempDir()
	file := newConfigFile(t, `[log]`, `dir = "log"`)
	p := launchIn(t, dir, executable, "serve", "echo", "--greeting=false", "--port-base", "0", "--config", file.path)
	addr := p.find(`^listening on (\S+)`)[1]
	say(dialEcho(t, addr), 1)
	file.write(`[log]`, `dir = "elsewhere"`, `console_level = "debug"`, `types = ["session=warn"]`, `level = "warn"`)
	p.signal(syscall.SIGHUP)
	p.find(`/ SYSTEM\] setting changed key=log.console_level`)
	p.find(`/ WARN\] setting needs a restart key=log.dir old="\S+log\S+ new="\S+elsewhere`)
	say(dialEcho(t, addr), 1)
	p.find(`^\[session\] \[\S+ / DEBUG\] session joined `)
	file.write(`[log]`, `dir = "log"`, `level = "loud"`, `otlp = "teapot"`)
	p.signal(syscall.SIGHUP)
	failed := p.find(`/ ERROR\] reload failed error="(.*)"$`)[1]
	for _, want := range []string{"vitrine.toml:3: log.level: unknown level", "vitrine.toml:4: log.otlp: "} {
		if !strings.Contains(failed, want) {
			t.Errorf("the error does not name %q: %s", want, failed)
		}
	}
	p.signal(syscall.SIGTERM)
	if status := p.status(patience); status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
	counts := map[string]int{}
	for _, line := range logged(t, dir, "--dir", "log") {
		counts[line.Msg]++
		if line.Msg == "setting changed" && line.Type != "config" {
			t.Errorf("%+v is not of type config", line)
		}
	}
	if counts["session joined"] != 1 || counts["setting needs a restart"] != 1 || counts["setting changed"] != 3 {
		t.Errorf("got %v, want the first session alone and what changed", counts)
	}
}
