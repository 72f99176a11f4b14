package cli

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/bits"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"vitrine/core/config"
	"vitrine/logx"
	"vitrine/logx/record"
	"vitrine/logx/ring"
	"vitrine/logx/segment"
	"vitrine/servers/observe"
)

// logSettings are the system log's.
type logSettings struct {
	Dir          string        `toml:"dir" help:"directory of the system log, one process at a time; empty for none"`
	RingDir      string        `toml:"ring_dir" help:"directory of the memory that keeps the last records when the process dies; empty for /dev/shm, or dir where there is none"`
	Level        string        `toml:"level" reload:"true" default:"info" help:"least level in the files: debug, info, warn, error or system"`
	Types        []string      `toml:"types" reload:"true" default:"session=debug" help:"types=levels, instead of level: session=debug has every join and leave"`
	ConsoleLevel string        `toml:"console_level" reload:"true" default:"info" help:"least level on standard error"`
	Format       string        `toml:"format" default:"binary" help:"binary, for vitrine logs, or text, one readable line a record"`
	Sync         string        `toml:"sync" default:"interval" help:"when records are made to survive a loss of power: none, interval (a second), error (at once from error on) or each"`
	RingRecords  int           `toml:"ring_records" default:"32768" help:"lines that wait for the disk at most, of 256 bytes each, a power of two"`
	Block        []string      `toml:"block" default:"warn,error,system" help:"levels whose lines wait when so many do, for 5s at most; those of the others are dropped and counted"`
	RotateBytes  config.Bytes  `toml:"rotate_bytes" default:"128MiB" help:"a file ends at this size"`
	RotateAge    time.Duration `toml:"rotate_age" default:"24h" help:"and at this age"`
	KeepBytes    config.Bytes  `toml:"keep_bytes" default:"4GiB" help:"the oldest files go beyond so much; 0 keeps all"`
	KeepCount    int           `toml:"keep_count" help:"and beyond so many of them; 0 keeps all"`
	KeepAge      time.Duration `toml:"keep_age" help:"and those older than this; 0 keeps all"`
	MaskKeys     []string      `toml:"mask_keys" help:"keys whose values are secrets beside passwords, tokens and their like, in any case and with or without _: pin, *_iban ends so, card* begins so"`
	OTLP         string        `toml:"otlp" help:"URL of an OpenTelemetry collector that gets warn and above, such as http://127.0.0.1:4318; empty for none"`
}

// The words of the settings, by value.
var (
	formatWords = []string{logx.Binary: "binary", logx.Text: "text"}
	syncWords   = []string{logx.SyncInterval: "interval", logx.SyncNone: "none", logx.SyncOnError: "error", logx.SyncEach: "each"}
)

// defaultLogDir is where the system log of the whole stack is.
var defaultLogDir = filepath.Join(runtimeDir, "log")

// Validate reports every word and number that makes no sense.
func (s *logSettings) Validate() error {
	var problems []error
	bad := func(key string, err error) {
		if err != nil {
			problems = append(problems, config.Invalid(key, "%v", err))
		}
	}
	_, err := record.ParseLevel(s.Level)
	bad("level", err)
	_, err = record.ParseLevel(s.ConsoleLevel)
	bad("console_level", err)
	_, err = s.typeLevels()
	bad("types", err)
	_, err = wordOf(formatWords, s.Format)
	bad("format", err)
	_, err = wordOf(syncWords, s.Sync)
	bad("sync", err)
	bad("otlp", observe.Config{LogOTLP: s.OTLP}.Validate())
	_, err = s.blocked()
	bad("block", err)
	bad("mask_keys", observe.Config{MaskKeys: s.MaskKeys}.Validate())
	for _, limit := range s.outside() {
		problems = append(problems, limit)
	}
	return errors.Join(problems...)
}

// outside returns the numbers that are outside their bounds.
func (s *logSettings) outside() (problems []config.Problem) {
	check := func(ok bool, key, format string, args ...any) {
		if !ok {
			problems = append(problems, config.Invalid(key, format, args...))
		}
	}
	n := s.RingRecords
	check(n >= ring.MinSlots && n <= ring.MaxSlots && bits.OnesCount(uint(n)) == 1,
		"ring_records", "is %d, want a power of two from %d to %d", n, ring.MinSlots, ring.MaxSlots)
	check(s.RotateBytes >= segment.MinSegmentBytes && s.RotateBytes <= segment.LimitSegmentBytes,
		"rotate_bytes", "is %v, want %v to %v", s.RotateBytes, config.Bytes(segment.MinSegmentBytes), config.Bytes(segment.LimitSegmentBytes))
	check(s.RotateAge >= segment.MinSegmentAge, "rotate_age", "is %v, want at least %v", s.RotateAge, segment.MinSegmentAge)
	check(s.KeepBytes >= 0, "keep_bytes", "is %d, want 0 or more", s.KeepBytes)
	check(s.KeepCount >= 0, "keep_count", "is %d, want 0 or more", s.KeepCount)
	check(s.KeepAge >= 0, "keep_age", "is %v, want 0 or more", s.KeepAge)
	return problems
}

