package logx

import (
	"log/slog"
	"strings"

	"vitrine/logx/record"
)

// Redactor makes attributes fit for another place than the log by the rules of the log's own handlers, so that no place is
// told more than another. Any goroutine.
type Redactor struct {
	front *front // fixed; converts and writes nothing
}

// NewRedactor returns one for the patterns of HandlerConfig.Mask: nil = DefaultMask, an empty list = no key.
func NewRedactor(patterns []string) *Redactor {
	f := &front{mask: newMask(patterns)}
	f.scratches.New = func() any { return &scratch{front: f} }
	return &Redactor{f}
}

// Secret reports whether what stands under the key is a secret: a value, or a group whole.
func (r *Redactor) Secret(key string) bool { return r.front.mask.match(key) }

// Attr returns the attribute with its secrets masked, those in groups and JSON too, and a value of kind Any as what the log
// would write of it. secret says that it stands in a group that is masked whole.
func (r *Redactor) Attr(a slog.Attr, secret bool) slog.Attr { return r.attr(a, secret, 0) }

func (r *Redactor) attr(a slog.Attr, secret bool, depth int) slog.Attr {
	if secret || r.Secret(a.Key) {
		return slog.String(a.Key, maskText)
	}
	v := a.Value.Resolve()
	switch v.Kind() {
	case slog.KindGroup:
		return slog.Attr{Key: a.Key, Value: r.group(v.Group(), depth+1)}
	case slog.KindAny:
		return slog.Attr{Key: a.Key, Value: r.any(v.Any())}
	}
	return slog.Attr{Key: a.Key, Value: v}
}

func (r *Redactor) group(attrs []slog.Attr, depth int) slog.Value {
	if depth > maxDepth {
		return slog.StringValue("!ERROR: groups nested too deep")
	}
	members := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		members[i] = r.attr(a, false, depth)
	}
	return slog.GroupValue(members...)
}

// any converts as a handler does. Texts are copied, since the field's may lie in the scratch.
func (r *Redactor) any(x any) slog.Value {
	s := r.front.scratches.Get().(*scratch)
	defer s.release()
	switch f := s.anyField("", x); f.Kind() {
	case record.KindInt:
		return slog.Int64Value(f.Int())
	case record.KindUint:
		return slog.Uint64Value(f.Uint())
	case record.KindFloat:
		return slog.Float64Value(f.Float())
	case record.KindBool:
		return slog.BoolValue(f.Bool())
	case record.KindDuration:
		return slog.DurationValue(f.Duration())
	case record.KindTime:
		return slog.TimeValue(f.Time())
	default:
		return slog.StringValue(strings.Clone(f.Text()))
	}
}
