package cli

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"vitrine/logx"
	"vitrine/logx/record"
)

func TestBadLogSettingsAreNamedAtTheirKeys(t *testing.T) {
	inTempDir(t)
	for _, test := range []struct{ set, want string }{
		{"log.level=loud", `log.level: unknown level "loud": want debug, info`},
		{"log.console_level=", "log.console_level: "},
		{"log.types=session", `log.types: "session" is not a type, = and a level`},
		{"log.types=teapot=debug", `log.types: "teapot" is not a type of the log`},
		{"log.types=session=loud", "log.types: "},
		{"log.format=xml", `log.format: "xml" is not binary, text`},
		{"log.sync=often", `log.sync: "often" is not interval, none, error, each`},
		{"log.otlp=localhost:4318", "log.otlp: "},
		{"log.keep_age=-1s", "log.keep_age: "},
		{"log.keep_bytes=-1", "log.keep_bytes: "},
		{"log.keep_count=-1", "log.keep_count: is -1, want 0 or more"},
		{"log.rotate_bytes=0", "log.rotate_bytes: is 0B, want 1MiB to 1GiB"},
		{"log.rotate_bytes=2GiB", "log.rotate_bytes: is 2GiB"},
		{"log.rotate_age=1ms", "log.rotate_age: is 1ms, want at least 1s"},
		{"log.ring_records=1000", "log.ring_records: is 1000, want a power of two from 64 to 4194304"},
		{"log.block=loud", `log.block: unknown level "loud"`},
		{"log.mask_keys=*", `log.mask_keys: mask key "*" names nothing`},
	} {
		got := run("check", "config", "--set", test.set)
		if got.status != statusUsage || !strings.Contains(got.err, test.want) {
			t.Errorf("%s: exit status %d and %q, want %d and an error that says %q", test.set, got.status, got.err, statusUsage, test.want)
		}
	}
}

// Everything that is wrong is reported at once, numbers that are none beside words that are unknown.
func TestBadLogSettingsAreNamedTogether(t *testing.T) {
	inTempDir(t)
	args, keys := []string{"up"}, []string{"keep_bytes", "keep_age", "keep_count", "rotate_bytes", "rotate_age", "ring_records", "format", "level", "console_level", "sync", "types", "block", "otlp"}
	for _, key := range keys {
		args = append(args, "--set", "log."+key+"=-1")
	}
	got := run(append(args, "--set", "log.mask_keys=*")...)
	for _, key := range append(keys, "mask_keys") {
		if !strings.Contains(got.err, "log."+key+": log."+key+": ") {
			t.Errorf("%s is not named", key)
		}
	}
	if got.status != statusUsage || t.Failed() {
		t.Errorf("exit status %d:\n%s", got.status, got.err)
	}
}

func TestLevelsOfTheLogAreReloadable(t *testing.T) {
	inTempDir(t)
	var marked []string
	for l := range strings.Lines(run("check", "config").out) {
		if key, in := strings.CutPrefix(strings.Fields(l)[0], "log."); in && strings.HasSuffix(l, "(reloadable)\n") {
			marked = append(marked, key)
		}
	}
	if got := strings.Join(marked, " "); got != "level types console_level" {
		t.Errorf("reloadable: got %s", got)
	}
}

// A server that is started alone has a directory of its own; what is set holds for both.
func TestEachServerAloneHasALogOfItsOwn(t *testing.T) {
	inTempDir(t)
	for _, test := range []struct {
		alone string
		set   map[string]string
		want  string
	}{
		{"", nil, filepath.Join("var", "log")},
		{"echo-lan", nil, filepath.Join("var", "log", "echo-lan")},
		{"chat", map[string]string{"log.dir": "mine"}, "mine"},
		{"chat", map[string]string{"log.dir": ""}, ""},
	} {
		flags := configFlags{Set: test.set}
		s, _, err := flags.load(test.alone, nil)
		if err != nil || s.Log.Dir != test.want {
			t.Errorf("%q %v: got %q, %v, want %q", test.alone, test.set, s.Log.Dir, err, test.want)
		}
	}
	if table := (&serveCommand{Kind: "echo", Codec: "sealed"}).table(); table != "echo.sealed" {
		t.Errorf("table %s", table)
	}
}

