package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"vitrine/core/engine"
	"vitrine/core/frame"
)

// said is what the program wrote and how it ended.
type said struct {
	status   int
	out, err string
}

func run(args ...string) said {
	var out, err bytes.Buffer
	status := Main(args, &out, &err)
	return said{status, out.String(), err.String()}
}

// inTempDir runs the test in a folder of its own, where no key and no configuration is.
func inTempDir(t *testing.T) { t.Chdir(t.TempDir()) }

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCommandLinesThatMakeNoSense(t *testing.T) {
	inTempDir(t)
	for _, test := range []struct {
		name string
		args []string
		want string
	}{
		{"no command", nil, "expected one of"},
		{"unknown command", []string{"fly"}, "fly"},
		{"unknown flag", []string{"up", "--botz", "3"}, "--botz"},
		{"flag with nothing", []string{"up", "--config=", "--ops-addr="}, "--config: its value is empty"},
		{"flag without its value", []string{"up", "--for"}, "--for"},
		{"not a duration", []string{"up", "--for", "soon"}, "soon"},
		{"not a number", []string{"up", "--bots", "many"}, "--bots"},
		{"unknown server", []string{"serve", "teapot"}, "teapot"},
		{"unknown protocol of bots", []string{"bots", "teapot"}, "teapot"},
		{"unknown codec of bots", []string{"bots", "echo", "--codec", "rot13"}, "rot13"},
		{"unknown codec of a server", []string{"serve", "echo", "--port-base", "0", "--codec", "rot13"}, "rot13"},
		{"chat over LAN", []string{"serve", "chat", "--port-base", "0", "--codec", "lan"}, `"lan" is not classic, classic-a or sealed`},
		{"LAN on every address", []string{"serve", "echo", "--addr", "0.0.0.0:0"}, "every address of this machine"},
		{"an address that is none", []string{"serve", "echo", "--addr", "nonsense"}, "missing port"},
		{"operations on no address", []string{"up", "--ops-addr", "127.0.0.1:99999"}, "ops.addr"},
		{"bots that go nowhere", []string{"bots", "echo", "--addr", "foo"}, `--addr: "foo" is not host:port`},
		{"bots without a request", []string{"bots", "echo", "--depth", "0"}, "--depth 0"},
		{"bots without a payload", []string{"bots", "echo", "--size", "0"}, "--size 0"},
		{"sealed bots without a key", []string{"bots", "echo", "--codec", "sealed"}, "--server-key"},
		{"port base beyond the ports", []string{"up", "--port-base", "70000"}, "--port-base 70000"},
		{"negative port base", []string{"up", "--port-base=-1"}, "--port-base -1"},
		{"unknown key", []string{"check", "config", "--set", "chat.max_sesions=1"}, "max_sessions"},
		{"bad value", []string{"check", "config", "--set", "chat.max_sessions=lots"}, "lots"},
		{"no such file", []string{"check", "config", "--config", "nowhere.toml"}, "nowhere.toml"},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := run(test.args...)
			if got.status != statusUsage {
				t.Errorf("exit status %d, want %d", got.status, statusUsage)
			}
			if !strings.Contains(got.err, test.want) {
				t.Errorf("standard error does not say %q:\n%s", test.want, got.err)
			}
		})
	}
}

func TestHelpIsNoError(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"up", "--help"}, {"check", "config", "--help"}} {
		if got := run(args...); got.status != statusOK || !strings.Contains(got.out, "Usage: vitrine") {
			t.Errorf("%v: exit status %d and %q, want 0 and the usage", args, got.status, got.out)
		}
	}
}

func TestCheckWirePrintsEveryVectorWithOK(t *testing.T) {
	got := run("check", "wire")
	if got.status != statusOK {
		t.Errorf("exit status %d, want 0", got.status)
	}
	lines := strings.Split(strings.TrimSpace(got.out), "\n")
	vectors := frame.Vectors()
	if len(lines) != len(vectors) || len(vectors) < 10 {
		t.Fatalf("%d lines for %d vectors", len(lines), len(vectors))
	}
	for i, v := range vectors {
		if fields := strings.Fields(lines[i]); len(fields) < 2 || fields[0] != v.Name || fields[1] != "ok" {
			t.Errorf("got %q, want %s ok", lines[i], v.Name)
		}
	}
}

