//go:build linux

package e2e

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"vitrine/servers/observe"
)

// program is a running process of the binary.
type program struct {
	t   *testing.T
	cmd *exec.Cmd

	mu    sync.Mutex
	out   []string      // lines of standard output; guarded by mu
	err   []string      // lines of standard error; guarded by mu
	grown chan struct{} // closed and replaced when a line comes; guarded by mu
	ended chan struct{} // closed when the process has ended and its output is read
}

// launch starts the program under test.
func launch(t *testing.T, args ...string) *program {
	t.Helper()
	return launchFile(t, executable, args...)
}

// launchFile starts an executable in a folder of its own.
func launchFile(t *testing.T, file string, args ...string) *program {
	t.Helper()
	return launchIn(t, t.TempDir(), file, args...)
}

// launchIn starts an executable in a folder. At the end of the test a process that still runs is killed.
func launchIn(t *testing.T, dir, file string, args ...string) *program {
	t.Helper()
	p := &program{t: t, cmd: exec.Command(file, args...), grown: make(chan struct{}), ended: make(chan struct{})}
	p.cmd.Dir = dir
	p.cmd.Env = append(os.Environ(), "VITRINE_LOG_RING_DIR="+t.TempDir(), "VITRINE_CRASH_DIR="+crashes) // a killed process leaves its ring
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var readers sync.WaitGroup
	readers.Go(func() { p.read(stdout, &p.out) })
	readers.Go(func() { p.read(stderr, &p.err) })
	go func() { // ends with the process
		readers.Wait()
		p.cmd.Wait()
		close(p.ended)
	}()
	t.Cleanup(p.kill)
	return p
}

func (p *program) kill() {
	select {
	case <-p.ended:
	default:
		p.cmd.Process.Kill()
		<-p.ended
	}
	if p.t.Failed() {
		p.t.Logf("%v\nstdout:\n%s\nstderr:\n%s", p.cmd.Args[1:], tail(p.stdout()), tail(p.stderr()))
	}
}

// tail keeps the last lines of a text for a report.
func tail(text string) string {
	const most = 4000
	return text[max(0, len(text)-most):]
}

func (p *program) read(from io.Reader, into *[]string) {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		p.mu.Lock()
		*into = append(*into, lines.Text())
		close(p.grown)
		p.grown = make(chan struct{})
		p.mu.Unlock()
	}
}

func (p *program) stdout() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.out, "\n")
}

func (p *program) stderr() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.err, "\n")
}

// find waits until a line of either output matches and returns its groups.
func (p *program) find(pattern string) []string {
	p.t.Helper()
	wanted := regexp.MustCompile(pattern)
	late := time.After(patience)
	for {
		p.mu.Lock()
		grown := p.grown
		for _, line := range append(p.out[:len(p.out):len(p.out)], p.err...) {
			if groups := wanted.FindStringSubmatch(line); groups != nil {
				p.mu.Unlock()
				return groups
			}
		}
		p.mu.Unlock()
		select {
		case <-grown:
		case <-p.ended:
			select {
			case <-grown:
			default:
				p.t.Fatalf("the program ended and never wrote %q", pattern)
			}
		case <-late:
			p.t.Fatalf("the program did not write %q within %v", pattern, patience)
		}
	}
}

// signal asks the process to end.
func (p *program) signal(sig syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatal(err)
	}
}

// status waits for the end of the process and returns its exit status.
func (p *program) status(within time.Duration) int {
	p.t.Helper()
	select {
	case <-p.ended:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(within):
		p.t.Fatalf("the program has not ended within %v", within)
		return -1
	}
}

// server is where a server of a program is and how to talk to it.
type server struct{ addr, key string }

// server waits until the program names a server of that name.
func (p *program) server(name string) server {
	p.t.Helper()
	groups := p.find(`^\s+` + name + `\s+(\S+)\s+[a-z-]+(?:, server key (\S+))?`)
	return server{addr: groups[1], key: groups[2]}
}

// ops is the address of the operations pages.
func (p *program) ops() string {
	p.t.Helper()
	return p.find(`operations\s+(http://\S+)`)[1]
}

// figures are what /status says of the server with that name.
func (p *program) figures(name string) observe.ServerStatus {
	p.t.Helper()
	var all observe.Status
	if err := fetch(p.ops()+"/status", &all); err != nil {
		p.t.Fatal(err)
	}
	for _, one := range all.Servers {
		if one.Name == name {
			return one
		}
	}
	p.t.Fatalf("/status knows no server %q", name)
	return observe.ServerStatus{}
}

func fetch(url string, into any) error {
	client := http.Client{Timeout: patience}
	answer, err := client.Get(url)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("get %s: %s", url, answer.Status)
	}
	return json.NewDecoder(answer.Body).Decode(into)
}

// await polls /status until the server's figures are as wanted, and returns them, or fails with the last ones.
func (p *program) await(name string, wanted func(observe.ServerStatus) bool) observe.ServerStatus {
	p.t.Helper()
	poll := time.NewTicker(50 * time.Millisecond)
	defer poll.Stop()
	late := time.After(patience)
	for {
		figures := p.figures(name)
		if wanted(figures) {
			return figures
		}
		select {
		case <-poll.C:
		case <-late:
			p.t.Fatalf("figures of %s after %v: sessions %d, closed %v, %+v", name, patience, figures.Sessions, figures.CloseReasons, figures.Counters)
		}
	}
}

// memory is the most memory that the process has had in RAM, in bytes.
func (p *program) memory() int64 {
	p.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.t.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), "VmHWM:")
	fields := strings.Fields(rest)
	if !ok || len(fields) < 2 {
		p.t.Fatal(errors.New("no VmHWM in /proc/PID/status"))
	}
	kib, err := strconv.ParseInt(fields[0], 10, 64)
	if err != nil {
		p.t.Fatal(err)
	}
	return kib << 10
}

// sum adds up the counts of a map.
func sum(counts map[string]uint64) (total uint64) {
	for _, n := range counts {
		total += n
	}
	return total
}
