//go:build linux

package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"vitrine/crash/bundle"
	"vitrine/crash/monitor"
	"vitrine/crash/sentry/sentrytest"
)

// soon is how long a dying server may be held up by its monitors; the kernel's timer kills it after 30 s.
const soon = 15 * time.Second

// mortal is a server without clients.
var mortal = []string{"serve", "echo", "--workers", "2"}

// exitStatus waits for the end of the process and returns its status as shells have it: 128 and the signal that ended it.
func (p *program) exitStatus(within time.Duration) int {
	p.t.Helper()
	code := p.status(within)
	if ws := p.cmd.ProcessState.Sys().(syscall.WaitStatus); ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return code
}

// killed is the exit status of SIGKILL.
const killed = 128 + int(syscall.SIGKILL)

// bareStatus is the exit status of a server without capture that dies of a signal.
func bareStatus(t *testing.T, of syscall.Signal) int {
	t.Helper()
	p := launch(t, append(slices.Clone(mortal), "--port-base", "0", "--set", "crash.dir=")...)
	p.find(`crashes\s+no capture`)
	p.signal(of)
	return p.exitStatus(patience)
}

// die ends a server by a signal. It must end soon and with the status that it should.
func (p *program) die(of syscall.Signal, want int) (took time.Duration) {
	p.t.Helper()
	took, got := p.end(of)
	if got != want {
		p.t.Errorf("exit status %d after %v, want %d", got, took, want)
	}
	return took
}

// end ends a server by a signal, soon, and returns its exit status.
func (p *program) end(of syscall.Signal) (took time.Duration, status int) {
	p.t.Helper()
	began := time.Now()
	p.signal(of)
	status = p.exitStatus(patience)
	if took = time.Since(began); took > soon {
		p.t.Errorf("ended after %v, want within %v", took, soon)
	}
	return took, status
}

// checkText fails unless the text of a bundle is what the dying server said on standard error, to the last line.
func checkText(t *testing.T, p *program, text []byte) {
	t.Helper()
	lines := strings.Split(strings.TrimRight(string(text), "\n"), "\n")
	said := strings.Split(strings.TrimRight(p.stderr(), "\n"), "\n")
	first := slices.Index(said, lines[0])
	if first < 0 || len(lines) < 10 {
		t.Fatalf("the text begins with %q and has %d lines; standard error:\n%s", lines[0], len(lines), tail(p.stderr()))
	}
	for i, line := range said[first:] {
		if i >= len(lines) || lines[i] != line {
			t.Fatalf("the text has %d lines of %d; the first that is missing or another: %q", len(lines), len(said)-first, line)
		}
	}
}

// checkWhole fails unless the one bundle there is of a server holds all its text.
func (s *site) checkWhole(p *program) *bundle.Meta {
	s.t.Helper()
	entry, m := s.only()
	text, err := entry.Read("crash.txt", 1<<20)
	if err != nil {
		s.t.Fatal(err)
	}
	checkText(s.t, p, text)
	return m
}

// kill sends a signal to a process by its number.
func kill(t *testing.T, pid int, sig syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, sig); err != nil {
		t.Errorf("signal %v to %d: %v", sig, pid, err)
	}
}

// Whatever happens to the monitors, the server ends as it does without them, and all that it said is in a bundle.
func TestServerDiesBesideMonitorsInTrouble(t *testing.T) {
	const first, reserve = monitor.RoleFirst, monitor.RoleReserve
	want := bareStatus(t, syscall.SIGABRT)
	for _, test := range []struct {
		name  string
		roles []string
		sig   syscall.Signal
	}{
		{"none in trouble", nil, 0},
		{"first stopped", []string{first}, syscall.SIGSTOP},
		{"reserve stopped", []string{reserve}, syscall.SIGSTOP},
		{"both stopped", []string{first, reserve}, syscall.SIGSTOP},
		{"first killed", []string{first}, syscall.SIGKILL},
		{"reserve killed", []string{reserve}, syscall.SIGKILL},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			for range *hardships {
				s := newSite(t)
				p := s.armed(mortal...)
				monitors := p.monitors()
				for _, role := range test.roles {
					kill(t, monitors[role], test.sig)
				}
				took := p.die(syscall.SIGABRT, want)
				m := s.checkWhole(p)
				t.Logf("%s: dead after %v, complete after %d ms, core %s %s", test.name, took.Round(time.Millisecond), m.Timings.CompleteMS, m.Core.State, m.Core.Why)
			}
		})
	}
}

