//go:build linux

package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// outcome is the last line of `up --json`.
type outcome struct {
	OK      bool
	Servers map[string]struct {
		Addr              string
		Bots              int
		Sessions          uint64
		Sent              uint64
		Received          uint64
		Wrong             *uint64
		Missing           *uint64
		ServerDisconnects *uint64  `json:"server_disconnects"`
		ConnectErrors     *uint64  `json:"connect_errors"`
		Unconnected       *int     `json:"unconnected"`
		P50               *float64 `json:"rtt_p50_us"`
		P99               *float64 `json:"rtt_p99_us"`
		LastSession       string   `json:"last_session"`
	}
	CloseReasons map[string]uint64 `json:"close_reasons"`
}

// lastLine reads the outcome, which must be the whole of standard output.
func lastLine(t *testing.T, p *program) outcome {
	t.Helper()
	line := p.stdout()
	decoder := json.NewDecoder(strings.NewReader(line))
	decoder.DisallowUnknownFields()
	var got outcome
	if err := decoder.Decode(&got); err != nil || strings.Contains(line, "\n") {
		t.Fatalf("standard output is not one line of JSON: %v\n%s", err, line)
	}
	return got
}

// checkBooks compares what the servers counted with what the bots did.
func checkBooks(t *testing.T, got outcome) {
	t.Helper()
	var sessions uint64
	for name, s := range got.Servers {
		sessions += s.Sessions
		if s.Unconnected == nil || s.ConnectErrors == nil || s.Wrong == nil || s.Missing == nil || s.ServerDisconnects == nil || s.P50 == nil || s.P99 == nil {
			t.Errorf("%s: a figure is not there: %+v", name, s)
			continue
		}
		if *s.Wrong+*s.Missing != 0 {
			t.Errorf("%s: wrong %d, missing %d, want 0", name, *s.Wrong, *s.Missing)
		}
	}
	if reasons := sum(got.CloseReasons); reasons != sessions || sessions == 0 {
		t.Errorf("sum of close_reasons %v is %d, sum of sessions %d, want equal and not 0", got.CloseReasons, reasons, sessions)
	}
}

func TestUpEndsWithBooksThatBalance(t *testing.T) {
	const bots = 40
	p := launch(t, "up", "--bots", fmt.Sprint(bots), "--for", (3 * time.Second).String(), "--json", "--port-base", "0")
	if status := p.status(patience); status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
	got := lastLine(t, p)
	if !got.OK {
		t.Errorf("ok is false: %+v", got)
	}
	checkBooks(t, got)
	const seconds = 2 // of the 3: bots connect one by one
	for name, perBot := range map[string]uint64{"echo-lan": 10, "echo-classic": 10, "echo-sealed": 10, "chat": 1} {
		s, ok := got.Servers[name]
		if s.Sessions < bots/4 || s.Unconnected == nil || *s.Unconnected != 0 {
			t.Errorf("%s: %d sessions, want one for each of the %d bots", name, s.Sessions, bots/4)
		}
		if want := perBot * seconds * bots / 4; !ok || s.Received < want {
			t.Errorf("%s: received %d, want at least %d", name, s.Received, want)
		}
		if s.ServerDisconnects != nil && *s.ServerDisconnects != 0 {
			t.Errorf("%s: the server disconnected %d", name, *s.ServerDisconnects)
		}
	}
}

func TestUpDrainsOnSIGTERM(t *testing.T) {
	p := launch(t, "up", "--bots", "40", "--json", "--port-base", "0")
	p.find(`[1-9]\d* sessions`)
	p.signal(syscall.SIGTERM)
	if status := p.status(patience); status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
	got := lastLine(t, p)
	checkBooks(t, got)
	if !got.OK || len(got.Servers) != 4 {
		t.Errorf("got %+v, want ok and four servers", got)
	}
	if !strings.Contains(p.stderr(), "Summary") {
		t.Error("no summary for people on standard error")
	}
}

func TestUpWithoutBotsEndsAfterItsTime(t *testing.T) {
	p := launch(t, "up", "--for", "300ms", "--json", "--port-base", "0")
	if status := p.status(patience); status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
	if got := lastLine(t, p); !got.OK || sum(got.CloseReasons) != 0 {
		t.Errorf("got %+v, want ok without sessions", got)
	}
}

func TestUpNamesAPortThatIsInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	addr := taken.Addr().String()
	for _, args := range [][]string{
		{"up", "--for", "1s", "--port-base", "0", "--set", "chat.addr=" + addr},
		{"up", "--for", "1s", "--port-base", "0", "--ops-addr", addr},
		{"serve", "echo", "--port-base", "0", "--addr", addr},
	} {
		p := launch(t, args...)
		if status := p.status(patience); status != 1 {
			t.Errorf("%v: exit status %d, want 1", args, status)
		}
		if said := p.stderr(); !strings.Contains(said, addr) || !strings.Contains(said, "address already in use") {
			t.Errorf("%v: standard error does not name %s and why: %s", args, addr, said)
		}
	}
}

