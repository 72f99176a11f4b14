package logx

import "context"

// Origin says whom a record is about and where it comes from. Zeros mean unknown.
type Origin struct {
	Session uint64   // 0 = none
	Trace   [16]byte // OpenTelemetry's trace id
	Span    [8]byte  // the span within Trace; nothing without it
}

// originKey finds the Origin in a context.
type originKey struct{}

// WithSession returns a context whose records belong to a session, unless an attribute or HandlerConfig.Origin names
// another. It keeps the trace of ctx.
func WithSession(ctx context.Context, session uint64) context.Context {
	o := OriginOf(ctx)
	o.Session = session
	return context.WithValue(ctx, originKey{}, &o)
}

// WithTrace returns a context whose records carry a trace and a span id, unless HandlerConfig.Origin names others. It
// keeps the session of ctx.
func WithTrace(ctx context.Context, trace [16]byte, span [8]byte) context.Context {
	o := OriginOf(ctx)
	o.Trace, o.Span = trace, span
	return context.WithValue(ctx, originKey{}, &o)
}

// OriginOf returns what WithSession and WithTrace put into ctx, for any goroutine. A nil ctx holds nothing.
func OriginOf(ctx context.Context) Origin {
	if ctx == nil {
		return Origin{}
	}
	o, ok := ctx.Value(originKey{}).(*Origin)
	if !ok {
		return Origin{}
	}
	return *o
}

// over returns o with what it does not know taken from below. Trace and span go together.
func (o Origin) over(below Origin) Origin {
	if o.Session == 0 {
		o.Session = below.Session
	}
	if o.Trace == ([16]byte{}) {
		o.Trace, o.Span = below.Trace, below.Span
	}
	return o
}