// A server whose monitors are killed gets others. One that dies before it has them has said everything on standard error.
func TestServerOutlivesItsMonitors(t *testing.T) {
	want := bareStatus(t, syscall.SIGABRT)
	for _, wait := range []bool{true, false} {
		s := newSite(t)
		p := s.armed(mortal...)
		before := p.monitors()
		for _, pid := range before {
			kill(t, pid, syscall.SIGKILL)
		}
		if wait {
			eventually(t, "monitors come again", func() bool {
				now := p.monitors()
				return len(now) == 2 && now[monitor.RoleFirst] != before[monitor.RoleFirst] && p.capture().Monitors == 2
			})
		}
		p.die(syscall.SIGABRT, want)
		if wait {
			s.checkWhole(p)
		} else if said := p.stderr(); !strings.Contains(said, "SIGABRT: abort") || !strings.Contains(said, "goroutine 1 ") {
			t.Errorf("standard error lacks the death:\n%s", tail(said))
		}
	}
}

// A monitor that is killed or stopped while it is at work leaves the rest to the other. One that is killed in the moment in which
// the server is copied takes the server with it, which then has foreign registers in one of its threads: that is seldom.
func TestMonitorsDieAtWork(t *testing.T) {
	want := bareStatus(t, syscall.SIGABRT)
	for _, test := range []struct {
		role string
		sig  syscall.Signal
	}{
		{monitor.RoleFirst, syscall.SIGKILL}, {monitor.RoleFirst, syscall.SIGSTOP},
		{monitor.RoleReserve, syscall.SIGKILL}, {monitor.RoleReserve, syscall.SIGSTOP},
	} {
		t.Run(fmt.Sprintf("%s %v", test.role, test.sig), func(t *testing.T) {
			t.Parallel()
			taken := 0
			for range *hardships {
				s := newSite(t)
				p := s.armed(mortal...)
				pid := p.monitors()[test.role]
				const work = 100 * time.Millisecond // about what a monitor needs
				after := rand.N(work)
				blow := time.AfterFunc(after, func() { _ = syscall.Kill(pid, test.sig) }) // one that is done is gone
				took, status := p.end(syscall.SIGABRT)
				blow.Stop()
				if status == killed && test.role == monitor.RoleFirst && test.sig == syscall.SIGKILL {
					taken++
					s.only()
					continue
				}
				if status != want {
					t.Errorf("%v after %v: exit status %d, want %d", test.sig, after, status, want)
				}
				m := s.checkWhole(p)
				t.Logf("%v after %v: dead after %v, core %s %s", test.sig, after.Round(time.Millisecond), took.Round(time.Millisecond), m.Core.State, m.Core.Why)
			}
			if most := 1 + *hardships/10; taken > most {
				t.Errorf("%d servers of %d died with their monitor, want at most %d", taken, *hardships, most)
			}
		})
	}
}

// Where bundles cannot be written, the text is kept elsewhere and comes home with the next start.
func TestServerDiesWithoutRoomForABundle(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("mounting a file system needs root")
	}
	want := bareStatus(t, syscall.SIGABRT)
	for name, options := range map[string]string{"full": "size=16k", "read-only": "size=1m,ro"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			mount(t, s.crashes, options)
			p := s.armed(mortal...)
			took := p.die(syscall.SIGABRT, want)
			s.settled()
			rescued, _ := filepath.Glob(filepath.Join(s.run, "rescued*", "*", "crash.txt")) // the pattern is well formed
			if len(rescued) != 1 {
				t.Fatalf("rescued texts: %q, want one", rescued)
			}
			text, err := os.ReadFile(rescued[0])
			if err != nil {
				t.Fatal(err)
			}
			checkText(t, p, text)
			unmount(s.crashes)
			next := s.armed(mortal...)
			eventually(t, "it came home", func() bool {
				home, _ := filepath.Glob(filepath.Join(s.crashes, "*", "meta.json")) // the pattern is well formed
				return len(home) == 1
			})
			next.die(syscall.SIGTERM, 0)
			s.checkWhole(p)
			t.Logf("%s: dead after %v", name, took.Round(time.Millisecond))
		})
	}
}

// mount puts a small file system in memory at a folder, which it makes, until the end of the test.
func mount(t *testing.T, dir, options string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if text, err := exec.Command("mount", "-t", "tmpfs", "-o", options, "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("mount a file system: %v: %s", err, text)
	}
	t.Cleanup(func() { unmount(dir) })
}

func unmount(dir string) { _ = exec.Command("umount", "-l", dir).Run() } // it may be unmounted already

