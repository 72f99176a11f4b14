package config

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestDefaultsFillWhatIsZero(t *testing.T) {
	var s sample
	s.Net.Max = 7
	if _, err := Load(&s, Options{}); err != nil {
		t.Fatal(err)
	}
	var want sample
	want.Name, want.Ratio, want.Log.Color = "vitrine", 0.5, true
	want.Net.Addr = netip.MustParseAddrPort("127.0.0.1:6000")
	want.Net.AllowFrom = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
	want.Net.Max, want.Net.High = 7, 10
	want.Net.RecvLimit, want.Net.Idle = 64<<10, 40*time.Second
	if diff := cmp.Diff(want, s, cmp.AllowUnexported(want.Net), cmp.Comparer(samePrefix), cmp.Comparer(sameAddr), cmp.Comparer(noFunc)); diff != "" {
		t.Error(diff)
	}
}

func samePrefix(a, b netip.Prefix) bool { return a == b }
func sameAddr(a, b netip.AddrPort) bool { return a == b }
func noFunc(a, b func() error) bool     { return a == nil && b == nil }

// Each source wins over the ones before it, and Settings tells which one did.
func TestLaterSourcesWin(t *testing.T) {
	file := write(t, "net.max_sessions = 2\nnet.high = 3\n[log]\ncolor = false")
	env := []string{"VITRINE_NET_HIGH=4", "VITRINE_NET_PORT=5", "OTHER_NET_PORT=6", "VITRINE_NET_PORT=7"}
	var s sample
	e, err := Load(&s, Options{File: file, Env: env, Flags: map[string]string{"net.port": "8"}})
	if err != nil {
		t.Fatal(err)
	}
	if s.Net.Max != 2 || s.Net.High != 4 || s.Net.Port != 8 || s.Log.Color {
		t.Errorf("got %+v", s)
	}
	want := map[string]string{
		"name": "default", "net.max_sessions": file + ":1", "net.high": "env VITRINE_NET_HIGH",
		"net.port": "flag --net.port", "log.color": file + ":4", "log.level": "default",
	}
	for _, set := range e.Settings() {
		if w, ok := want[set.Key]; ok && set.Source.String() != w {
			t.Errorf("source of %s: got %v, want %s", set.Key, set.Source, w)
		}
	}
}

// One value of each kind from the file, and the same from the environment.
func TestValuesOfEveryKind(t *testing.T) {
	cases := []struct {
		key, toml, text string
		got             func(*sample) any
		want            any
	}{
		{"name", `"a\tb"`, "a\tb", func(s *sample) any { return s.Name }, "a\tb"},
		{"net.addr", `"[::1]:7"`, "[::1]:7", func(s *sample) any { return s.Net.Addr }, netip.MustParseAddrPort("[::1]:7")},
		{"net.allow_from", "[\n'10.0.0.0/8', # ours\n]", "10.0.0.0/8", func(s *sample) any { return fmt.Sprint(s.Net.AllowFrom) }, "[10.0.0.0/8]"},
		{"net.allow_from", "[]", "", func(s *sample) any { return len(s.Net.AllowFrom) }, 0},
		{"net.max_sessions", "0x10", "16", func(s *sample) any { return s.Net.Max }, 16},
		{"net.port", "65535", "65535", func(s *sample) any { return s.Net.Port }, uint16(65535)},
		{"net.low", "-128", "-128", func(s *sample) any { return s.Net.Low }, int8(-128)},
		{"net.recv_limit", `"2MiB"`, "2 MiB", func(s *sample) any { return s.Net.RecvLimit }, Bytes(2 << 20)},
		{"net.recv_limit", "512", "512", func(s *sample) any { return s.Net.RecvLimit }, Bytes(512)},
		{"net.idle_timeout", `"1m30s"`, "90s", func(s *sample) any { return s.Net.Idle }, 90 * time.Second},
		{"log.level", `"warn"`, "WARN", func(s *sample) any { return s.Log.Level.String() }, "WARN"},
		{"log.color", "false", "0", func(s *sample) any { return s.Log.Color }, false},
		{"zones", `["a", "b c"]`, " a , b c ", func(s *sample) any { return strings.Join(s.Zones, "|") }, "a|b c"},
		{"ratio", "2", "2", func(s *sample) any { return s.Ratio }, float32(2)},
		{"ratio", "1.5e-3", "0.0015", func(s *sample) any { return s.Ratio }, float32(0.0015)},
	}
	for _, c := range cases {
		for _, opts := range []Options{
			{File: write(t, c.key+" = "+c.toml)},
			{Env: []string{"VITRINE_" + strings.ToUpper(strings.ReplaceAll(c.key, ".", "_")) + "=" + c.text}},
			{Flags: map[string]string{c.key: c.text}},
		} {
			var s sample
			if _, err := Load(&s, opts); err != nil {
				t.Error(err)
			} else if got := c.got(&s); got != c.want {
				t.Errorf("%s = %s: got %v, want %v", c.key, c.toml, got, c.want)
			}
		}
	}
}

