package observe

import (
	"log/slog"

	"vitrine/logx"
)

// The types of log lines that this package writes.
const (
	typeSystem   = "system"
	typeNetwork  = "network"
	typeSession  = "session"
	typeSecurity = "security"
	typeCrash    = "crash"
)

// Logger returns the process's logger, which is slog's default too while [Run] runs. Lines carry their type and session as
// the attributes "type" and "session", or get session and trace from [Stack.Context].
func (st *Stack) Logger() *slog.Logger { return st.log }

// Journal returns the system log itself, for those who change its levels or write to it without slog; nil when there are
// no files. Run closes it.
func (st *Stack) Journal() *logx.Log { return st.journal.file }

// system logs a line of type system.
func (st *Stack) system(level slog.Level, message string, attrs ...slog.Attr) {
	system(st.log, level, message, attrs...)
}

// failure is the attribute of an error.
func failure(err error) slog.Attr { return slog.String("error", err.Error()) }
