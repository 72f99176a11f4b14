package observe

import (
	"context"
	"encoding/binary"

	"vitrine/core/engine"
	"vitrine/core/flight"
	"vitrine/core/packet"
	"vitrine/logx"
)

// traceOf derives the trace and span id of what a packet record tells of. Nothing is stored: whoever knows the boot id and
// the record, in a log, a span or a crash bundle, comes to the same ids, which no other process and record has. Big-endian:
//
//	trace  0 boot id 8 | 8 worker 2, number 6
//	span                 0 worker 2, number 6
//
// Both are zero for a Ref that names no record.
func traceOf(boot uint64, ref flight.Ref) (trace [16]byte, span [8]byte) {
	if ref.Seq() == 0 {
		return trace, span
	}
	binary.BigEndian.PutUint64(trace[:], boot)
	binary.BigEndian.PutUint64(trace[8:], uint64(ref))
	binary.BigEndian.PutUint64(span[:], uint64(ref))
	return trace, span
}

// Context returns a context whose log lines carry the session, and the trace of the packet that its handler reads from in,
// so that they are found by both; in is nil where there is no packet. It is called inside the session's callbacks; the
// context may be kept and handed to any goroutine. It allocates, so it is for what is logged, not for each packet.
//
//	slog.InfoContext(st.Context(ctx, s, in), "room opened", "type", "game", "room", 7)
func (st *Stack) Context(ctx context.Context, s *engine.Session, in *packet.Reader) context.Context {
	ctx = logx.WithSession(ctx, uint64(s.ID()))
	if in == nil || in.Trace().Seq() == 0 {
		return ctx
	}
	trace, span := traceOf(st.boot, in.Trace())
	return logx.WithTrace(ctx, trace, span)
}
