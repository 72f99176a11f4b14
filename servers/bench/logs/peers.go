//go:build linux

package logs

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"

	phuslu "github.com/phuslu/log"
	"github.com/rs/zerolog"
	"github.com/rs/zerolog/diode"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"

	"vitrine/logx"
)

// Buffers of the peers that have one.
const (
	bufferBytes  = 256 << 10
	asyncRecords = logx.DefaultRingRecords
)

func openZerolog(m medium) (sink, error) {
	f, w, err := m.create()
	if err != nil {
		return sink{}, err
	}
	return sink{log: zerologTo(w), flush: done, close: f.Close}, nil
}

// openDiode has the writer that overwrites what was not written in time.
func openDiode(m medium) (sink, error) {
	f, w, err := m.create()
	if err != nil {
		return sink{}, err
	}
	d := diode.NewWriter(w, asyncRecords, 0, nil)
	return sink{log: zerologTo(d), flush: d.Close, close: f.Close}, nil
}

func zerologTo(w io.Writer) func(*event) bool {
	l := zerolog.New(w).With().Timestamp().Logger()
	return func(e *event) bool {
		level := zerolog.InfoLevel
		if e.warn {
			level = zerolog.WarnLevel
		}
		l.WithLevel(level).Uint64("session", e.session).Str("player", e.player).
			Int("x", e.x).Int("y", e.y).Str("op", e.op).Msg(message)
		return true
	}
}

func openZap(m medium) (sink, error) {
	f, w, err := m.create()
	if err != nil {
		return sink{}, err
	}
	return sink{log: zapTo(zapcore.Lock(zapcore.AddSync(w))), flush: done, close: f.Close}, nil
}

func openZapBuffered(m medium) (sink, error) {
	f, w, err := m.create()
	if err != nil {
		return sink{}, err
	}
	buffered := &zapcore.BufferedWriteSyncer{WS: zapcore.AddSync(w), Size: bufferBytes}
	return sink{log: zapTo(buffered), flush: buffered.Stop, close: f.Close}, nil
}

func zapTo(w zapcore.WriteSyncer) func(*event) bool {
	l := zap.New(zapcore.NewCore(zapcore.NewJSONEncoder(zap.NewProductionEncoderConfig()), w, zap.InfoLevel))
	return func(e *event) bool {
		level := zap.InfoLevel
		if e.warn {
			level = zap.WarnLevel
		}
		l.Log(level, message, zap.Uint64("session", e.session), zap.String("player", e.player),
			zap.Int("x", e.x), zap.Int("y", e.y), zap.String("op", e.op))
		return true
	}
}

func openSlogJSON(m medium) (sink, error) {
	f, w, err := m.create()
	if err != nil {
		return sink{}, err
	}
	return sink{log: slogTo(slog.NewJSONHandler(w, nil)), flush: done, close: f.Close}, nil
}

// slogTo serves the standard library's handler and ours.
func slogTo(h slog.Handler) func(*event) bool {
	l, ctx := slog.New(h), context.Background()
	return func(e *event) bool {
		level := slog.LevelInfo
		if e.warn {
			level = slog.LevelWarn
		}
		l.LogAttrs(ctx, level, message, slog.Uint64("session", e.session), slog.String("player", e.player),
			slog.Int("x", e.x), slog.Int("y", e.y), slog.String("op", e.op))
		return true
	}
}

func openPhuslu(m medium) (sink, error) {
	f, w, err := m.create()
	if err != nil {
		return sink{}, err
	}
	return sink{log: phusluTo(&phuslu.IOWriter{Writer: w}), flush: done, close: f.Close}, nil
}

// openPhusluAsync writes through the library's own file, with writev, where the
// disk does not stall.
func openPhusluAsync(m medium) (sink, error) {
	async := &phuslu.AsyncWriter{
		ChannelSize: asyncRecords,
		Writer:      &phuslu.FileWriter{Filename: filepath.Join(m.dir, peerFile), FileMode: 0o640},
	}
	shut := done
	if m.stall != nil {
		f, w, err := m.create()
		if err != nil {
			return sink{}, err
		}
		async.Writer, shut = &phuslu.IOWriter{Writer: w}, f.Close
	}
	return sink{log: phusluTo(async), flush: async.Close, close: shut}, nil
}

func phusluTo(w phuslu.Writer) func(*event) bool {
	l := &phuslu.Logger{Level: phuslu.InfoLevel, Writer: w}
	return func(e *event) bool {
		level := phuslu.InfoLevel
		if e.warn {
			level = phuslu.WarnLevel
		}
		l.WithLevel(level).Uint64("session", e.session).Str("player", e.player).
			Int("x", e.x).Int("y", e.y).Str("op", e.op).Msg(message)
		return true
	}
}
