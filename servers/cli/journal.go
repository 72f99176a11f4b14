package cli

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"vitrine/core/config"
	"vitrine/logx"
	"vitrine/logx/record"
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
	KeepBytes    config.Bytes  `toml:"keep_bytes" default:"4GiB" help:"the oldest files go beyond so much; 0 keeps all"`
	KeepAge      time.Duration `toml:"keep_age" help:"and those older than this; 0 keeps all"`
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
	if s.KeepBytes < 0 {
		bad("keep_bytes", fmt.Errorf("is %d, want 0 or more", s.KeepBytes))
	}
	if s.KeepAge < 0 {
		bad("keep_age", fmt.Errorf("is %v, want 0 or more", s.KeepAge))
	}
	return errors.Join(problems...)
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
	return observe.Config{
		OpsAddr: s.Ops.Addr, Chaos: s.Ops.Chaos, CrashDir: s.Crash.Dir, Crash: s.Crash.config(effective), LogDir: l.Dir, LogLevel: console, LogOTLP: l.OTLP,
		Journal: logx.Config{
			Format: logx.Format(format), Level: levelOf(l.Level), TypeLevels: types, RingDir: l.RingDir,
			Sync: logx.SyncPolicy(sync), KeepBytes: int64(l.KeepBytes), KeepAge: l.KeepAge,
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
