//go:build linux

package e2e

import (
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"vitrine/crash/bundle"
	"vitrine/crash/sentry/sentrytest"
)

// A server that stands still for as long as the deadman timer lets it is killed by that, and the report says so to whoever reads it;
// one that somebody kills before is not the timer's.
func TestDeadmanIsNamed(t *testing.T) {
	for name, test := range map[string]struct {
		killed bool // by us, at once
		reason string
		how    string
	}{
		"the timer": {false, " after its last sign of life: the deadman timer of crash.deadman=3s does that", "deadman"},
		"somebody":  {true, "killed by SIGKILL", "exit"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			sink := sentrytest.New()
			defer sink.Close()
			s := newSite(t)
			p := s.armed(append(slices.Clone(mortal), "--set", "crash.deadman=3s", "--set", "crash.sentry_dsn="+sink.DSN())...)
			p.signal(syscall.SIGSTOP)
			if test.killed {
				p.signal(syscall.SIGKILL)
			}
			if status := p.exitStatus(soon); status != killed {
				t.Errorf("exit status %d, want %d", status, killed)
			}
			_, m := s.only()
			if m.Class != bundle.ClassKilled || !strings.HasSuffix(m.Reason, test.reason) || m.ReasonHow != test.how {
				t.Errorf("class %s, reason %q (%s); want %q (%s)", m.Class, m.Reason, m.ReasonHow, test.reason, test.how)
			}
			checkTold(t, s, sink, m.Reason)
		})
	}
}

// checkTold fails unless the reason of the one bundle is shown, with why there is no core, and is the title of its report.
func checkTold(t *testing.T, s *site, sink *sentrytest.Sink, reason string) {
	t.Helper()
	out, status := runIn(t, s.dir, "crash", "--dir", s.crashes, "show", "--all")
	if status != 0 || !strings.Contains(out, reason) || !strings.Contains(out, "none: nothing was left to picture: the process had ended") {
		t.Errorf("show: exit status %d, want %q and why there is no core:\n%s", status, reason, out)
	}
	events := sink.Events()
	if len(events) != 1 || !strings.Contains(string(events[0].JSON), `"value":"`+reason+`"`) {
		t.Errorf("%d reports, want one titled %q", len(events), reason)
	}
}

// A server that is to be ended when a loop of it makes no progress is ended by SIGABRT, after a report of that; the report of its death
// says who did it.
func TestStalledServerIsEnded(t *testing.T) {
	r := newRefuge(t)
	r.stall = 3 * time.Second
	p, addr := r.speaker()
	c, err := connect(addr, lan)
	if err == nil {
		defer c.conn.Close()
		err = c.send([]byte(stalling))
	}
	if err != nil {
		t.Fatal(err)
	}
	if status := p.exitStatus(soon); status != 2 {
		t.Errorf("exit status %d, want 2, the runtime's of a SIGABRT", status)
	}
	reasons := map[bundle.Class]string{}
	for _, e := range r.bundles() {
		m := metaOf(t, e)
		reasons[m.Class] = m.Reason
	}
	const stuck = "loop speaker/0 made no progress for 3s"
	want := map[bundle.Class]string{bundle.ClassHang: stuck, bundle.ClassSignal: "SIGABRT: abort, sent by the watchdog: " + stuck}
	if len(reasons) != 2 || reasons[bundle.ClassHang] != want[bundle.ClassHang] || reasons[bundle.ClassSignal] != want[bundle.ClassSignal] {
		t.Errorf("reasons by class %q, want %q", reasons, want)
	}
}
