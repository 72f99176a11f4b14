//go:build linux

package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"vitrine/core/frame"
	"vitrine/crash/bundle"
	"vitrine/crash/snapshot"
)

// The size of the runs of panics; see the package comment.
var (
	seamBots = flag.Int("seam-bots", 40, "bots beside the panics at each seam")
	debugger = flag.String("dlv", "", "path of Delve, which opens the core of each panic; empty: without cores")
)

// drill is a panic at one seam of a server that bots play on, and what its bundle must say.
type drill struct {
	seam     string // as vitrine chaos names it
	callback string // of the bundle; "" = none
	says     string // in the reason
	visit    bool   // a client must come and go
	session  bool   // the bundle names one
	packet   bool   // and the type of the packet
	closes   bool   // it ends the session, of a bot unless there is a visitor
}

var drills = []drill{
	{seam: "request", callback: "OnConnectionRequest", says: "chaos at request", visit: true},
	{seam: "join", callback: "OnClientJoin", says: "chaos at join", visit: true, session: true, closes: true},
	{seam: "recv", callback: "OnRecv", says: "chaos at recv", session: true, packet: true, closes: true},
	{seam: "send", callback: "OnSend", says: "chaos at send", session: true, closes: true},
	{seam: "leave", callback: "OnClientLeave", says: "chaos at leave", visit: true, session: true},
	{seam: "worker-begin", callback: "OnWorkerThreadBegin", says: "chaos at worker-begin"},
	{seam: "worker-end", callback: "OnWorkerThreadEnd", says: "chaos at worker-end"},
	{seam: "post", callback: "Post", says: "chaos in a post", session: true, closes: true},
	{seam: "timer", callback: "timer", says: "chaos in a timer"},
	{seam: "go", says: "chaos in a guarded goroutine", session: true},
}

// A panic at any seam of a server leaves one bundle that says where it was, and nobody but its session notices. Each kind of
// server has a process of its own: the seams have the same stacks, and of one kind one panic a minute is reported.
func TestPanicAtEachSeam(t *testing.T) {
	for _, on := range []struct{ server, codec string }{{"echo-lan", "lan"}, {"chat", "sealed"}} {
		t.Run(on.server, func(t *testing.T) {
			s := newSite(t)
			p := s.armed("up", "--bots", fmt.Sprint(*seamBots), "--json",
				"--set", "ops.chaos=true", "--set", fmt.Sprint("crash.cores=", *debugger != ""), "--set", "crash.keep_cores=100")
			at := p.server(on.server)
			codec := parseCodec(t, on.codec, at)
			p.playing(*seamBots)
			for i, d := range drills {
				p.drill(on.server, at, codec, d)
				poll(t, "a bundle of "+d.seam, func() bool { return p.capture().Bundles == uint64(i+1) })
			}
			p.signal(syscall.SIGTERM)
			if status := p.status(patience); status != 1 {
				t.Errorf("exit status %d, want 1: bots were cut", status)
			}
			checkCuts(t, lastLine(t, p), on.server)
			s.checkDrills(on.server)
		})
	}
}

// playing waits until so many sessions are there.
func (p *program) playing(bots int) {
	p.t.Helper()
	poll(p.t, "bots play", func() bool {
		total := uint64(0)
		for _, name := range []string{"echo-lan", "echo-classic", "echo-sealed", "chat"} {
			total += uint64(p.figures(name).Sessions)
		}
		return total >= uint64(bots)
	})
}

// drill has a server panic at a seam.
func (p *program) drill(name string, at server, codec frame.Codec, d drill) {
	p.t.Helper()
	order := exec.Command(executable, "chaos", "panic", "--ops-addr", strings.TrimPrefix(p.ops(), "http://"), "--server", name, "--seam", d.seam)
	if text, err := order.CombinedOutput(); err != nil {
		p.t.Fatalf("chaos panic at %s: %v\n%s", d.seam, err, text)
	}
	if !d.visit {
		return
	}
	visitor, err := connect(at.addr, codec)
	if err == nil {
		visitor.conn.Close()
	}
}

// checkCuts fails unless the server ended the sessions that panicked, and the bots found no other fault.
func checkCuts(t *testing.T, got outcome, of string) {
	t.Helper()
	checkBooks(t, got)
	var want, closed uint64
	for _, d := range drills {
		if d.closes {
			closed++
			if !d.visit {
				want++
			}
		}
	}
	if got.CloseReasons["handler_panic"] != closed {
		t.Errorf("sessions ended %v, want %d with handler_panic", got.CloseReasons, closed)
	}
	for name, s := range got.Servers {
		if cut := *s.ServerDisconnects; name == of && cut != want || name != of && cut != 0 {
			t.Errorf("%s: %d sessions of bots cut, want those %d of %s that panicked", name, cut, want, of)
		}
	}
}