func TestCheckConfigNamesEveryMistakeAtItsPlace(t *testing.T) {
	inTempDir(t)
	path := write(t, "bad.toml", "[chat]\nmax_sesions = 5\nidle_timeout = \"soon\"\n\n[echo.lan]\nworkers = -3\ncolour = 1\n")
	got := run("check", "config", "--config", path)
	if got.status != statusUsage {
		t.Errorf("exit status %d, want %d", got.status, statusUsage)
	}
	for _, want := range []string{
		path + ":2", "max_sesions", "did you mean", "max_sessions",
		path + ":3", "idle_timeout", path + ":6", "echo.lan.workers: is -3", path + ":7", "colour",
	} {
		if !strings.Contains(got.err, want) {
			t.Errorf("standard error does not say %q:\n%s", want, got.err)
		}
	}
}

func TestCheckConfigNamesEveryMistakeOfATable(t *testing.T) {
	inTempDir(t)
	path := write(t, "bad.toml", "[echo.sealed]\naddr = \"x\"\ncodec = \"foo\"\nworkers = -1\nsend_policy = \"x\"\nqueue_limit = 3\npacket_limit = 0\nsend_limit = \"10KiB\"\n")
	got := run("check", "config", "--config", path)
	if got.status != statusUsage {
		t.Errorf("exit status %d, want %d", got.status, statusUsage)
	}
	for i, key := range []string{"addr", "codec", "workers", "send_policy", "queue_limit", "packet_limit"} {
		if want := fmt.Sprintf("%s:%d: echo.sealed.%s: ", path, i+2, key); strings.Count(got.err, want) != 1 {
			t.Errorf("standard error does not say %q once:\n%s", want, got.err)
		}
	}
	if lines := strings.Count(got.err, "\n"); lines != 6 {
		t.Errorf("%d lines, want one a mistake and none for a limit that suits some codec:\n%s", lines, got.err)
	}
}

func TestAWildcardAddressNeedsALimitOnWhoMayCome(t *testing.T) {
	inTempDir(t)
	for _, sets := range [][]string{
		{"echo.lan.addr=0.0.0.0:6000", "echo.lan.allow_from=10.0.0.0/8"},
		{"echo.lan.addr=[::]:6000", "echo.lan.device=eth1"},
		{"echo.sealed.addr=:6002"},
	} {
		args := []string{"check", "config"}
		for _, set := range sets {
			args = append(args, "--set", set)
		}
		if got := run(args...); got.status != statusOK {
			t.Errorf("%v: exit status %d, want 0:\n%s", sets, got.status, got.err)
		}
	}
}

func TestCheckConfigAsksTheEngineToo(t *testing.T) {
	inTempDir(t)
	for _, test := range []struct{ set, want string }{
		{"echo.lan.workers=-3", "echo.lan.workers: is -3"},
		{"chat.queue_limit=1000", "chat.queue_limit: is 1000"},
		{"chat.send_limit=1", "chat.send_limit: is 1"},
		{"echo.sealed.output_limit=1", "echo.sealed.output_limit: is 1"},
		{"echo.classic.recv_budget=2GiB", "echo.classic.recv_budget: is 2147483648"},
		{"echo.lan.max_packet=1MiB", "echo.lan.max_packet: "},
		{"echo.lan.addr=:6000", "echo.lan.addr: \":6000\" is every address"},
		{"echo.classic.codec=lan;echo.classic.addr=[::]:0", "echo.classic.addr: \"[::]:0\" is every address"},
		{"echo.lan.addr=nonsense", "echo.lan.addr: \"nonsense\" is not host:port"},
		{"chat.addr=127.0.0.1:65536", "chat.addr: "},
		{"chat.addr=", "chat.addr: is empty"},
		{"ops.addr=bad", "ops.addr: \"bad\" is not host:port"},
		{"chat.codec=lan", "chat.codec: \"lan\" is not classic, classic-a or sealed"},
		{"chat.max_sessions=0", "chat.max_sessions: is 0"},
		{"chat.idle_timeout=0s", "unlimited"},
	} {
		got := run("check", "config", "--set", test.set)
		if got.status != statusUsage || !strings.Contains(got.err, test.want) {
			t.Errorf("%s: exit status %d and %q, want %d and an error that says %q", test.set, got.status, got.err, statusUsage, test.want)
		}
	}
}

