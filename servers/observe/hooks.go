package observe

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime/debug"
	"strings"

	"vitrine/core/engine"
	"vitrine/crash"
	"vitrine/logx"
)

// hooks are what the engine calls at one server's seams, on the goroutines of its workers.
type hooks struct {
	server       string // fixed, like all of it
	boot         uint64
	opened       line // a session joined
	left         line // a session ended in good order
	ended        line // the server ended a session, or the peer was cut off
	broken       line // a session ended for what its peer or handler did wrong
	badFrame     line // what a peer sent cannot be read
	dropped      line // a droppable packet was dropped
	queueFull    line // a session is closed for its full send queue
	refused      line // a connection is turned away for want of room
	forbidden    line // a connection is turned away for who it is
	acceptPaused line // accepting waits for a resource
	panicked     line // a callback panicked
}

// Observer returns the hooks of one server, for engine.Config.Observer: they log. What one peer can cause without end,
// dropped packets, refused connections and panics, is logged at most ten times a second and server, and what was held back
// is counted. Lines are written on the workers' goroutines, so Config.Log must not block for long. Panics are reported to the
// crash capture, which watches the workers' turns too. The name is for log and bundles alone.
func (st *Stack) Observer(server string) engine.Observer {
	h := hooksOf(st, server)
	o := engine.Observer{
		SessionOpened: h.sessionOpened, SessionClosed: h.sessionClosed, ConnectionRefused: h.connectionRefused,
		BadFrame: h.frameRefused, QueueFull: h.sendQueueFull, AcceptPaused: h.acceptingPaused, Panicked: h.callbackPanicked,
	}
	st.capture.observe(h.server, &o)
	return o
}

func hooksOf(st *Stack, server string) *hooks {
	server = strings.ToValidUTF8(server, "?")
	at := func(level slog.Level, typ, message string) line {
		return line{log: st.log, level: level, typ: typ, message: message}
	}
	limited := func(level slog.Level, typ, message string) line {
		l := at(level, typ, message)
		l.limiter = st.limiterOf(server, typ, message, level)
		return l
	}
	return &hooks{
		server:       server,
		boot:         st.boot,
		opened:       at(slog.LevelDebug, typeSession, "session joined"),
		left:         at(slog.LevelDebug, typeSession, "session left"),
		ended:        at(slog.LevelInfo, typeSession, "session ended"),
		broken:       at(slog.LevelWarn, typeSession, "session broken"),
		badFrame:     at(slog.LevelWarn, typeNetwork, "bad frame"),
		dropped:      limited(slog.LevelWarn, typeNetwork, "packet dropped"),
		queueFull:    at(slog.LevelWarn, typeNetwork, "send queue full"),
		refused:      limited(slog.LevelWarn, typeNetwork, "connection refused"),
		forbidden:    limited(slog.LevelWarn, typeSecurity, "connection refused"),
		acceptPaused: at(slog.LevelError, typeNetwork, "accept paused"),
		panicked:     limited(slog.LevelError, typeCrash, "panic in a callback"),
	}
}

func (h *hooks) sessionOpened(s *engine.Session) {
	if h.opened.wanted() {
		h.opened.write(h.session(s)...)
	}
}

func (h *hooks) sessionClosed(s *engine.Session, reason engine.Reason) {
	line := h.closeLine(reason)
	if !line.wanted() {
		return
	}
	line.write(append(h.session(s),
		slog.String("reason", reason.String()),
		slog.Uint64("packets_in", s.Received()),
		slog.Uint64("packets_out", s.Sent()),
		slog.Int64("age_ms", s.Age()/1e6))...)
}

// closeLine returns where the end of a session is logged: in good order, by a rule of the server, or for something wrong.
func (h *hooks) closeLine(reason engine.Reason) *line {
	switch reason {
	case engine.IdleTimeout, engine.AuthTimeout, engine.GameTimeout, engine.HandshakeTimeout,
		engine.DuplicateLogin, engine.Kicked, engine.Truncated, engine.ReadError, engine.WriteError:
		return &h.ended
	}
	if reason.Abnormal() {
		return &h.broken
	}
	return &h.left
}

