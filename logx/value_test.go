package logx

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"vitrine/logx/record"
)

type point struct{ X, Y int }

type marshaler struct{}

func (marshaler) MarshalText() ([]byte, error) { return []byte("as text"), nil }

type badMarshaler struct{}

func (badMarshaler) MarshalText() ([]byte, error) { return nil, errors.New("no text") }

type panicker struct{ point }

func (*panicker) String() string         { panic("no string") }
func (p *panicker) Error() string        { return p.LogValue().String() }
func (p *panicker) LogValue() slog.Value { panic("no value") }

type nilPointer struct{ name string }

func (n *nilPointer) String() string { return n.name }

type stringPanics struct{}

func (stringPanics) String() string { panic("no string") }

type jsonPanics struct{}

func (jsonPanics) MarshalJSON() ([]byte, error) { panic("no JSON") }

// endless resolves to itself.
type endless struct{}

func (e endless) LogValue() slog.Value { return slog.AnyValue(e) }

// nest resolves to a group of two of itself.
type nest struct{}

func (n nest) LogValue() slog.Value { return slog.GroupValue(slog.Any("a", n), slog.Any("b", n)) }

type hp int
type ready bool
type nick string

func TestValuesOfAnyKind(t *testing.T) {
	loop := map[string]any{}
	loop["loop"] = loop
	at := time.Unix(1, 0)
	tests := []struct {
		name  string
		value any
		kind  record.Kind
		want  string
	}{
		{"error", errors.New("end of file"), record.KindError, "end of file"},
		{"stringer", netip.MustParseAddr("10.0.0.1"), record.KindString, "10.0.0.1"},
		{"text marshaler", marshaler{}, record.KindString, "as text"},
		{"text marshaler that cannot", badMarshaler{}, record.KindString, "!ERROR: no text"},
		{"bytes", []byte("plain"), record.KindString, "plain"},
		{"bytes that are no text", []byte{0xff, 0x01}, record.KindString, "ff01"},
		{"struct", point{1, 2}, record.KindJSON, `{"X":1,"Y":2}`},
		{"pointer", &point{1, 2}, record.KindJSON, `{"X":1,"Y":2}`},
		{"map", map[string]int{"a": 1}, record.KindJSON, `{"a":1}`},
		{"slice", []string{"<a>", "b"}, record.KindJSON, `["<a>","b"]`},
		{"raw JSON", json.RawMessage(`{ "a": 1 }`), record.KindJSON, `{"a":1}`},
		{"nil", nil, record.KindJSON, `null`},
		{"nil pointer", (*point)(nil), record.KindJSON, `null`},
		{"nil pointer with a method", (*nilPointer)(nil), record.KindString, "<nil>"},
		{"nil time", (*time.Time)(nil), record.KindString, "<nil>"},
		{"time", &at, record.KindTime, ""},
		{"named int", hp(-3), record.KindInt, ""},
		{"named bool", ready(true), record.KindBool, ""},
		{"named string", nick("bob"), record.KindString, "bob"},
		{"complex", complex(1, 2), record.KindString, "(1+2i)"},
		{"channel", make(chan int), record.KindString, "!ERROR: json: unsupported type: chan int"},
		{"map in itself", loop, record.KindString, "!ERROR: json: unsupported value: encountered a cycle via map[string]interface {}"},
		{"panicking stringer", stringPanics{}, record.KindString, "!PANIC: no string"},
		{"panicking JSON", jsonPanics{}, record.KindString, "!PANIC: no JSON"},
		{"url", mustURL(t, "mysql://root:hunter2@db/x"), record.KindString, "mysql://root:xxxxx@db/x"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := newMemory(t)
			slog.New(newHandler(m, HandlerConfig{})).Info("m", "k", test.value)
			f := m.one(t).Fields[0]
			if f.Key != "k" || f.Kind() != test.kind || f.Text() != test.want {
				t.Errorf("got %s %q=%q, want %s %q", f.Kind(), f.Key, f.Text(), test.kind, test.want)
			}
		})
	}
}

func mustURL(t *testing.T, text string) *url.URL {
	t.Helper()
	u, err := url.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestLogValuersThatMisbehave(t *testing.T) {
	for name, value := range map[string]any{"LogValue panicked": &panicker{}, "LogValue called too many times": endless{}} {
		if got := logged(t, HandlerConfig{}, slog.Any("k", value)); !strings.Contains(got, name) {
			t.Errorf("got %s, want it to say %s", got, name)
		}
	}
}

func TestGroupsWithoutEndAreCut(t *testing.T) {
	m := newMemory(t)
	slog.New(newHandler(m, HandlerConfig{})).Info("m", "k", nest{})
	fields := m.one(t).Fields
	if len(fields) != maxFields+1 {
		t.Fatalf("got %d fields, want %d", len(fields), maxFields+1)
	}
	deepest := "k" + strings.Repeat(".a", maxDepth)
	if f := fields[0]; f.Key != deepest || !strings.HasPrefix(f.Text(), "!ERROR: groups nested deeper than 16") {
		t.Errorf("got %s=%s, want %s", f.Key, f.Text(), deepest)
	}
	if f := fields[maxFields]; f.Key != "fields_left_out" || f.Int() == 0 {
		t.Errorf("got %s=%d at the end", f.Key, f.Int())
	}
}

func TestAttributesBeyondTheLimitAreCounted(t *testing.T) {
	var attrs []any
	for range maxFields + 3 {
		attrs = append(attrs, slog.Int("k", 1))
	}
	m := newMemory(t)
	l := slog.New(newHandler(m, HandlerConfig{}))
	l.Info("m", attrs...)
	l.Info("m", "k", 1)
	l.With(attrs...).Info("m", "k", 1)
	tests := []struct {
		fields int
		last   string
	}{{maxFields + 1, "fields_left_out=3"}, {1, "k=1"}, {maxFields + 1, "fields_left_out=4"}}
	for i, r := range m.take() {
		if n, last := len(r.Fields), r.Fields[len(r.Fields)-1:]; n != tests[i].fields || text(last) != tests[i].last {
			t.Errorf("record %d: got %d fields, the last %s, want %d, %s", i, n, text(last), tests[i].fields, tests[i].last)
		}
	}
}
