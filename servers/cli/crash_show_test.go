package cli

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"vitrine/crash/bundle"
)

// shown prints the newest bundle two hours after the crash, the directory of the test made the same each time.
func (f *crashFixture) shown(e extent) string {
	f.t.Helper()
	entry, err := f.store.Find("last")
	f.must(err)
	m, err := entry.Meta()
	f.must(err)
	var b strings.Builder
	f.must(gather(f.store, entry, m).print(&b, e, crashedAt.Add(2*time.Hour+3*time.Minute)))
	return strings.ReplaceAll(b.String(), f.dir, "/srv/game/var/crash")
}

// full writes a bundle with everything in it.
func (f *crashFixture) full() string {
	m := panicMeta()
	files := panicFiles(f.t)
	m.Core = bundle.Core{State: bundle.CoreWritten, File: coreFile, Bytes: int64(len(files[coreFile])), Apparent: 1 << 20, Thread: 7150, Executable: "/srv/game/vitrine"}
	return f.bundle(m, files)
}

func TestShowTellsEverythingOnOneScreen(t *testing.T) {
	f := newCrashFixture(t)
	f.full()
	for range 6 { // seen again since
		_, err := f.store.Admit(bundle.ClassGoroutine, panicMeta().Fingerprint)
		f.must(err)
	}
	f.must(os.MkdirAll(filepath.Join(f.dir, "spool"), 0o700))
	f.must(os.WriteFile(filepath.Join(f.dir, "spool", panicMeta().Event+".envelope.gz"), nil, 0o600))
	got := f.shown(oneScreen)
	golden(t, "crash_show.golden", got)
	fits(t, got)
}

// fits checks that a text is one screen.
func fits(t *testing.T, text string) {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) > 40 {
		t.Errorf("%d lines, want at most 40:\n%s", len(lines), text)
	}
	for _, line := range lines {
		if columns(line) > 120 {
			t.Errorf("%d columns, want at most 120: %q", columns(line), line)
		}
	}
}

func TestShowAllLeavesNothingOut(t *testing.T) {
	f := newCrashFixture(t)
	f.full()
	got := f.shown(everything)
	golden(t, "crash_show_all.golden", got)
	for _, want := range []string{"runtime/panic.go:879", "exit status: the kernel does not tell", "sync.(*WaitGroup).Wait", "ptrace: yes", "core.zst"} {
		if !strings.Contains(got, want) {
			t.Errorf("does not say %q", want)
		}
	}
}

func TestShowOfABundleWithoutFiles(t *testing.T) {
	f := newCrashFixture(t)
	f.bundle(&bundle.Meta{Class: bundle.ClassKilled, Reason: "killed by SIGKILL", ReasonHow: "exit", Time: crashedAt,
		Exit: &bundle.Exit{Known: true, Signal: "SIGKILL"}, Where: bundle.Where{Worker: -1}, Process: bundle.Process{PID: 7}}, nil)
	golden(t, "crash_show_killed.golden", f.shown(oneScreen))
}

func TestShowTellsWhatItCannotRead(t *testing.T) {
	f := newCrashFixture(t)
	m := panicMeta()
	m.Problems = nil
	f.bundle(m, map[string]string{"flight.json": panicFlight(t)[:900], "crash.txt": "no dump at all"})
	got := f.shown(oneScreen)
	if !strings.Contains(got, "flight.json: the end is missing") {
		t.Errorf("a cut flight.json is not told of:\n%s", got)
	}
	fits(t, got)
}