// line returns the line of the effective configuration for a key, without its key.
func line(text, key string) string {
	for l := range strings.Lines(text) {
		if fields := strings.Fields(l); len(fields) > 0 && fields[0] == key {
			return strings.Join(fields[1:], " ")
		}
	}
	return ""
}

func TestCheckConfigShowsValuesWithTheirSources(t *testing.T) {
	inTempDir(t)
	path := write(t, "good.toml", "[chat]\nmax_sessions = 5\nworkers = 2\nidle_timeout = \"9s\"\n\n[echo.classic]\npacket_key = 77\n")
	t.Setenv("VITRINE_CHAT_WORKERS", "3")
	t.Setenv("VITRINE_CHAT_IDLE_TIMEOUT", "11s")
	got := run("check", "config", "--config", path, "--set", "chat.idle_timeout=12s", "--set", "echo.lan.idle_timeout=unlimited", "--ops-addr", "127.0.0.1:0")
	if got.status != statusOK {
		t.Fatalf("exit status %d, want 0:\n%s", got.status, got.err)
	}
	for key, wants := range map[string][]string{
		"chat.max_sessions": {"5", fmt.Sprintf("%s:2", path)},
		"chat.workers":      {"3", "VITRINE_CHAT_WORKERS"},
		"chat.idle_timeout": {"12s", "flag"},
		"chat.frame_timeout": {
			"10s", "default",
		},
		"echo.lan.idle_timeout":   {`"unlimited"`, "flag"},
		"ops.addr":                {"127.0.0.1:0", "flag"},
		"echo.classic.packet_key": {path + ":7"},
	} {
		shown := line(got.out, key)
		for _, want := range wants {
			if !strings.Contains(shown, want) {
				t.Errorf("%s: got %q, want it to say %q", key, shown, want)
			}
		}
	}
	if shown := line(got.out, "echo.classic.packet_key"); !strings.HasPrefix(shown, `"***" `) {
		t.Errorf("a secret is shown: %q", shown)
	}
}

// Every limit of the engine that can change while a server runs has a key that says so, and no other key does.
func TestCheckConfigMarksReloadableKeys(t *testing.T) {
	inTempDir(t)
	got := run("check", "config")
	for _, table := range []string{"echo.lan", "echo.classic", "echo.sealed", "chat"} {
		var marked []string
		for l := range strings.Lines(got.out) {
			if key, in := strings.CutPrefix(strings.Fields(l)[0], table+"."); in && strings.HasSuffix(l, "(reloadable)\n") {
				marked = append(marked, key)
			}
		}
		want := "allow_from idle_timeout frame_timeout handshake_timeout send_limit send_limit_packets send_policy recv_budget " +
			"packet_rate packet_burst accept_rate sessions_per_ip limit_loopback"
		if limits := reflect.TypeFor[engine.Limits]().NumField(); strings.Join(marked, " ") != want || len(marked) != limits {
			t.Errorf("%s: %d keys %v, want the %d limits %s", table, len(marked), marked, limits, want)
		}
	}
}

func TestCheckConfigMakesNoKey(t *testing.T) {
	inTempDir(t)
	if got := run("check", "config"); got.status != statusOK {
		t.Fatalf("exit status %d: %s", got.status, got.err)
	}
	if _, err := os.Stat(runtimeDir); err == nil {
		t.Errorf("checking made %s", runtimeDir)
	}
}

func TestExampleConfigIsValidAndChangesNothing(t *testing.T) {
	inTempDir(t)
	example := run("check", "config", "--example")
	if example.status != statusOK {
		t.Fatal(example.err)
	}
	path := write(t, "example.toml", example.out)
	plain, read := run("check", "config"), run("check", "config", "--config", path)
	if read.status != statusOK {
		t.Fatalf("the example is refused:\n%s", read.err)
	}
	value := func(text string) (all []string) {
		for l := range strings.Lines(text) {
			if fields := strings.Fields(l); len(fields) > 2 {
				all = append(all, strings.Join(fields[:3], " "))
			}
		}
		return all
	}
	if got, want := value(read.out), value(plain.out); strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("with the example:\n%s\nwant as without:\n%s", read.out, plain.out)
	}
}