// checkDrills compares the bundles with the panics.
func (s *site) checkDrills(server string) {
	s.t.Helper()
	entries := s.bundles()
	if len(entries) != len(drills) {
		s.t.Errorf("%d bundles, want %d", len(entries), len(drills))
	}
	found := map[string]bundle.Entry{}
	for _, e := range entries {
		found[metaOf(s.t, e).Where.Callback] = e
	}
	for _, d := range drills {
		e, ok := found[d.callback]
		if !ok {
			s.t.Errorf("%s: no bundle", d.seam)
			continue
		}
		m := metaOf(s.t, e)
		s.t.Logf("%-12s session %-15s packet type %-5d stopped %5.1f ms, core %4d KiB, rest %4d KiB  %s", d.seam, m.Where.Session,
			m.Where.Packet, float64(m.Timings.StopUS)/1e3, e.Core>>10, (e.Size()-e.Core)>>10, m.Reason)
		d.check(s.t, server, m)
		switch {
		case *debugger == "":
		case m.Core.State == bundle.CoreWritten:
			d.open(s.t, e, m)
		default:
			s.t.Errorf("%s: core %s: %s", d.seam, m.Core.State, m.Core.Why)
		}
	}
}

// check compares what a bundle says with what happened.
func (d *drill) check(t *testing.T, server string, m *bundle.Meta) {
	t.Helper()
	w := m.Where
	if m.Class != bundle.ClassPanic || !m.Handled || w.Server != server || w.Callback != d.callback || !strings.Contains(m.Reason, d.says) {
		t.Errorf("%s: class %s, handled %v, %q of %q, reason %q", d.seam, m.Class, m.Handled, w.Callback, w.Server, m.Reason)
	}
	if (w.Session != "") != d.session || (w.Packet != 0) != d.packet {
		t.Errorf("%s: session %q, packet type %d", d.seam, w.Session, w.Packet)
	}
	if len(m.Problems) > 0 {
		t.Errorf("%s: problems %q", d.seam, m.Problems)
	}
}

// open has Delve list the goroutines of the core and print the panic's value.
func (d *drill) open(t *testing.T, e bundle.Entry, m *bundle.Meta) {
	t.Helper()
	core := filepath.Join(t.TempDir(), "core")
	if err := expand(core, filepath.Join(e.Path(), m.Core.File)); err != nil {
		t.Fatal(err)
	}
	defer os.Remove(core)
	said := ask(t, core, "goroutines", fmt.Sprintf("goroutine %d bt 40 -full", m.Goroutine))
	listed := regexp.MustCompile(`\[(\d+) goroutines\]`).FindStringSubmatch(said)
	own := fmt.Sprintf("Goroutine %d - ", m.Goroutine)
	if listed == nil || !strings.Contains(said, own) {
		t.Errorf("%s: Delve lists no goroutines, or not number %d:\n%s", d.seam, m.Goroutine, tail(said))
	}
	if value := fmt.Sprintf("e = interface {}(string) %q", d.says); !strings.Contains(said, value) {
		t.Errorf("%s: Delve does not print %s:\n%s", d.seam, value, tail(said))
	}
	if listed != nil {
		t.Logf("%-12s Delve lists %s goroutines and prints the value in goroutine %d", d.seam, listed[1], m.Goroutine)
	}
}

// expand turns core.zst into a core.
func expand(core, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(core)
	if err != nil {
		return err
	}
	defer out.Close()
	return snapshot.Expand(out, in)
}

// colours are what Delve paints with.
var colours = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// ask gives Delve commands about a core of the program and returns what it says.
func ask(t *testing.T, core string, commands ...string) string {
	t.Helper()
	script := core + ".dlv"
	text := strings.Join(append(commands, "exit"), "\n") + "\n"
	if err := os.WriteFile(script, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	delve := exec.CommandContext(ctx, *debugger, "core", executable, core, "--init", script, "--allow-non-terminal-interactive=true")
	delve.WaitDelay = time.Second
	said, err := delve.CombinedOutput()
	if err != nil {
		t.Errorf("%v: %v", delve.Args, err)
	}
	return colours.ReplaceAllString(string(said), "")
}
