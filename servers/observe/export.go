package observe

import (
	"context"
	"log/slog"
	"strconv"

	"vitrine/logx"

	"go.opentelemetry.io/otel/trace"
)

// exportHandler turns a line into what the collector is to have: secrets masked, session and trace of the context added,
// and a severity that is not FATAL for lines of level SYSTEM.
type exportHandler struct {
	exporter *exporter
	next     slog.Handler
	secret   bool // a group around has a secret's name
	session  bool // an attribute of the logger names the session
}

// Enabled reports whether the collector wants lines of a level. Config.LogOTLP's least level is set where the handler is used.
func (h *exportHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.next.Enabled(ctx, level)
}

// Handle never blocks for the collector: a line that the queue has no room for is dropped and counted.
func (h *exportHandler) Handle(ctx context.Context, r slog.Record) error {
	if !h.exporter.admit() {
		return nil
	}
	line := slog.NewRecord(r.Time, r.Level, r.Message, r.PC)
	if r.Level >= logx.LevelSystem {
		line.Level = systemSeverity
		line.AddAttrs(slog.String("level", "SYSTEM"))
	}
	session := h.session
	r.Attrs(func(a slog.Attr) bool {
		session = session || a.Key == logx.SessionKey
		line.AddAttrs(h.exporter.redactor.Attr(a, h.secret))
		return true
	})
	o := logx.OriginOf(ctx)
	if o.Session != 0 && !session {
		line.AddAttrs(slog.String(logx.SessionKey, strconv.FormatUint(o.Session, 10)))
	}
	return h.next.Handle(withTrace(ctx, o), line)
}

// systemSeverity is INFO4 in OpenTelemetry: above INFO, and no cause for alarm.
const systemSeverity = slog.LevelInfo + 3

// withTrace puts the trace where OpenTelemetry looks for it. The packet's record was kept, as all are: it counts as sampled.
func withTrace(ctx context.Context, o logx.Origin) context.Context {
	if o.Trace == ([16]byte{}) {
		return ctx
	}
	return trace.ContextWithSpanContext(ctx, trace.NewSpanContext(trace.SpanContextConfig{
		TraceID: o.Trace, SpanID: o.Span, TraceFlags: trace.FlagsSampled,
	}))
}

// WithAttrs returns a handler whose lines have these attributes too.
func (h *exportHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	derived := *h
	masked := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		derived.session = derived.session || a.Key == logx.SessionKey
		masked[i] = h.exporter.redactor.Attr(a, h.secret)
	}
	derived.next = h.next.WithAttrs(masked)
	return &derived
}

// WithGroup returns a handler whose later attributes are in a group.
func (h *exportHandler) WithGroup(name string) slog.Handler {
	derived := *h
	derived.secret = h.secret || h.exporter.redactor.Secret(name)
	derived.next = h.next.WithGroup(name)
	return &derived
}
