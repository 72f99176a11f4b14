package logx

import (
	"bytes"
	"io"
	"log/slog"
	"os"
	"runtime"
	"sync"
	"time"

	"vitrine/logx/record"
)

// Color says whether a console colours the words of its levels.
type Color uint8

const (
	ColorAuto  Color = iota // when the writer is a terminal, NO_COLOR is not set and TERM is not "dumb"
	ColorNever              // plain text
	ColorAlways
)

// ConsoleConfig says what a console shows. The zero value is ready to use.
type ConsoleConfig struct {
	HandlerConfig

	Level slog.Leveler  // the least level that is shown, read for each record; default slog.LevelInfo
	Types *record.Types // the types of the log beside it; default those that every log has
	Color Color
}

// NewConsole returns a slog.Handler for people: one line a record, as in the text form of a log but without an index.
//
//	[session] [2026-11-22T22:44:10.123456Z / WARN] too many packets rate=812 peer="a b" session=7
//
// It and what is derived from it are for any goroutine. Handle makes one call of w.Write a record, one at a time, blocks as
// long as that does, and returns its error. Attributes become fields as they do for Log.NewHandler. A record without a time
// shows none.
func NewConsole(w io.Writer, c ConsoleConfig) slog.Handler {
	s := &screen{w: w, level: c.Level, types: c.Types, color: c.Color.on(w, os.Getenv)}
	if s.level == nil {
		s.level = slog.LevelInfo
	}
	return newHandler(s, c.HandlerConfig)
}

// screen is the sink of a console.
type screen struct {
	level slog.Leveler  // fixed
	types *record.Types // fixed; nil = those that every log has
	color bool          // fixed

	mu     sync.Mutex
	w      io.Writer     // guarded by mu
	record record.Record // guarded by mu; what is written
	text   []byte        // guarded by mu; the record as a log writes it
	line   []byte        // guarded by mu; as it is shown
}

func (s *screen) Enabled(level record.Level, _ record.Type) bool { return s.EnabledAny(level) }

func (s *screen) EnabledAny(level record.Level) bool {
	return level >= record.LevelOf(s.level.Level())
}

func (s *screen) Types() *record.Types { return s.types }

// put writes the line of one record.
func (s *screen) put(at time.Time, e *Entry, fields []record.Field) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.record = record.Record{
		Head:  record.Head{Session: e.Session, Level: e.Level, Type: e.Type},
		Trace: e.Trace, Span: e.Span, Message: e.Message, Fields: fields,
	}
	if !at.IsZero() {
		s.record.Time = at.UnixNano()
	}
	s.text = record.AppendText(s.text[:0], &s.record, s.types)
	s.record = record.Record{}
	s.line = s.appendLine(s.line[:0], s.text, e.Level, at.IsZero())
	_, err := s.w.Write(s.line)
	if cap(s.text)+cap(s.line) > keptText {
		s.text, s.line = nil, nil
	}
	return err
}

// appendLine makes the line of a console from that of a log:
//
//	[type] [time / LEVEL / 0] message ...
func (s *screen) appendLine(dst, text []byte, level record.Level, timeless bool) []byte {
	typ, rest, _ := bytes.Cut(text, []byte("] ["))
	at, rest, _ := bytes.Cut(rest, []byte(" / "))
	word, rest, _ := bytes.Cut(rest, []byte(" / 0"))
	dst = append(append(dst, typ...), "] ["...)
	if !timeless {
		dst = append(append(dst, at...), " / "...)
	}
	if s.color {
		dst = append(append(append(dst, colorOf(level)...), word...), "\x1b[0m"...)
	} else {
		dst = append(dst, word...)
	}
	return append(dst, rest...)
}

// colorOf returns the sequence that begins a level's colour.
func colorOf(level record.Level) string {
	switch {
	case level >= record.System:
		return "\x1b[1;36m" // bold cyan
	case level >= record.Error:
		return "\x1b[1;31m" // bold red
	case level >= record.Warn:
		return "\x1b[33m" // yellow
	case level >= record.Info:
		return "\x1b[32m" // green
	default:
		return "\x1b[90m" // grey
	}
}

// on decides about colour. The console of older Windows does not know the sequences, its Terminal does and says so.
func (c Color) on(w io.Writer, getenv func(string) string) bool {
	if c != ColorAuto {
		return c == ColorAlways
	}
	if getenv("NO_COLOR") != "" || getenv("TERM") == "dumb" || runtime.GOOS == "windows" && getenv("WT_SESSION") == "" {
		return false
	}
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
