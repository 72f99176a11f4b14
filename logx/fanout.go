package logx

import (
	"context"
	"errors"
	"log/slog"
	"slices"
)

// Branch is one of the handlers that a fanout serves.
type Branch struct {
	Handler slog.Handler
	Level   slog.Leveler // the least level it is given, read for each record; nil = what the handler itself wants
}

// fanout gives each record to several handlers.
type fanout struct {
	branches []Branch // fixed
}

// NewFanout returns a handler that gives each record to every branch whose level and whose own Enabled want it, one
// after the other on the caller's goroutine: it takes as long as all of them do. An error of one does not keep the
// record from the others; Handle returns all errors joined. Without branches it wants nothing.
//
//	slog.SetDefault(slog.New(logx.NewFanout(
//		logx.Branch{Handler: system.NewHandler(logx.HandlerConfig{})},
//		logx.Branch{Handler: logx.NewConsole(os.Stderr, logx.ConsoleConfig{}), Level: slog.LevelWarn},
//	)))
func NewFanout(branches ...Branch) slog.Handler {
	return &fanout{branches: slices.Clone(branches)}
}

// wants tells whether a record of that level goes to the branch.
func (b *Branch) wants(ctx context.Context, level slog.Level) bool {
	return (b.Level == nil || level >= b.Level.Level()) && b.Handler.Enabled(ctx, level)
}

// Enabled reports whether any branch wants records of that level.
func (f *fanout) Enabled(ctx context.Context, level slog.Level) bool {
	for i := range f.branches {
		if f.branches[i].wants(ctx, level) {
			return true
		}
	}
	return false
}

// Handle gives each branch a record of its own, since a handler may add to the one it is given.
func (f *fanout) Handle(ctx context.Context, r slog.Record) error {
	var failed []error
	for i := range f.branches {
		b := &f.branches[i]
		if !b.wants(ctx, r.Level) {
			continue
		}
		if err := b.Handler.Handle(ctx, r.Clone()); err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

func (f *fanout) endRepeat() {
	for i := range f.branches {
		EndRepeat(f.branches[i].Handler)
	}
}

// WithAttrs gives each branch a slice of its own: a handler owns the one it gets.
func (f *fanout) WithAttrs(attrs []slog.Attr) slog.Handler {
	return f.derive(func(h slog.Handler) slog.Handler { return h.WithAttrs(slices.Clone(attrs)) })
}

func (f *fanout) WithGroup(name string) slog.Handler {
	return f.derive(func(h slog.Handler) slog.Handler { return h.WithGroup(name) })
}

func (f *fanout) derive(with func(slog.Handler) slog.Handler) slog.Handler {
	branches := slices.Clone(f.branches)
	for i := range branches {
		branches[i].Handler = with(branches[i].Handler)
	}
	return &fanout{branches: branches}
}
