package config

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// loaded is a sample that was loaded from a file whose text the test changes.
func loaded(t *testing.T, text string, opts Options) (*sample, *Effective, func(string)) {
	t.Helper()
	opts.File = write(t, text)
	s := &sample{}
	e, err := Load(s, opts)
	if err != nil {
		t.Fatal(err)
	}
	return s, e, func(text string) {
		if err := os.WriteFile(opts.File, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// changes gives changes as text, with the file called f.toml.
func changes(list []Change) string {
	var out []string
	for _, c := range list {
		line := c.String()
		if i := strings.LastIndexByte(line, '('); strings.Contains(line[i:], "f.toml") {
			line = line[:i+1] + line[strings.LastIndex(line, "f.toml"):]
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

func TestReloadAppliesWhatItMay(t *testing.T) {
	s, e, change := loaded(t, "net = { max_sessions = 5, port = 1 }\ndb.password = 'old'", Options{Env: []string{"VITRINE_NET_HIGH=9"}})
	change("zones = ['a']\n[net]\nport = 2\nidle_timeout = '5s'\nhigh = 3\n[log]\nlevel = 'debug'\n[db]\npassword = 'new'")
	applied, restart, err := e.Reload(s)
	if err != nil {
		t.Fatal(err)
	}
	wantApplied := `net.max_sessions: 5 -> 1000 (default)
net.idle_timeout: "40s" -> "5s" (f.toml:4)
log.level: "INFO" -> "DEBUG" (f.toml:7)
zones: [] -> ["a"] (f.toml:1)`
	wantRestart := `net.port: 1 -> 2 (f.toml:3)
db.password: "***" -> "***" (f.toml:9)`
	if diff := cmp.Diff(wantApplied, changes(applied)); diff != "" {
		t.Errorf("applied: %s", diff)
	}
	if diff := cmp.Diff(wantRestart, changes(restart)); diff != "" {
		t.Errorf("need a restart: %s", diff)
	}
	if s.Net.Max != 1000 || s.Net.Idle != 5*time.Second || s.Net.Port != 1 || s.Net.High != 9 || s.DB.Password != "old" {
		t.Errorf("got %+v", s)
	}
	for _, set := range e.Settings() {
		if want := map[string]string{"net.port": "2", "db.password": masked}[set.Key]; set.Pending != want {
			t.Errorf("%s waits for %q, want %q", set.Key, set.Pending, want)
		}
	}
	applied, restart, err = e.Reload(s)
	if err != nil || len(applied) != 0 || len(restart) != 2 {
		t.Errorf("again: got %v, %v, %v, want what needs a restart only", applied, restart, err)
	}
}

func TestPrintShowsWhatWaits(t *testing.T) {
	s, e, change := loaded(t, "net.port = 1", Options{})
	change("\nnet.port = 2")
	if _, _, err := e.Reload(s); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := e.Print(&out); err != nil {
		t.Fatal(err)
	}
	if want := "f.toml:1  (after a restart: 2)\n"; !strings.Contains(out.String(), want) {
		t.Errorf("got\n%swant %q in it", &out, want)
	}
}

// A file with a problem, or one whose reloadable part does not go with what runs, changes nothing.
func TestReloadOfBadFileChangesNothing(t *testing.T) {
	cases := []struct{ name, text, want string }{
		{"bad value", "net.max_sessions = 7\nnet.port = -1", "f.toml:2: net.port: want a whole number from 0 to 65535, got -1"},
		{"not valid", "net = { max_sessions = 7, low = 11 }", "f.toml:1: net.low: 11 is above net.high, 10"},
		{"valid only after a restart", "net = { max_sessions = 7, low = 15, high = 20 }", "f.toml:1: net.low: 15 is above net.high, 10"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s, e, change := loaded(t, "net.max_sessions = 5", Options{})
			before, shown := *s, fmt.Sprint(e.Settings())
			change(c.text)
			_, _, err := e.Reload(s)
			if err == nil || !strings.HasSuffix(err.Error(), c.want) {
				t.Errorf("got %v, want %s", err, c.want)
			}
			if s.Net.Max != before.Net.Max || s.Net.Low != before.Net.Low || fmt.Sprint(e.Settings()) != shown {
				t.Errorf("got %+v", s)
			}
		})
	}
}

func TestReloadWantsTheTypeThatWasLoaded(t *testing.T) {
	_, e, _ := loaded(t, "", Options{})
	for _, dst := range []any{nil, sample{}, (*sample)(nil), &struct{}{}} {
		if _, _, err := e.Reload(dst); err == nil {
			t.Errorf("%T was accepted", dst)
		}
	}
}
