package observe

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strconv"

	"vitrine/crash"
	"vitrine/logx"
	"vitrine/logx/record"
)

// noteHandler keeps each line for the bundle of a crash, as text and with the secrets masked that the log masks. The black box
// has room for the last few and cuts long ones. Whoever uses it sets the least level.
type noteHandler struct {
	slog.Handler
	session bool // an attribute of the logger names the session
}

// newNotes returns the handler that gives lines to the black box of a process; mask as in logx.HandlerConfig.
func newNotes(process *crash.Process, mask []string) slog.Handler {
	redactor := logx.NewRedactor(mask)
	return &noteHandler{Handler: slog.NewTextHandler(noteWriter{process}, &slog.HandlerOptions{
		Level: slog.LevelDebug,
		ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
			if level, ok := a.Value.Any().(slog.Level); ok && len(groups) == 0 && a.Key == slog.LevelKey {
				return slog.String(a.Key, record.LevelOf(level).String())
			}
			return redactor.Attr(a, slices.ContainsFunc(groups, redactor.Secret))
		},
	})}
}

// Handle writes the line with the session of its context.
func (h *noteHandler) Handle(ctx context.Context, r slog.Record) error {
	o := logx.OriginOf(ctx)
	if o.Session != 0 && !h.session && !names(r) {
		r.AddAttrs(slog.String(logx.SessionKey, strconv.FormatUint(o.Session, 10)))
	}
	return h.Handler.Handle(ctx, r)
}

// names tells whether a line names its session itself.
func names(r slog.Record) (session bool) {
	r.Attrs(func(a slog.Attr) bool {
		session = a.Key == logx.SessionKey
		return !session
	})
	return session
}

// WithAttrs returns a handler whose lines have these attributes too.
func (h *noteHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	session := slices.ContainsFunc(attrs, func(a slog.Attr) bool { return a.Key == logx.SessionKey })
	return &noteHandler{h.Handler.WithAttrs(attrs), h.session || session}
}

// WithGroup returns a handler whose later attributes are in a group.
func (h *noteHandler) WithGroup(name string) slog.Handler {
	return &noteHandler{h.Handler.WithGroup(name), h.session}
}

// noteWriter keeps each line that is written to it.
type noteWriter struct{ process *crash.Process }

func (w noteWriter) Write(line []byte) (int, error) {
	w.process.Note(string(bytes.TrimSuffix(line, []byte("\n"))))
	return len(line), nil
}