func TestServeListensSoonAfterItsStart(t *testing.T) {
	for _, args := range [][]string{
		{"serve", "echo", "--port-base", "0"},
		{"serve", "echo", "--codec", "sealed", "--port-base", "0"},
		{"serve", "chat", "--port-base", "0"},
	} {
		began := time.Now()
		p := launch(t, args...)
		addr := p.find(`^listening on (\S+)`)[1]
		took := time.Since(began)
		conn, err := net.DialTimeout("tcp", addr, patience)
		if err != nil {
			t.Fatal(err)
		}
		conn.Close()
		t.Logf("%v listened after %v", args, took.Round(time.Millisecond))
		if took > *listenWithin {
			t.Errorf("%v: listened after %v, want at most %v", args, took, *listenWithin)
		}
		p.signal(syscall.SIGINT)
		if status := p.status(patience); status != 0 {
			t.Errorf("%v: exit status %d after SIGINT, want 0", args, status)
		}
	}
}

// Bots that never get in are a fault, and the outcome says how many and why.
func TestUpFailsWhenBotsAreMissing(t *testing.T) {
	const bots = 200 // two descriptors each
	dir := t.TempDir()
	p := launchIn(t, dir, "/bin/sh", "-c", `export GOMAXPROCS=2; ulimit -n 150 && exec "$0" "$@"`, executable,
		"up", "--bots", fmt.Sprint(bots), "--for", "3s", "--json", "--port-base", "0")
	if status := p.status(patience); status != 1 {
		t.Errorf("exit status %d, want 1", status)
	}
	got := lastLine(t, p)
	missing, errors := 0, uint64(0)
	for name, s := range got.Servers {
		if s.Bots != bots/4 || s.Unconnected == nil || s.ConnectErrors == nil {
			t.Fatalf("%s: got %+v, want %d bots and who is missing", name, s, bots/4)
		}
		missing, errors = missing+*s.Unconnected, errors+*s.ConnectErrors
	}
	if got.OK || missing < bots/2 || errors < uint64(missing) {
		t.Errorf("ok %v, %d unconnected, %d connect errors; want not ok and most of %d unconnected", got.OK, missing, errors, bots)
	}
	p.find(`fault: .*unconnected`)
}

// A reader who leaves ends the run in good order.
func TestUpDrainsWhenItsReaderLeaves(t *testing.T) {
	cmd := exec.Command(executable, "up", "--for", "60s", "--port-base", "0")
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "VITRINE_LOG_RING_DIR="+t.TempDir(), "VITRINE_CRASH_DIR="+crashes)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	late := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	defer late.Stop()
	if _, err := bufio.NewReaderSize(out, 16).ReadString('\n'); err != nil {
		t.Error(err)
	}
	out.Close()
	cmd.Wait() // the status says it
	if status := cmd.ProcessState.ExitCode(); status != 1 {
		t.Errorf("exit status %d, want 1", status)
	}
	for _, want := range []string{"server stopped", "how=done", "nobody reads the output"} {
		if !strings.Contains(complaints.String(), want) {
			t.Errorf("standard error does not say %q:\n%s", want, complaints.String())
		}
	}
}

// A server goes on when nobody reads what it says.
func TestServeOutlivesItsReader(t *testing.T) {
	cmd := exec.Command(executable, "serve", "echo", "--port-base", "0")
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "VITRINE_LOG_RING_DIR="+t.TempDir(), "VITRINE_CRASH_DIR="+crashes)
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	in.Close()
	cmd.Stdout = out
	said, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	out.Close()
	late := time.AfterFunc(patience, func() { cmd.Process.Kill() })
	defer late.Stop()
	for lines := bufio.NewScanner(said); lines.Scan(); {
		if strings.Contains(lines.Text(), "server started") {
			cmd.Process.Signal(syscall.SIGTERM)
		}
	}
	cmd.Wait()
	if status := cmd.ProcessState.ExitCode(); status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
}

// What ends a process may signal it more than once at a time: that is one request.
func TestSignalsInARowAreOneRequest(t *testing.T) {
	for range 4 {
		p := launch(t, "serve", "echo", "--port-base", "0")
		p.find(`^listening on`)
		for range 3 {
			p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended already
		}
		if status := p.status(patience); status != 0 {
			t.Errorf("exit status %d, want 0", status)
		}
	}
}