// Every setting of the log reaches it.
func TestLogSettingsReachTheLog(t *testing.T) {
	inTempDir(t)
	flags := configFlags{Set: map[string]string{
		"log.dir": "d", "log.ring_dir": "r", "log.level": "error", "log.types": "session=info,chat=debug", "log.console_level": "warn",
		"log.format": "text", "log.sync": "each", "log.keep_bytes": "1MiB", "log.keep_age": "48h", "log.keep_count": "7",
		"log.rotate_bytes": "2MiB", "log.rotate_age": "1h", "log.ring_records": "1024", "log.block": "error,system", "log.mask_keys": "pin,*_iban", "log.otlp": "http://localhost:4318",
	}}
	s, effective, err := flags.load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	console := new(slog.LevelVar)
	got := s.observed(console, effective)
	want := logx.Config{
		Format: logx.Text, Level: record.Error, RingDir: "r", Sync: logx.SyncEach, KeepBytes: 1 << 20, KeepAge: 48 * time.Hour, KeepSegments: 7,
		SegmentBytes: 2 << 20, SegmentAge: time.Hour, RingRecords: 1 << 10, Block: noLevel | record.AtLeast(record.Error),
		TypeLevels: map[string]record.Level{"session": record.Info, "chat": record.Debug},
	}
	if g, w := fmt.Sprintf("%+v", got.Journal), fmt.Sprintf("%+v", want); g != w {
		t.Errorf("journal: got %s, want %s", g, w)
	}
	if got.LogDir != "d" || got.LogOTLP != "http://localhost:4318" || got.LogLevel.Level() != slog.LevelWarn || strings.Join(got.MaskKeys, " ") != "pin *_iban" {
		t.Errorf("got %+v", got)
	}
}

// A change of the settings changes the levels of every type, back to the general one too.
func TestLevelsAreSetAnew(t *testing.T) {
	file, err := logx.Open(logx.Config{Dir: t.TempDir(), RingDir: t.TempDir(), TypeLevels: map[string]record.Level{"session": record.Debug}})
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	console := new(slog.LevelVar)
	s := logSettings{Level: "warn", Types: []string{"chat=debug"}, ConsoleLevel: "system"}
	s.setLevels(file, console)
	for _, c := range []struct {
		typ  record.Type
		want record.Level
	}{{record.TypeSession, record.Warn}, {record.TypeChat, record.Debug}, {record.TypeSystem, record.Warn}} {
		if !file.Enabled(c.want, c.typ) || file.Enabled(c.want-1, c.typ) {
			t.Errorf("%v is not logged from %v on", c.typ, c.want)
		}
	}
	if console.Level() != logx.LevelSystem {
		t.Errorf("console: %v", console.Level())
	}
	s.setLevels(nil, console)
}

// The commands that are named find the log they are about.
func TestReaderNamesTheDirectory(t *testing.T) {
	for dir, want := range map[string]string{
		defaultLogDir: "vitrine logs --follow", "mine": "vitrine logs --dir mine --follow",
	} {
		if got := (&logSettings{Dir: dir}).reader("--follow"); got != want {
			t.Errorf("%s: got %q, want %q", dir, got, want)
		}
	}
}

// The summary of a run names the last session of each server that had one.
func TestSummaryNamesTheLastSessionOfEachServer(t *testing.T) {
	var out strings.Builder
	run := &stackRun{watch: &out, first: 9, log: &logSettings{Dir: defaultLogDir, Format: "binary"}}
	for name, last := range map[string]uint64{"chat": 4711, "lonely": 0, "echo-lan": 4712} {
		r := &running{plan: plan{name: name}, last: new(atomic.Uint64)}
		r.last.Store(last)
		run.servers = append(run.servers, r)
	}
	run.tellReader()
	for _, want := range []string{
		"What the last session of each server did, by the log:\n", "  vitrine logs --session 4711 --grep server=chat --index 9..\n",
		"  vitrine logs --session 4712 --grep server=echo-lan --index 9..\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, out.String())
		}
	}
	if strings.Count(out.String(), "\n") != 3 {
		t.Errorf("got\n%s", out.String())
	}
}

// A run of the whole stack in this process leaves its log where it says, whole, and nothing else beside the key.
func TestUpLeavesALog(t *testing.T) {
	inTempDir(t)
	t.Setenv("VITRINE_LOG_RING_DIR", t.TempDir())
	got := run("up", "--for", "50ms", "--port-base", "0", "--set", "crash.dir=", "--set", "log.console_level=error", "--set", "log.otlp=")
	if got.status != statusOK || !strings.Contains(got.out, "  log          "+defaultLogDir+"  vitrine logs --follow\n") {
		t.Fatalf("exit status %d:\n%s%s", got.status, got.out, got.err)
	}
	if told := run("logs", "--level", "system"); told.status != statusOK || !strings.Contains(told.out, "process started") || !strings.Contains(told.out, "process stopped how=done") {
		t.Errorf("logs: exit status %d:\n%s%s", told.status, told.out, told.err)
	}
	if whole := run("logs", "verify"); whole.status != statusOK {
		t.Errorf("verify: exit status %d:\n%s", whole.status, whole.out)
	}
	if text := run("up", "--for", "50ms", "--port-base", "0", "--set", "crash.dir=", "--set", "log.console_level=error", "--set", "log.dir=text", "--set", "log.format=text"); !strings.Contains(text.out, "text  lines of text\n") {
		t.Errorf("text: exit status %d:\n%s%s", text.status, text.out, text.err)
	}
	files, err := filepath.Glob("text/*.txt")
	if err != nil || len(files) != 1 {
		t.Fatalf("got %v, %v, want one file", files, err)
	}
	if lines, err := os.ReadFile(files[0]); err != nil || !strings.HasPrefix(string(lines), "[system] [") {
		t.Errorf("got %q, %v", lines, err)
	}
}
