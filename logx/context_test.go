package logx

import (
	"context"
	"log/slog"
	"testing"
)

func TestContextKeepsWhatItHas(t *testing.T) {
	trace, span := [16]byte{1}, [8]byte{2}
	ctx := WithTrace(WithSession(context.Background(), 7), trace, span)
	if got, want := OriginOf(ctx), (Origin{7, trace, span}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	inner := WithSession(ctx, 8)
	if got, want := OriginOf(inner), (Origin{8, trace, span}); got != want {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := OriginOf(ctx).Session; got != 7 {
		t.Errorf("the outer context now has session %d", got)
	}
	var none context.Context // a handler may be given none
	if got := OriginOf(none); got != (Origin{}) {
		t.Errorf("got %v from no context", got)
	}
}

func TestAttributeGoesBeforeOriginBeforeContext(t *testing.T) {
	one, two := Origin{1, [16]byte{1}, [8]byte{1}}, Origin{2, [16]byte{2}, [8]byte{2}}
	tests := []struct {
		name    string
		context Origin
		origin  *Origin
		args    []any
		want    Origin
	}{
		{"nothing", Origin{}, nil, nil, Origin{}},
		{"context", one, nil, nil, one},
		{"origin", Origin{}, &two, nil, two},
		{"both", one, &two, nil, two},
		{"origin that knows nothing", one, &Origin{}, nil, one},
		{"origin that knows a session", one, &Origin{Session: 3}, nil, Origin{3, one.Trace, one.Span}},
		{"origin that knows a trace, and no span", one, &Origin{Trace: two.Trace}, nil, Origin{1, two.Trace, [8]byte{}}},
		{"attribute", one, &two, []any{"session", 9}, Origin{9, two.Trace, two.Span}},
		{"attribute that says none", one, &two, []any{"session", 0}, Origin{0, two.Trace, two.Span}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ctx := WithTrace(WithSession(context.Background(), test.context.Session), test.context.Trace, test.context.Span)
			c := HandlerConfig{}
			if test.origin != nil {
				c.Origin = func(got context.Context) Origin {
					if got != ctx {
						t.Error("Origin has another context than the record")
					}
					return *test.origin
				}
			}
			m := newMemory(t)
			slog.New(newHandler(m, c)).InfoContext(ctx, "m", test.args...)
			r := m.one(t)
			if got := (Origin{r.Session, r.Trace, r.Span}); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// A record without an id has that of the one before it neither.
func TestOriginIsOfOneRecord(t *testing.T) {
	m := newMemory(t)
	l := slog.New(newHandler(m, HandlerConfig{}))
	l.InfoContext(WithTrace(context.Background(), [16]byte{1}, [8]byte{2}), "m", "session", 3, "type", "auth")
	l.Info("m")
	r := m.take()[1]
	if got := (Origin{r.Session, r.Trace, r.Span}); got != (Origin{}) || r.Type != 0 {
		t.Errorf("got %v, type %d", got, r.Type)
	}
}