func TestEveryProblemIsReportedAtItsLine(t *testing.T) {
	text := `name = 3                      # a number where text belongs
[net]
addr = "localhost"
allow_from = [
  "10.0.0.0/8", # good
  "10.0.0.0/99",
  "10.1.0.0/16",
  12,
]
max_sesions = 5
port = 70000
low = -129
recv_limit = "lots"
idle_timeout = 30
[log]
level = "loud"
color = "yes"
[nett]
port = 1
[[zones]]
name = "a"
`
	got := problems(t, text, Options{
		Env:   []string{"VITRINE_NET_HIHG=3", "VITRINE_RATIO=NaN", "VITRINE_SERVICE_PORT=tcp://10.0.0.1", "VITRINE_ODD=1"},
		Flags: map[string]string{"net.hi": "1", "net.high": "1e3"}, Ignore: []string{"VITRINE_SERVICE_*", "VITRINE_ODD"},
	})
	want := `f.toml:1: name: want a string in quotes, got 3
f.toml:3: net.addr: want an address and port such as "127.0.0.1:7001", got "localhost"
f.toml:6: net.allow_from[1]: want an address prefix such as "10.0.0.0/8", got "10.0.0.0/99"
f.toml:8: net.allow_from[3]: want an address prefix such as "10.0.0.0/8", got 12
f.toml:10: net.max_sesions: unknown key (did you mean net.max_sessions?)
f.toml:11: net.port: want a whole number from 0 to 65535, got 70000
f.toml:12: net.low: want a whole number from -128 to 127, got -129
f.toml:13: net.recv_limit: want a byte size such as "64KiB", got "lots"
f.toml:14: net.idle_timeout: want a duration such as "30s", got 30
f.toml:16: log.level: want a level in quotes, got "loud"
f.toml:17: log.color: want true or false, got "yes"
f.toml:18: nett: unknown table (did you mean net?)
f.toml:20: zones: want a list, each item a string in quotes, got a list of tables
env VITRINE_NET_HIHG: unknown variable (did you mean VITRINE_NET_HIGH?)
env VITRINE_RATIO: ratio: want a finite number, got "NaN"
flag --net.hi: unknown flag (did you mean --net.high?)
flag --net.high: net.high: want a whole number, got "1e3"`
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestProblemsOfWholeFiles(t *testing.T) {
	deep := strings.Repeat("[", MaxDepth+2)
	cases := []struct{ name, text, want string }{
		{"syntax", "name = 'a'\nport = = 1\n", `f.toml:2: port: syntax error: expected value but found '=' instead`},
		{"key twice", "name = 'a'\n\nname = 'b'\n", `f.toml:3: name: syntax error: key 'name' has already been defined.`},
		{"table for a key", "[name]\na = 1\n", `f.toml:1: name: want a string in quotes, got a table`},
		{"key for a table", "net = 3\n", `f.toml:1: net: want a table, got 3`},
		{"tables for a table", "\n[[net]]\nport = 1\n", `f.toml:2: net: want a table, got a list of tables`},
		{"unknown list of tables", "\n[[shop]]\nport = 1\n", `f.toml:2: shop: unknown key`},
		{"inline table", "net = { port = 1, prot = 2 }\n", `f.toml:1: net.prot: unknown key (did you mean net.port?)`},
		{"date", "net.idle_timeout = 2020-01-02", `f.toml:1: net.idle_timeout: want a duration such as "30s", got 2020-01-02T00:00:00Z`},
		{"deep value", "\nzones = " + deep, `f.toml:2: keys and values nest more than 16 deep`},
		{"deep key", "\n" + strings.Repeat("a.", MaxDepth) + "a = 1", `f.toml:2: keys and values nest more than 16 deep`},
		{"not text", "name = \"\xff\"", `f.toml:1: name: syntax error: invalid UTF-8 byte: 0xff`},
		{"zero byte", "a\x00b", "f.toml:1: syntax error: files cannot contain NULL bytes; probably using UTF-16; TOML files must be UTF-8"},
		{"long", strings.Repeat("# a long comment\n", MaxFileBytes/16), "f.toml: longer than 256KiB"},
		{"line end of Windows", "name = 'a'\r\nnome = 'b'\r\n", "f.toml:2: nome: unknown key (did you mean name?)"},
		{"byte order mark", "\xef\xbb\xbfnome = 'b'", "f.toml:1: nome: unknown key (did you mean name?)"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := problems(t, c.text, Options{}); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestManyProblemsAreCounted(t *testing.T) {
	var text strings.Builder
	for i := range MaxProblems + 5 {
		fmt.Fprintf(&text, "unknown%d = 1\n", i)
	}
	var s sample
	_, err := Load(&s, Options{File: write(t, text.String())})
	var list *Error
	if !errors.As(err, &list) || len(list.Problems) != MaxProblems || list.More != 5 {
		t.Fatalf("got %v", err)
	}
	if !strings.HasSuffix(err.Error(), "\nand 5 more problems") {
		t.Errorf("got %q", err.Error()[len(err.Error())-40:])
	}
}

func TestMissingFile(t *testing.T) {
	var s sample
	file := filepath.Join(t.TempDir(), "none.toml")
	_, err := Load(&s, Options{File: file})
	if want := file + ": open: no such file or directory"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if _, err := Load(&s, Options{File: file, Optional: true}); err != nil {
		t.Errorf("optional: got %v", err)
	}
	if _, err := Load(&s, Options{File: os.TempDir(), Optional: true}); err == nil {
		t.Error("a folder was taken for a file")
	}
}

// An error leaves the struct as it was.
func TestErrorChangesNothing(t *testing.T) {
	s := sample{Name: "before"}
	if _, err := Load(&s, Options{File: write(t, "name = 'after'\nnope = 1")}); err == nil {
		t.Fatal("no error")
	}
	if s.Name != "before" || s.Net.Max != 0 {
		t.Errorf("got %+v", s)
	}
}

func TestSecretsAreNeverShown(t *testing.T) {
	texts := []string{
		"db.password = 12345678", "db.pin = 'hunter2'", "db.hosts = ['a', 17, 'hunter2']", "db.password = hunter2",
		"db.password = 2020-hunter2", "db.password = 'hunter2", "[db]\npassword = 1__2345678",
	}
	for _, text := range texts {
		got := problems(t, text, Options{})
		if got == "" || strings.Contains(got, "hunter2") || strings.Contains(got, "345678") || strings.Contains(got, "17") {
			t.Errorf("%s: got %q", text, got)
		}
	}
	got := problems(t, "", Options{Env: []string{"VITRINE_DB_PIN=hunter2"}, Flags: map[string]string{"db.pin": "hunter2"}})
	if strings.Count(got, "\n") != 1 || strings.Contains(got, "hunter2") {
		t.Errorf("got %q", got)
	}
	var s sample
	e, err := Load(&s, Options{File: write(t, "db = { password = 'hunter2', pin = 1234, hosts = ['hunter2'] }")})
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := e.Print(&out); err != nil {
		t.Fatal(err)
	}
	if strings.Count(out.String(), `"***"`) != 3 || strings.Contains(out.String(), "hunter2") || strings.Contains(out.String(), "1234") {
		t.Errorf("got %s", &out)
	}
}
