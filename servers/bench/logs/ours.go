//go:build linux

package logs

import (
	"context"

	"vitrine/logx"
	"vitrine/logx/record"
)

// everyLevel is the set of all levels: calls wait for room instead of dropping, so
// that a saturated log has done the work of every call.
const everyLevel = record.Levels(1<<record.Debug | 1<<record.Info | 1<<record.Warn | 1<<record.Error | 1<<record.System)

func openBinary(m medium) (sink, error) { return openOurs(m, logx.Binary) }
func openText(m medium) (sink, error)   { return openOurs(m, logx.Text) }

// openSlog is the same log behind log/slog.
func openSlog(m medium) (sink, error) {
	s, l, err := openLog(m, logx.Binary)
	if err != nil {
		return sink{}, err
	}
	s.log = slogTo(l.NewHandler(logx.HandlerConfig{}))
	return s, nil
}

func openOurs(m medium, f logx.Format) (sink, error) {
	s, l, err := openLog(m, f)
	if err != nil {
		return sink{}, err
	}
	s.log = func(e *event) bool {
		entry := logx.Entry{Level: record.Info, Type: record.TypeGame, Session: e.session, Message: message}
		if e.warn {
			entry.Level = record.Warn
		}
		_, ok := l.Write(&entry, record.String("player", e.player), record.Int("x", int64(e.x)),
			record.Int("y", int64(e.y)), record.String("op", e.op))
		return ok
	}
	return s, nil
}

// openLog opens our log; what logs is left to the caller.
func openLog(m medium, f logx.Format) (sink, *logx.Log, error) {
	c := m.ours
	c.Dir, c.Format = m.dir, f
	if m.stall != nil {
		c.FS = m.stall.fs()
	}
	l, err := logx.Open(c)
	if err != nil {
		return sink{}, nil, err
	}
	return sink{flush: func() error { return l.Flush(context.Background()) }, close: l.Close, stats: l.Stats}, l, nil
}