// Nothing that a crashed program wrote makes a terminal do anything.
func TestNothingOfABundleReachesTheTerminal(t *testing.T) {
	const evil = "\x1b]0;owned\x07\x1b[2J\u009b31m\u202eback\r\x08\xff\x00end"
	f := newCrashFixture(t)
	m := panicMeta()
	m.Reason, m.Process.Name, m.Process.Args = "panic: "+evil, evil, []string{evil}
	m.Where = bundle.Where{Server: evil, Worker: 1, Callback: evil, Session: evil, Function: "a/" + evil, File: evil, Line: 1}
	m.Trace, m.Span, m.Build = evil, evil, bundle.Build{ID: evil, Go: evil, Module: evil, Version: evil, Revision: evil, OS: evil, Arch: evil}
	m.Problems, m.Core.Why, m.Core.Executable = []string{evil}, evil, evil
	m.Capabilities, m.Dropped = map[string]string{evil: evil}, map[string]uint64{evil: 1}
	m.Exit.Signal, m.ReasonHow = evil, evil
	flightText, err := json.Marshal([]recorded{{Server: evil, Packets: nil}})
	f.must(err)
	files := map[string]string{
		"log.tail": evil + "\n" + evil, "flight.json": string(flightText), "core.zst": compressed(t, "core"),
		"crash.txt": "panic: " + evil + "\n\ngoroutine 1 [running " + evil + "]:\nmain." + evil + "()\n\t/" + evil + ".go:1 +0x1\n\ngoroutine 2 [select]:\nmain.x()\n\t/x.go:1\n",
	}
	a := f.bundle(m, files)
	m.Reason, m.Time = evil+"again", m.Time.Add(time.Second)
	b := f.bundle(m, files)
	for _, args := range [][]string{
		{"list"}, {"--json", "list"}, {"show", a}, {"show", a, "--all"}, {"show", a, "--json"}, {"diff", a, b}, {"diff", a, b, "--json"},
		{"open", a, "--print"},
	} {
		got := f.run(args...)
		if got.status != statusOK {
			t.Errorf("%v: status %d: %s", args, got.status, got.err)
		}
		if i := strings.IndexFunc(got.out+got.err, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }); i >= 0 || !utf8.ValidString(got.out) {
			i = max(i, 0)
			t.Errorf("%v prints %q", args, (got.out + got.err)[i:][:min(20, len((got.out + got.err)[i:]))])
		}
	}
	fits(t, f.run("show", a).out)
}

func TestShowJSONIsTheMetadata(t *testing.T) {
	f := newCrashFixture(t)
	id := f.full()
	got := f.run("show", "--json", id[:20])
	var m bundle.Meta
	if err := json.Unmarshal([]byte(got.out), &m); err != nil || m.ID != id || m.Where.Session != "4294967297" || len(m.Files) != 4 {
		t.Errorf("got %s%s, %v", got.out, got.err, err)
	}
}

func TestShowFindsByIDPrefixAndLast(t *testing.T) {
	f := newCrashFixture(t)
	m := panicMeta()
	first := f.bundle(m, nil)
	m.Time, m.Reason = m.Time.Add(time.Minute), "panic: the second"
	second := f.bundle(m, nil)
	for _, test := range []struct {
		id   string
		want string // in the output, or in the error
		bad  bool
	}{
		{first, first, false},
		{first[:15], first, false},
		{"last", second, false},
		{"", second, false},
		{"2026", "more than one", true},
		{"1999", "no such crash bundle", true},
		{"../../etc", "no such crash bundle", true},
	} {
		args := []string{"show"}
		if test.id != "" {
			args = append(args, test.id)
		}
		got := f.run(args...)
		if said := map[bool]string{true: got.err, false: got.out}[test.bad]; (got.status != statusOK) != test.bad || !strings.Contains(said, test.want) {
			t.Errorf("show %s: status %d, out %.200s, err %s; want %q", test.id, got.status, got.out, got.err, test.want)
		}
	}
}

// Where no session is known, the records are those of the worker, and where no worker is, of all.
func TestShowTellsWhoseRecordsTheyAre(t *testing.T) {
	for want, where := range map[string]bundle.Where{
		"worker 3 of chat, its last records":        {Server: "chat", Worker: 3},
		"17:44:43.107000 session 5: packet type 9,": {Server: "chat", Worker: 3, Session: "99"},
		"17:44:43.107000 chat/3 session 5: packet":  {Worker: -1},
	} {
		f := newCrashFixture(t)
		m := panicMeta()
		m.Where = where
		f.bundle(m, map[string]string{"flight.json": panicFlight(t)})
		if got := f.shown(oneScreen); !strings.Contains(got, want) {
			t.Errorf("%+v: does not say %q:\n%s", where, want, got)
		}
	}
}
