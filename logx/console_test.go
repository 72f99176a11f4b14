package logx

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/slogtest"
	"time"
)

// at is when the records of these tests were made.
func at() time.Time { return time.Date(2026, 11, 22, 22, 44, 10, 123456789, time.UTC) }

// show writes one record to a console.
func show(t *testing.T, c ConsoleConfig, ctx context.Context, level slog.Level, message string, args ...any) string {
	t.Helper()
	var out bytes.Buffer
	r := slog.NewRecord(at(), level, message, 0)
	r.Add(args...)
	if err := NewConsole(&out, c).Handle(ctx, r); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestConsoleLines(t *testing.T) {
	ctx := context.Background()
	traced := WithTrace(WithSession(ctx, 7), [16]byte{15: 0x4f}, [8]byte{7: 0x2a})
	const warn, system = slog.LevelWarn, LevelSystem
	tests := []struct {
		name string
		got  string
		want string
	}{
		{"plain", show(t, ConsoleConfig{}, ctx, warn, "too many packets", "rate", 812, "peer", "a b"),
			"[system] [2026-11-22T22:44:10.123456Z / WARN] too many packets rate=812 peer=\"a b\"\n"},
		{"type, session and trace", show(t, ConsoleConfig{}, traced, system, "m", "type", "lan"),
			"[lan] [2026-11-22T22:44:10.123456Z / SYSTEM] m session=7 trace=0000000000000000000000000000004f span=000000000000002a\n"},
		{"colour", show(t, ConsoleConfig{Color: ColorAlways}, ctx, warn, "m"),
			"[system] [2026-11-22T22:44:10.123456Z / \x1b[33mWARN\x1b[0m] m\n"},
		{"a message that looks like a head", show(t, ConsoleConfig{}, ctx, warn, "] [x / 0] / 0"),
			"[system] [2026-11-22T22:44:10.123456Z / WARN] ] [x / 0] / 0\n"},
		{"a message that would command the terminal", show(t, ConsoleConfig{}, ctx, warn, "\x1b[2J\nm"),
			"[system] [2026-11-22T22:44:10.123456Z / WARN] \"\\x1b[2J\\nm\"\n"},
		{"a secret", show(t, ConsoleConfig{}, ctx, warn, "m", "token", "hunter2"),
			"[system] [2026-11-22T22:44:10.123456Z / WARN] m token=***\n"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.got != test.want {
				t.Errorf("got  %q\nwant %q", test.got, test.want)
			}
		})
	}
}

func TestConsoleWithoutTimeShowsNone(t *testing.T) {
	var out bytes.Buffer
	h := NewConsole(&out, ConsoleConfig{})
	h.Handle(context.Background(), slog.NewRecord(time.Time{}, slog.LevelInfo, "m", 0))
	if got, want := out.String(), "[system] [INFO] m\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestConsoleKeepsTheRulesOfSlog(t *testing.T) {
	var out bytes.Buffer
	err := slogtest.TestHandler(NewConsole(&out, ConsoleConfig{}), func() []map[string]any {
		var all []map[string]any
		for line := range strings.Lines(out.String()) {
			all = append(all, parseLine(t, line))
		}
		return all
	})
	if err != nil {
		t.Error(err)
	}
}

// parseLine reads a console's line whose message and values are words.
func parseLine(t *testing.T, line string) map[string]any {
	t.Helper()
	parts := regexp.MustCompile(`^\[system\] \[(?:(\S+) / )?(\w+)\] (\w+)(.*)\n$`).FindStringSubmatch(line)
	if parts == nil {
		t.Fatalf("cannot read %q", line)
	}
	root := map[string]any{slog.LevelKey: parts[2], slog.MessageKey: parts[3]}
	if parts[1] != "" {
		root[slog.TimeKey] = parts[1]
	}
	for _, pair := range strings.Fields(parts[4]) {
		key, value, _ := strings.Cut(pair, "=")
		place, names := root, strings.Split(key, ".")
		for _, name := range names[:len(names)-1] {
			if place[name] == nil {
				place[name] = map[string]any{}
			}
			place = place[name].(map[string]any)
		}
		place[names[len(names)-1]] = value
	}
	return root
}

func TestConsoleLevelChangesAtRunTime(t *testing.T) {
	var out bytes.Buffer
	var level slog.LevelVar
	l := slog.New(NewConsole(&out, ConsoleConfig{Level: &level}))
	l.Debug("no")
	level.Set(slog.LevelDebug)
	l.Debug("yes")
	level.Set(slog.LevelError)
	l.Warn("no")
	if got := out.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "DEBUG] yes") {
		t.Errorf("got %q", got)
	}
}

func TestConsoleReturnsTheErrorOfItsWriter(t *testing.T) {
	reader, writer := io.Pipe()
	broken := errors.New("broken")
	reader.CloseWithError(broken)
	err := NewConsole(writer, ConsoleConfig{}).Handle(context.Background(), slog.NewRecord(at(), slog.LevelInfo, "m", 0))
	if !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
}

func TestConsoleWritesWholeLines(t *testing.T) {
	var out bytes.Buffer // the console calls its Write one at a time
	l := slog.New(NewConsole(&out, ConsoleConfig{}))
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 200 {
				l.Info("m", "i", i)
			}
		})
	}
	all.Wait()
	whole := regexp.MustCompile(`^\[system\] \[\S+ / INFO\] m i=\d+\n$`)
	n := 0
	for line := range strings.Lines(out.String()) {
		if n++; !whole.MatchString(line) {
			t.Fatalf("got %q", line)
		}
	}
	if n != 800 {
		t.Errorf("got %d lines, want 800", n)
	}
}

func TestColourIsForTerminals(t *testing.T) {
	file, err := os.Create(filepath.Join(t.TempDir(), "f"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	terminal, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0) // a character device, as terminals are
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	tests := []struct {
		name  string
		color Color
		w     io.Writer
		env   string
		want  bool
	}{
		{"terminal", ColorAuto, terminal, "WT_SESSION=1", true},
		{"NO_COLOR", ColorAuto, terminal, "NO_COLOR=1", false},
		{"dumb terminal", ColorAuto, terminal, "TERM=dumb", false},
		{"file", ColorAuto, file, "WT_SESSION=1", false},
		{"buffer", ColorAuto, new(bytes.Buffer), "WT_SESSION=1", false},
		{"always", ColorAlways, file, "NO_COLOR=1", true},
		{"never", ColorNever, terminal, "WT_SESSION=1", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			getenv := func(key string) string {
				if value, ok := strings.CutPrefix(test.env, key+"="); ok {
					return value
				}
				return ""
			}
			if got := test.color.on(test.w, getenv); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

func TestLevelsHaveColoursOfTheirOwn(t *testing.T) {
	seen := map[string]slog.Level{}
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn, slog.LevelError, LevelSystem} {
		line := show(t, ConsoleConfig{Color: ColorAlways, Level: slog.LevelDebug}, context.Background(), level, "m")
		color := regexp.MustCompile("\x1b\\[[0-9;]+m").FindString(line)
		if other, taken := seen[color]; taken || color == "" {
			t.Errorf("%v has %q, as %v", level, color, other)
		}
		seen[color] = level
	}
}
