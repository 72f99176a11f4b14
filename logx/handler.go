package logx

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"vitrine/logx/record"
)

// LevelSystem is the level of record.System in slog's scale: start, stop and what else must be known of every run. The
// repeat limit never holds it back.
const LevelSystem = slog.Level(12)

// Attribute keys that a handler takes out of the fields when they stand outside of every group.
const (
	TypeKey    = "type"    // the name of one of the log's types: the record's type
	SessionKey = "session" // an unsigned integer, or one in decimal: the record's session
)

// Keys that a handler adds.
const (
	heldBackKey = "held_back"       // how many records of this type and message the repeat limit held back
	leftOutKey  = "fields_left_out" // how many attributes were beyond maxFields
)

// HandlerConfig says what a handler does with the records it is given. The zero value is ready to use.
type HandlerConfig struct {
	// Source adds the field source=folder/file.go:line of the call. It costs two allocations a record and about as
	// much time as all else that the handler does.
	Source bool

	// Mask lists the keys whose values are secrets: "***" stands for them before they leave the caller's goroutine, in
	// groups and in JSON too. A pattern is compared with the last part of a key ("c" of "a.b.c"), in any case, without
	// - and _; "*" at its begin or end stands for anything. A group with such a key is masked whole. nil = DefaultMask, an
	// empty list = no key.
	Mask []string

	Repeat Repeat // limits records that say the same; off by default

	// Origin gives what is known elsewhere, such as in the packet record of a worker or in a span of OpenTelemetry. It is
	// called for each record that is written, on the caller's goroutine, and must not block. An attribute goes before it,
	// and it goes before what WithSession and WithTrace put into the context.
	Origin func(context.Context) Origin
}

// sink is what a handler writes to: a Log or a console.
type sink interface {
	Enabled(record.Level, record.Type) bool
	EnabledAny(record.Level) bool
	Types() *record.Types

	// put writes one record; it keeps neither e nor fields. at is the caller's time, zero when it has none.
	put(at time.Time, e *Entry, fields []record.Field) error
}

// errDropped says that a record was not taken; the log has counted it.
var errDropped = errors.New("log record dropped")

// put leaves the time to Write, which stamps the records in the order of their indexes.
func (l *Log) put(_ time.Time, e *Entry, fields []record.Field) error {
	if _, ok := l.Write(e, fields...); !ok {
		return errDropped
	}
	return nil
}

// NewHandler returns a slog.Handler that writes to the log. It and what is derived from it are for any goroutine. The
// handlers that share a repeat limit are those derived from one NewHandler.
//
// A record gets its level by record.LevelOf, its time from the log's own clock, its type from the attribute "type", its
// session from the attribute "session" or its context. All other attributes become fields: those of groups with
// keys like "a.b.c", errors as error texts, values with a String or MarshalText method and []byte as text, other values as
// JSON. A value that panics becomes a text that says so. Groups deeper than 16 levels, and more than 1000 fields, are left
// out and say so.
//
// Enabled answers by the least level of any type, since it cannot know the record's; Handle asks again. Handle blocks as
// Log.Write does and returns an error when that drops the record. It does not allocate for attributes of plain kinds,
// grouped or not; values of kind Any cost what their methods or encoding/json do. Of slog itself, Logger.LogAttrs allocates
// nothing for up to five attributes and one slice for more; Logger.Info and its like also put each string, and
// each number above 255, that is not a constant on the heap.
func (l *Log) NewHandler(c HandlerConfig) slog.Handler { return newHandler(l, c) }

func newHandler(out sink, c HandlerConfig) *handler {
	f := &front{out: out, mask: newMask(c.Mask), origin: c.Origin, source: c.Source}
	f.limit = newLimiter(c.Repeat, f.putHeld)
	f.scratches.New = func() any { return &scratch{front: f} }
	return &handler{front: f}
}

// front is what the handlers derived from one share.
type front struct {
	out       sink                         // fixed
	mask      *mask                        // fixed; nil = no secrets
	limit     *limiter                     // fixed; nil = no limit
	origin    func(context.Context) Origin // fixed; nil = unknown
	source    bool                         // fixed
	scratches sync.Pool                    // of *scratch
}

// handler is one logger's way to a front.
type handler struct {
	front  *front // fixed
	preset preset // fixed
}

// preset is what WithAttrs and WithGroup gathered, converted once.
type preset struct {
	prefix   string // of the keys to come: "a.b."
	secret   bool   // a group of the prefix is masked whole
	fields   []record.Field
	typ      record.Type
	session  uint64
	explicit bool // session comes from an attribute
	left     int  // attributes that were beyond maxFields
}

