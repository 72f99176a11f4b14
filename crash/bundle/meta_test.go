package bundle

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// fullMeta is a meta.json in which nothing is empty.
func fullMeta() *Meta {
	return &Meta{
		Schema: Schema, ID: "20261122T120000.123Z-4711-goroutine-aaaaaaaa", Event: strings.Repeat("e", 32), Class: ClassGoroutine,
		Reason: "panic: it broke\n\tpanic: again", ReasonHow: "text", Handled: true, Live: true, Time: noon,
		Process: Process{PID: 4711, Name: "game", Args: []string{"game", "--port", "7003"}, Started: noon.Add(-time.Hour)},
		Exit:    &Exit{Known: true, Code: 2, Signal: "SIGABRT", CoreDumped: true},
		Build:   Build{ID: "abc/def", Go: "go1.26.8", Module: "vitrine", Version: "v1.0.0", Revision: "0123abcd", Modified: true, OS: "linux", Arch: "amd64"},
		Where:   Where{Server: "game", Worker: 3, Callback: "OnRecv", Session: "18446744073709551615", Packet: 1001, Function: "main.hit", File: "/game/player.go", Line: 42},
		Trace:   strings.Repeat("1", 32), Span: strings.Repeat("2", 16), Fingerprint: printA, Goroutine: 7, Goroutines: 1001,
		Timings:      Timings{StopUS: 1, SeizeUS: 2, RegistersUS: 3, ForkUS: 4, TextMS: 5, DeadMS: 6, CompleteMS: 7},
		Capabilities: map[string]string{"ptrace": "yes"},
		Core:         Core{State: CoreWritten, Why: "a reason", File: coreName, Bytes: 1, Apparent: 2, SHA256: strings.Repeat("f", 64), Thread: 4712, Executable: "/game/game"},
		Dropped:      map[string]uint64{"notes": 3}, Before: Before{Count: 4, First: noon, Last: noon, HeldBack: 3},
		Files: []File{{textName, 10, true}, {coreName, 1, false}}, Problems: []string{"log.tail: no such file"},
	}
}

func TestMetaRoundTrips(t *testing.T) {
	for _, want := range []*Meta{fullMeta(), {Schema: Schema, Class: ClassKilled, Where: Where{Worker: -1}}} {
		text, err := want.encode()
		must(t, err)
		got, err := decode(text)
		must(t, err)
		if !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v\nwant %+v", got, want)
		}
	}
}

// The file is drawn in FORMAT.md: its keys are a promise to others.
func TestMetaIsDocumented(t *testing.T) {
	format, err := os.ReadFile("../FORMAT.md")
	must(t, err)
	text, err := fullMeta().encode()
	must(t, err)
	for line := range bytes.Lines(text) {
		if key, _, ok := bytes.Cut(bytes.TrimSpace(line), []byte(`": `)); ok && !bytes.Contains(format, append(key, '"')) {
			t.Errorf("FORMAT.md does not know %s\"", key)
		}
	}
	for _, c := range Classes() {
		if !bytes.Contains(format, []byte("| `"+string(c)+"` |")) {
			t.Errorf("FORMAT.md does not know class %s", c)
		}
	}
}

// A name that leads elsewhere, and an id that is none, are refused when read and left out when written.
func TestMetaNamesLeadNowhereElse(t *testing.T) {
	for name, spoil := range map[string]func(*Meta){
		"event":       func(m *Meta) { m.Event = "../../../../../../../etc/passwd00" },
		"trace":       func(m *Meta) { m.Trace = "12" },
		"span":        func(m *Meta) { m.Span = "xxxxxxxxxxxxxxxx" },
		"fingerprint": func(m *Meta) { m.Fingerprint = strings.Repeat("a", 33) },
		"core sha256": func(m *Meta) { m.Core.SHA256 = "0" },
		"core file":   func(m *Meta) { m.Core.File = "../core.zst" },
		"file":        func(m *Meta) { m.Files[0].Name = "/etc/passwd" },
		"size":        func(m *Meta) { m.Files[0].Bytes = -1 },
		"schema":      func(m *Meta) { m.Schema = Schema + 1 },
		"no schema":   func(m *Meta) { m.Schema = 0 },
		"class":       func(m *Meta) { m.Class = "meltdown" },
	} {
		m := fullMeta()
		spoil(m)
		text, err := json.Marshal(m)
		must(t, err)
		if got, err := decode(text); !errors.Is(err, ErrCorrupt) {
			t.Errorf("%s: read as %+v, %v", name, got, err)
		}
		text, err = m.encode()
		must(t, err)
		if got, err := decode(text); m.Schema == Schema && m.Class.Known() && (err != nil || len(got.Problems) != 2) {
			t.Errorf("%s: written and read: %v", name, err)
		}
	}
}

