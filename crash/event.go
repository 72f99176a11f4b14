package crash

import (
	"context"
	"log/slog"
)

// Event is something that the log should say.
type Event struct {
	Level   slog.Level
	Message string // constant
	Attrs   []any  // as slog takes them
}

// logEvent is the Notify of who gives none.
func logEvent(e Event) { slog.Log(context.Background(), e.Level, e.Message, e.Attrs...) }

func (p *Process) tell(level slog.Level, message string, attrs ...any) {
	p.cfg.Notify(Event{Level: level, Message: message, Attrs: attrs})
}