func (h *hooks) connectionRefused(remote netip.AddrPort, refusal engine.Refusal) {
	line := &h.refused
	if refusal == engine.RefusedAddress || refusal == engine.RefusedRate {
		line = &h.forbidden
	}
	if line.wanted() {
		line.write(h.name(), slog.String("remote", remote.String()), slog.String("refusal", refusal.String()))
	}
}

func (h *hooks) frameRefused(s *engine.Session, reason engine.Reason, err error) {
	if h.badFrame.wanted() {
		h.badFrame.write(append(h.session(s), slog.String("reason", reason.String()), failure(err))...)
	}
}

func (h *hooks) sendQueueFull(s *engine.Session, dropped bool) {
	line := &h.queueFull
	if dropped {
		line = &h.dropped
	}
	if line.wanted() {
		bytes, packets := s.Waiting()
		line.writeIn(h.during(s), append(h.session(s), limitOf(s), slog.Int("waiting_bytes", bytes), slog.Int("waiting_packets", packets))...)
	}
}

func (h *hooks) acceptingPaused(err error) {
	if h.acceptPaused.wanted() {
		h.acceptPaused.write(h.name(), failure(err))
	}
}

// callbackPanicked runs while the panicking stack stands, so the stack it reports and logs is the one that panicked.
func (h *hooks) callbackPanicked(p engine.Panic) {
	h.report(p)
	if !h.panicked.wanted() {
		return
	}
	ctx, attrs := context.Background(), []slog.Attr{h.name(), slog.Int("worker", p.Worker)}
	if p.Session != nil {
		ctx, attrs = h.during(p.Session), h.session(p.Session)
	}
	h.panicked.writeIn(ctx, append(attrs,
		slog.String("callback", p.Callback),
		slog.Int("packet_type", int(p.Packet)),
		slog.String("error", fmt.Sprint(p.Value)),
		slog.String("stack", string(debug.Stack())))...)
}

// report reports a panic. It is called in the deferred function, while the stack that panicked stands.
func (h *hooks) report(p engine.Panic) {
	where := crash.Where{Server: h.server, Worker: p.Worker, Callback: p.Callback, Packet: p.Packet}
	if p.Session != nil {
		where.Session = p.Session.ID().String()
	}
	if p.Trace.Seq() != 0 {
		trace, span := traceOf(h.boot, p.Trace)
		where.Trace, where.Span = fmt.Sprintf("%x", trace), fmt.Sprintf("%x", span)
	}
	crash.Panicked(p.Value, where)
}

func (h *hooks) name() slog.Attr { return slog.String("server", h.server) }

// during returns a context with the trace of the packet in whose handling something happened to the session.
func (h *hooks) during(s *engine.Session) context.Context {
	trace, span := traceOf(h.boot, s.Trace())
	return logx.WithTrace(context.Background(), trace, span)
}

// session returns what every line about a session says.
func (h *hooks) session(s *engine.Session) []slog.Attr {
	return append(make([]slog.Attr, 0, 10), h.name(), slog.String(logx.SessionKey, s.ID().String()),
		slog.Int("worker", s.Worker()), slog.String("remote", s.RemoteAddr().String()))
}

// line is one kind of log line: its level, type and message, and how many there may be.
type line struct {
	log          *slog.Logger
	level        slog.Level
	typ, message string
	limiter      *limiter // nil = as many as there are
}

// wanted reports whether the log shows the line and there is room for one more this second. It comes before the attributes
// are made.
func (l *line) wanted() bool {
	return l.log.Enabled(context.Background(), l.level) && (l.limiter == nil || l.limiter.allow())
}

func (l *line) write(attrs ...slog.Attr) { l.writeIn(context.Background(), attrs...) }

func (l *line) writeIn(ctx context.Context, attrs ...slog.Attr) {
	attrs = append(attrs, slog.String(logx.TypeKey, l.typ))
	l.log.LogAttrs(ctx, l.level, l.message, attrs...)
}