// Enabled reports whether records of that level may be written, by the least level in force.
func (h *handler) Enabled(_ context.Context, level slog.Level) bool {
	return h.front.out.EnabledAny(record.LevelOf(level))
}

// Handle writes one record. Its attributes are converted only when it is likely to be written.
func (h *handler) Handle(ctx context.Context, r slog.Record) error {
	f, level, typ := h.front, record.LevelOf(r.Level), h.preset.typ
	if f.limit != nil || !f.out.Enabled(level, typ) {
		typ = h.typeOf(&r)
		if !f.out.Enabled(level, typ) || f.limit.hold(level, typ, r.Message) {
			return nil
		}
	}
	s := f.scratches.Get().(*scratch)
	defer s.release()
	s.begin(&h.preset)
	r.Attrs(func(a slog.Attr) bool { s.add(a, 0); return true })
	if s.entry.Type != typ && !f.out.Enabled(level, s.entry.Type) {
		return nil
	}
	if f.source && r.PC != 0 {
		s.addSource(r.PC)
	}
	s.end()
	s.entry.Level, s.entry.Message = level, r.Message
	f.trace(ctx, s)
	return f.out.put(r.Time, &s.entry, s.fields)
}

// typeOf returns the type of a record before its attributes are converted: that of the last attribute that names one, or
// the logger's. A type that is a LogValuer is not resolved for it, so a record may be held back under another.
func (h *handler) typeOf(r *slog.Record) record.Type {
	typ := h.preset.typ
	if h.preset.prefix == "" {
		r.Attrs(func(a slog.Attr) bool {
			typ = h.front.typeIn(a, typ)
			return true
		})
	}
	return typ
}

// typeIn returns the type that an attribute names, or typ. A group without a key stands for what it holds.
func (f *front) typeIn(a slog.Attr, typ record.Type) record.Type {
	switch {
	case a.Key == TypeKey:
		if t, ok := f.parseType(a.Value); ok {
			return t
		}
	case a.Key == "" && a.Value.Kind() == slog.KindGroup:
		for _, a := range a.Value.Group() {
			typ = f.typeIn(a, typ)
		}
	}
	return typ
}

// parseType reads the value of a type attribute.
func (f *front) parseType(v slog.Value) (record.Type, bool) {
	if v.Kind() != slog.KindString {
		return 0, false
	}
	return f.out.Types().Parse(v.String())
}

// trace completes the entry with what is known beside the attributes.
func (f *front) trace(ctx context.Context, s *scratch) {
	o := OriginOf(ctx)
	if f.origin != nil {
		o = f.origin(ctx).over(o)
	}
	s.entry.Trace, s.entry.Span = o.Trace, o.Span
	if !s.explicit {
		s.entry.Session = o.Session
	}
}

// putHeld writes what the repeat limit held back. It allocates, at most once per window and message.
func (f *front) putHeld(h held) {
	e := Entry{Level: h.level, Type: h.typ, Message: h.message}
	f.out.put(time.Now(), &e, []record.Field{record.Uint(heldBackKey, h.count)})
}

// EndRepeat ends the repeat limit of a handler that NewHandler or NewConsole made, of what is derived from it, and of the
// branches of a fanout: what is held back is written, and later records all pass. Call it before Log.Close, which would
// drop, and count, the records of windows that end after it. Other handlers it leaves alone. It blocks as Handle does; any
// goroutine may call it, again too.
func EndRepeat(h slog.Handler) {
	if l, ok := h.(interface{ endRepeat() }); ok {
		l.endRepeat()
	}
}

func (h *handler) endRepeat() { h.front.limit.close() }

// WithAttrs returns a handler whose records have these attributes too. They are resolved and converted now.
func (h *handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	if len(attrs) == 0 {
		return h
	}
	p := h.preset
	s := &scratch{front: h.front} // its text lives as long as the handler
	s.begin(&p)
	for _, a := range attrs {
		s.add(a, 0)
	}
	p.fields, p.typ, p.session, p.explicit, p.left = s.fields, s.entry.Type, s.entry.Session, s.explicit, s.left
	return &handler{front: h.front, preset: p}
}

// WithGroup returns a handler whose records have the keys of later attributes begin with name and a dot.
func (h *handler) WithGroup(name string) slog.Handler {
	if name == "" {
		return h
	}
	p := h.preset
	p.prefix += name + "."
	p.secret = p.secret || h.front.mask.match(name)
	return &handler{front: h.front, preset: p}
}