// Two servers that share a directory and die at once leave a bundle and a report each.
func TestServersShareADirectoryOfBundles(t *testing.T) {
	want := bareStatus(t, syscall.SIGABRT)
	for range *hardships {
		sink := sentrytest.New()
		defer sink.Close()
		s := newSite(t)
		echo := s.armed(append(slices.Clone(mortal), "--set", "crash.sentry_dsn="+sink.DSN())...)
		chat := s.armed("serve", "chat", "--set", "ops.chaos=true", "--set", "crash.sentry_dsn="+sink.DSN())
		chat.chaos("chat", "goroutine")
		echo.die(syscall.SIGABRT, want)
		if got := chat.exitStatus(patience); got != want {
			t.Errorf("exit status %d, want %d", got, want)
		}
		entries := s.bundles()
		if len(entries) != 2 {
			t.Fatalf("%d bundles, want 2: %v", len(entries), entries)
		}
		events := map[string]bool{}
		for _, e := range entries {
			text, err := e.Read("crash.txt", 1<<20)
			if err != nil {
				t.Fatal(err)
			}
			of := map[int]*program{echo.cmd.Process.Pid: echo, chat.cmd.Process.Pid: chat}[e.PID]
			checkText(t, of, text)
			events[metaOf(t, e).Event] = true
		}
		checkSink(t, sink, events)
	}
}

// checkSink fails unless exactly these events came, each once.
func checkSink(t *testing.T, sink *sentrytest.Sink, want map[string]bool) {
	t.Helper()
	for _, e := range sink.Events() {
		if !want[e.ID] || e.Times != 1 {
			t.Errorf("event %s came %d times, wanted: %v", e.ID, e.Times, want[e.ID])
		}
	}
	if got := len(sink.Events()); got != len(want) {
		t.Errorf("%d events came, want %d", got, len(want))
	}
	if problems := sink.Problems(); len(problems) > 0 {
		t.Errorf("broken protocol: %q", problems)
	}
}

// A crash that happens during another, or during the report of a panic, or that somebody cuts short, leaves a bundle.
func TestServerDiesWhileItDies(t *testing.T) {
	want := bareStatus(t, syscall.SIGABRT)
	t.Run("of a panic's report", func(t *testing.T) {
		t.Parallel()
		for range *hardships {
			s := newSite(t)
			p := s.armed("serve", "echo", "--set", "ops.chaos=true")
			for _, seam := range []string{"timer", "goroutine"} {
				p.chaos("echo-lan", seam)
			}
			if got := p.exitStatus(patience); got != want {
				t.Errorf("exit status %d, want %d", got, want)
			}
			var classes []bundle.Class
			for _, e := range s.bundles() {
				classes = append(classes, e.Class)
			}
			if len(classes) != 2 || !slices.Contains(classes, bundle.ClassPanic) || !slices.Contains(classes, bundle.ClassGoroutine) {
				t.Errorf("bundles of classes %v, want one of the panic and one of the death", classes)
			}
		}
	})
	t.Run("of SIGKILL", func(t *testing.T) {
		t.Parallel()
		for range *hardships {
			s := newSite(t)
			p := s.armed(mortal...)
			p.signal(syscall.SIGABRT)
			const dying = 20 * time.Millisecond
			time.AfterFunc(rand.N(dying), func() { _ = p.cmd.Process.Kill() }) // one that is dead needs none
			if got := p.exitStatus(soon); got != want && got != killed {
				t.Errorf("exit status %d, want %d or that of SIGKILL", got, want)
			}
			_, m := s.only()
			t.Logf("class %s: %s", m.Class, m.Reason)
		}
	})
	t.Run("of many goroutines at once", func(t *testing.T) {
		t.Parallel()
		for range *hardships {
			dir := filepath.Join(t.TempDir(), "crash")
			out, status := runIn(t, t.TempDir(), "crash", "--dir", dir, "--json", "test", "mapwrites")
			if status != 0 || !strings.Contains(out, `"status":2`) {
				t.Errorf("exit status %d, want 0, with nothing missing and status 2:\n%s", status, out)
			}
		}
	})
}

// A Sentry that never answers holds up no server, and no other monitor takes its bundle for one that is not made.
func TestServerDiesWhileSentryHangs(t *testing.T) {
	if *hardships < 2 {
		t.Skip("it lasts as long as a monitor waits for an answer")
	}
	want := bareStatus(t, syscall.SIGABRT)
	sink := sentrytest.New()
	defer sink.Close()
	release := make(chan struct{})
	sink.Judge(func(sentrytest.Event) int { <-release; return 0 })
	s := newSite(t)
	p := s.armed(append(slices.Clone(mortal), "--set", "crash.sentry_dsn="+sink.DSN())...)
	p.die(syscall.SIGABRT, want)
	m := s.checkWhole(p)
	close(release)
	if out, status := runIn(t, s.dir, "crash", "--dir", s.crashes, "send", "--dsn", sink.DSN()); status != 0 {
		t.Errorf("send: exit status %d: %s", status, out)
	}
	for _, e := range sink.Events() {
		if e.ID != m.Event {
			t.Errorf("event %s, want %s alone", e.ID, m.Event)
		}
	}
	s.only()
}
