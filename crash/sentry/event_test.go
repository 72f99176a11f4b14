package sentry

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	sentrygo "github.com/getsentry/sentry-go"

	"vitrine/crash/bundle"
	"vitrine/crash/traceback"
)

func TestEventTellsTheCrash(t *testing.T) {
	m := (&world{clock: newClock()}).meta(6)
	m.Trace, m.Span = strings.Repeat("a1", 16), strings.Repeat("b2", 8)
	m.Core = bundle.Core{State: bundle.CoreWritten, File: "core.zst", Bytes: 42, SHA256: strings.Repeat("cd", 32)}
	m.Build = bundle.Build{Go: "go1.26.8", Module: "example.com/vitrine", Version: "v1.2.3", OS: "linux", Arch: "amd64"}
	m.Exit = &bundle.Exit{Known: true, Code: 2}
	e := Event(m, traceback.Parse([]byte(crashText)), []string{
		"[session] [2026-11-22T22:44:10.123456Z / WARN / 4711] closed reason=idle_timeout", "", "plain",
		`{"time":"2026-11-22T22:44:11Z","level":"ERROR","type":"db","msg":"lost"}`,
	}, nil)

	x := e.Exception[0]
	if x.Type != "panic" || x.Value != "no such player" || x.ThreadID != 7 || x.Module != "vitrine/game" || *x.Mechanism.Handled || x.Mechanism.Type != mechanism {
		t.Errorf("exception %+v", x)
	}
	last := x.Stacktrace.Frames[len(x.Stacktrace.Frames)-1]
	if want := (sentrygo.Frame{Function: "(*World).Move", Module: "vitrine/game", AbsPath: "/src/game/world.go", Filename: "vitrine/game/world.go", Lineno: 41, InApp: true}); fmt.Sprint(last) != fmt.Sprint(want) {
		t.Errorf("the last frame is %+v, want %+v", last, want)
	}
	var threads []string
	for _, th := range e.Threads {
		threads = append(threads, fmt.Sprint(th.ID, " ", th.Name, " ", th.Crashed))
	}
	if got, want := strings.Join(threads, ", "), "7 running true, 8 select ×2 false, 1 chan receive false"; got != want {
		t.Errorf("threads %s, want %s", got, want)
	}
	if c := e.Contexts["trace"]; c["trace_id"] != m.Trace || c["span_id"] != m.Span {
		t.Errorf("trace %v", c)
	}
	if c := e.Contexts["core"]; c["path"] != m.ID+"/core.zst" || fmt.Sprint(c["size"]) != "42" || c["sha256"] != m.Core.SHA256 {
		t.Errorf("core %v", c)
	}
	for name, want := range map[string]string{"class": "goroutine", "handled": "false", "callback": "OnRecv", "server": "game", "packet_type": "1001", "worker": "1", "core": "written"} {
		if e.Tags[name] != want {
			t.Errorf("tag %s = %q, want %q", name, e.Tags[name], want)
		}
	}
	if e.Release != "vitrine@v1.2.3" || e.Level != sentrygo.LevelFatal || e.Fingerprint[0] != m.Fingerprint || string(e.EventID) != m.Event {
		t.Errorf("release %q, level %s, fingerprint %v, id %s", e.Release, e.Level, e.Fingerprint, e.EventID)
	}
	checkCrumbs(t, e.Breadcrumbs)
}

func checkCrumbs(t *testing.T, crumbs []*sentrygo.Breadcrumb) {
	t.Helper()
	var got []string
	for _, b := range crumbs {
		got = append(got, fmt.Sprintf("%s %s %s %.6s", b.Category, b.Level, b.Timestamp.Format(time.TimeOnly), b.Message))
	}
	if want := "session warning 22:44:10 closed; log info 00:00:00 plain; db error 22:44:11 {\"time"; strings.Join(got, "; ") != want {
		t.Errorf("breadcrumbs %s, want %s", strings.Join(got, "; "), want)
	}
}

func TestTitles(t *testing.T) {
	for _, c := range []struct {
		class         bundle.Class
		reason, text  string
		kind, value   string
		handled, live bool
		level         sentrygo.Level
	}{
		{class: bundle.ClassGoroutine, reason: "panic: a: b", kind: "panic", value: "a: b", level: "fatal"},
		{class: bundle.ClassPanic, reason: "panic: a", handled: true, kind: "panic", value: "a", level: "error"},
		{class: bundle.ClassFatal, reason: "fatal error: concurrent map writes", kind: "fatal error", value: "concurrent map writes", level: "fatal"},
		{class: bundle.ClassSignal, text: "SIGQUIT: quit\nPC=0x1 m=0 sigcode=0\n", kind: "SIGQUIT", value: "quit", level: "fatal"},
		{class: bundle.ClassKilled, reason: "killed by SIGKILL", kind: "killed", value: "killed by SIGKILL", level: "fatal"},
		{class: bundle.ClassHang, reason: "worker 3 stands since 2 s", kind: "hang", value: "worker 3 stands since 2 s", level: "error"},
		{class: bundle.ClassLive, live: true, kind: "live", value: "no reason is known", level: "info"},
		{kind: "crash", value: "no reason is known", level: "fatal"},
	} {
		m := &bundle.Meta{Class: c.class, Reason: c.reason, Handled: c.handled, Live: c.live}
		e := Event(m, traceback.Parse([]byte(c.text)), nil, nil)
		if x := e.Exception[0]; x.Type != c.kind || x.Value != c.value || e.Level != c.level {
			t.Errorf("%s %q: %s, %q, %s", c.class, c.reason, x.Type, x.Value, e.Level)
		}
	}
}