// What a finished bundle says can always be read again, whatever its maker put in.
func TestFinishWritesWhatCanBeRead(t *testing.T) {
	long := strings.Repeat("\"\\\x1b[31m\u202e\xff", 10_000)
	m := fullMeta()
	m.Reason, m.Where.File, m.Event, m.Class = long, long, long, "meltdown"
	m.Process.Args = slices.Repeat([]string{long}, 1000)
	m.Problems = slices.Repeat([]string{strings.Repeat("\"", 5000)}, 1000)
	m.Time = time.Date(30000, 1, 1, 0, 0, 0, 0, time.UTC)
	m.Process.Started = time.Date(-1, 1, 1, 0, 0, 0, 0, time.FixedZone("odd", 17))
	for i := range 1000 {
		m.Capabilities[fmt.Sprint(i, strings.Repeat("\"", 5000))] = strings.Repeat("\\", 5000)
		m.Dropped[fmt.Sprint(i, long)] = 1
	}
	args := m.Process.Args
	s, _ := newTestStore(t, Limits{})
	w, err := s.Begin(ClassHang, printB, 4711, noon)
	must(t, err)
	_, err = w.Finish(m)
	must(t, err)
	e, err := s.Find("last")
	must(t, err)
	got := checkBundle(t, e)
	if !got.Time.IsZero() || len(got.Reason) > maxText || len(got.Process.Args) != maxList || got.Event != "" || got.Class != ClassHang {
		t.Errorf("time %v, reason of %d bytes, %d arguments, event %q, class %s", got.Time, len(got.Reason), len(got.Process.Args), got.Event, got.Class)
	}
	if strings.ContainsAny(got.Reason, "\x1b\u202e") || !utf8.ValidString(got.Reason) || !strings.HasSuffix(got.Reason, cutMark) {
		t.Errorf("reason %.40q", got.Reason)
	}
	if args[0] != long {
		t.Error("the caller's arguments were changed")
	}
}

func TestHostileMetaIsAnError(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"empty": "", "torn": `{"schema":1,"class":"pan`, "null": "null", "array": "[]", "two": `{"schema":1,"class":"panic"}{}`,
		"wrong type": `{"schema":1,"class":"panic","goroutine":-1}`, "deep": strings.Repeat("[", 1<<20-1),
		"long": `{"schema":1,"class":"panic"}` + strings.Repeat(" ", MaxMetaBytes),
	} {
		must(t, os.WriteFile(filepath.Join(dir, metaName), []byte(text), fileMode))
		if m, err := ReadMeta(dir); !errors.Is(err, ErrCorrupt) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
	if _, err := ReadMeta(filepath.Join(dir, "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no bundle: %v", err)
	}
}

func FuzzMeta(f *testing.F) {
	text, err := fullMeta().encode()
	must(f, err)
	f.Add(text)
	f.Add([]byte(`{"schema":1,"class":"panic","core":{"file":"../x"},"files":[{"name":".."}],"exit":{}}`))
	f.Add([]byte(`{"schema":1,"class":"hang","dropped":{"\u0000":1,"\u0001":2},"time":"9999-12-31T23:59:59+23:59"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := decode(text)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("%v is not ErrCorrupt", err)
			}
			return
		}
		again, err := m.encode()
		if err != nil || len(again) > MaxMetaBytes {
			t.Fatalf("cannot be written: %d bytes, %v", len(again), err)
		}
		same, err := decode(again)
		if err != nil {
			t.Fatalf("cannot be read again: %v", err)
		}
		if third, err := same.encode(); !bytes.Equal(third, again) {
			t.Fatalf("%v\n%s\n%s", err, third, again)
		}
		for _, file := range m.Files {
			if !filepath.IsLocal(file.Name) || filepath.Base(file.Name) != file.Name {
				t.Fatalf("file %q", file.Name)
			}
		}
		Diff(m, fullMeta(), nil, nil)
	})
}

func FuzzName(f *testing.F) {
	f.Add("20261122T120000.123Z-7148-goroutine-aaaaaaaa-2")
	f.Add("20261122T120000.123Z-7148-goroutine-aaaaaaaa/../x")
	f.Fuzz(func(t *testing.T, name string) {
		if l, ok := parseLabel(name); ok && (l.String() != name || !filepath.IsLocal(name) || filepath.Base(name) != name) {
			t.Errorf("%q is read as %+v", name, l)
		}
		if l := makeLabel(ClassPanic, name, len(name), noon, noon); l.fingerprint != "" {
			if again, ok := parseLabel(l.String()); !ok || again != l {
				t.Errorf("%q makes %s", name, l)
			}
		}
	})
}

func FuzzCounts(f *testing.F) {
	f.Add([]byte(`{"schema":1,"tokens":19,"refilled":"2026-11-22T12:00:00Z","deaths":["2026-11-22T12:00:00Z"],"kinds":{"aaaaaaaaaaaaaaaa":{"count":1,"bundle":"2026-11-22T12:00:00Z"}}}`))
	l, err := Limits{}.withDefaults()
	must(f, err)
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := decodeCounts(text, l, noon)
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatalf("%v is not ErrCorrupt", err)
			}
			return
		}
		for range 3 * l.LoopCrashes {
			c.admit(l, noon, ClassGoroutine, printA, 1<<40)
		}
		if len(c.Kinds) > MaxFingerprints || len(c.Deaths) > l.LoopCrashes || !(c.Tokens >= 0 && c.Tokens <= float64(l.BundlesPerHour)) {
			t.Fatalf("%d kinds, %d deaths, %v tokens", len(c.Kinds), len(c.Deaths), c.Tokens)
		}
		if _, err := json.Marshal(c); err != nil {
			t.Fatal(err)
		}
	})
}