// noLevel is a set of levels that has none of those that records have, and is not the zero of logx.Config, its default.
const noLevel record.Levels = 1

// blocked returns the levels whose lines wait for room.
func (s *logSettings) blocked() (record.Levels, error) {
	set := noLevel
	for _, word := range s.Block {
		level, err := record.ParseLevel(word)
		if err != nil {
			return 0, err
		}
		set |= 1 << level
	}
	return set, nil
}

// wordOf returns the value of a word.
func wordOf(words []string, word string) (int, error) {
	i := slices.Index(words, word)
	if i < 0 {
		return 0, fmt.Errorf("%q is not %s", word, strings.Join(words, ", "))
	}
	return i, nil
}

// typeLevels returns the levels of types.
func (s *logSettings) typeLevels() (map[string]record.Level, error) {
	levels := map[string]record.Level{}
	var known *record.Types // those that every log has
	for _, item := range s.Types {
		name, word, ok := strings.Cut(item, "=")
		if !ok {
			return nil, fmt.Errorf("%q is not a type, = and a level", item)
		}
		if _, ok := known.Parse(name); !ok {
			return nil, fmt.Errorf("%q is not a type of the log", name)
		}
		level, err := record.ParseLevel(word)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", item, err)
		}
		levels[name] = level
	}
	return levels, nil
}

// levelOf returns the level of a word that Validate let pass.
func levelOf(word string) record.Level {
	level, err := record.ParseLevel(word)
	if err != nil {
		panic("cli: " + err.Error())
	}
	return level
}

// observed returns the configuration of what watches the servers. console is the level of standard error from now on, effective
// what bundles of crashes show of the configuration.
func (s *settings) observed(console *slog.LevelVar, effective *config.Effective) observe.Config {
	l := &s.Log
	console.Set(levelOf(l.ConsoleLevel).Slog())
	types, _ := l.typeLevels() // Validate let them pass, like the words
	format, _ := wordOf(formatWords, l.Format)
	sync, _ := wordOf(syncWords, l.Sync)
	block, _ := l.blocked()
	return observe.Config{
		OpsAddr: s.Ops.Addr, Chaos: s.Ops.Chaos, CrashDir: s.Crash.Dir, Crash: s.Crash.config(effective), LogDir: l.Dir, LogLevel: console, LogOTLP: l.OTLP,
		MaskKeys: l.MaskKeys,
		Journal: logx.Config{
			Format: logx.Format(format), Level: levelOf(l.Level), TypeLevels: types, RingDir: l.RingDir,
			Sync: logx.SyncPolicy(sync), RingRecords: l.RingRecords, Block: block,
			SegmentBytes: int64(l.RotateBytes), SegmentAge: l.RotateAge,
			KeepBytes: int64(l.KeepBytes), KeepSegments: l.KeepCount, KeepAge: l.KeepAge,
		},
	}
}

// setLevels brings the reloadable settings to a log that is open; file is nil when there are no files.
func (s *logSettings) setLevels(file *logx.Log, console *slog.LevelVar) {
	console.Set(levelOf(s.ConsoleLevel).Slog())
	if file == nil {
		return
	}
	file.SetLevel(levelOf(s.Level))
	levels, _ := s.typeLevels() // Validate let them pass
	for t := record.Type(0); t < record.FirstCustom; t++ {
		file.SetTypeLevel(t, levels[file.Types().Name(t)])
	}
}

// describeJournal tells where the log is and how to read it.
func (s *logSettings) describeJournal(w io.Writer, st *observe.Stack) {
	switch {
	case st.Journal() == nil:
		fmt.Fprintf(w, "  %-12s no files\n", "log")
	case s.Format == formatWords[logx.Text]:
		fmt.Fprintf(w, "  %-12s %s  lines of text\n", "log", s.Dir)
	default:
		fmt.Fprintf(w, "  %-12s %s  %s\n", "log", s.Dir, s.reader("--follow"))
	}
}

// reader returns the command that reads the log.
func (s *logSettings) reader(flags string) string {
	if s.Dir == defaultLogDir {
		return "vitrine logs " + flags
	}
	return "vitrine logs --dir " + s.Dir + " " + flags
}

// readable reports whether vitrine logs reads the log.
func (s *logSettings) readable() bool { return s.Format == formatWords[logx.Binary] && s.Dir != "" }

// inUse adds to the error of a log directory that another process has how to take another.
func inUse(err error) error {
	if errors.Is(err, segment.ErrInUse) {
		return fmt.Errorf("%w: --set log.dir=DIR, or log.dir= for none", err)
	}
	return err
}