func TestEventIDsAreStable(t *testing.T) {
	good := strings.Repeat("0a", 16)
	for _, c := range []struct{ event, id, want string }{
		{good, "x", good},
		{strings.ToUpper(good), "x", ""}, {"short", "x", ""}, {strings.Repeat("0", 32), "x", ""}, {"", "", ""}, {"../../../../../../etc/passwd00000", "x", ""},
	} {
		m := &bundle.Meta{Event: c.event, ID: c.id}
		a, b := EventID(m), EventID(m)
		if a != b || !isEventID(a) || c.want != "" && a != c.want {
			t.Errorf("%+v: %s, then %s", c, a, b)
		}
	}
	if EventID(&bundle.Meta{ID: "a"}) == EventID(&bundle.Meta{ID: "b"}) {
		t.Error("two bundles have one id")
	}
}

func TestReleases(t *testing.T) {
	for _, c := range []struct {
		build bundle.Build
		want  string
	}{
		{bundle.Build{Revision: strings.Repeat("ab", 20), Modified: true}, strings.Repeat("ab", 20) + "-dirty"},
		{bundle.Build{Module: "vitrine", Version: "(devel)"}, "vitrine@(devel)"},
		{bundle.Build{Module: "a/b"}, "b"}, {bundle.Build{}, ""},
		{bundle.Build{Module: "b", Version: "x/y\\z w"}, "b@x-y-z-w"},
	} {
		if got := release(newCleaner(nil), c.build); got != c.want {
			t.Errorf("%+v: %q, want %q", c.build, got, c.want)
		}
	}
}

// Many goroutines, deep stacks and long lines make an event that Sentry takes.
func TestLargeEventsFit(t *testing.T) {
	d := &traceback.Dump{Reason: "panic: " + strings.Repeat("x", 1<<20)}
	for i := range 120 {
		g := traceback.Goroutine{ID: uint64(i), State: "select"}
		if i == 0 {
			g.State = "running"
		}
		for j := range 120 {
			name := fmt.Sprintf("vitrine/%s.f%d_%d", strings.Repeat("p", 300), i, j)
			g.Frames = append(g.Frames, traceback.Frame{Func: name, File: "/" + strings.Repeat("q/", 200) + "a.go", Line: j + 1})
		}
		d.Goroutines = append(d.Goroutines, g)
	}
	e := Event(&bundle.Meta{}, d, strings.Split(strings.Repeat(strings.Repeat("z ", 2000)+"\n", 500), "\n"), nil)
	raw, err := json.Marshal(e)
	if err != nil || len(raw) > MaxEventBytes {
		t.Errorf("%d bytes, %v", len(raw), err)
	}
	s := e.Exception[0].Stacktrace
	if len(s.Frames) != MaxFrames || s.FramesOmitted[1]-s.FramesOmitted[0] != 20 || s.Frames[MaxFrames-1].Lineno != 1 || s.Frames[0].Lineno != 120 {
		t.Errorf("%d frames, %v left out, from line %d to %d", len(s.Frames), s.FramesOmitted, s.Frames[0].Lineno, s.Frames[len(s.Frames)-1].Lineno)
	}
	if len(e.Threads) < 2 || len(e.Breadcrumbs) != MaxCrumbs || len(e.Exception[0].Value) > maxReasonBytes+32 {
		t.Errorf("%d threads, %d breadcrumbs, a value of %d bytes", len(e.Threads), len(e.Breadcrumbs), len(e.Exception[0].Value))
	}
}

// An event that is too large without threads and breadcrumbs loses its contexts, and the end comes.
func TestFitEnds(t *testing.T) {
	e := &sentrygo.Event{Contexts: map[string]sentrygo.Context{"a": {"b": strings.Repeat("x", MaxEventBytes)}}, Threads: make([]sentrygo.Thread, 3)}
	fit(e)
	if raw, _ := json.Marshal(e); len(raw) > 1000 {
		t.Errorf("%d bytes", len(raw))
	}
	fit(&sentrygo.Event{Message: strings.Repeat("x", 2*MaxEventBytes)})
}
