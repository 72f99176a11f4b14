package observe

import (
	"context"
	"log/slog"
	"os"
)

// newLogger is the one place that makes the process's logger.
func newLogger(cfg Config) *slog.Logger {
	handler := cfg.Log
	if handler == nil {
		handler = slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: cfg.LogLevel})
	}
	return slog.New(handler)
}

// The types of log lines that this package writes.
const (
	typeSystem   = "system"
	typeNetwork  = "network"
	typeSession  = "session"
	typeSecurity = "security"
	typeCrash    = "crash"
)

// system logs a line of type system.
func (st *Stack) system(level slog.Level, message string, attrs ...slog.Attr) {
	st.log.LogAttrs(context.Background(), level, message, append(attrs, slog.String("type", typeSystem))...)
}

// failure is the attribute of an error.
func failure(err error) slog.Attr { return slog.String("error", err.Error()) }
