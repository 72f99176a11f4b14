package logx

import (
	"context"
	"log/slog"
	"sync"
	"testing"
	"time"

	"vitrine/logx/record"
)

// memory is a sink that keeps what it is given, copied as a log would copy it: what is changed later does not show.
type memory struct {
	level  record.Level                 // the least level of types that have none of their own
	levels map[record.Type]record.Level // fixed after newMemory
	types  *record.Types

	mu      sync.Mutex
	written []record.Record
	times   []time.Time
}

func newMemory(t testing.TB) *memory {
	t.Helper()
	types, err := record.NewTypes("guild")
	if err != nil {
		t.Fatal(err)
	}
	return &memory{level: record.Info, types: types}
}

func (m *memory) Enabled(level record.Level, typ record.Type) bool {
	if least, own := m.levels[typ]; own {
		return level >= least
	}
	return level >= m.level
}

func (m *memory) EnabledAny(level record.Level) bool {
	for _, least := range m.levels {
		if level >= least {
			return true
		}
	}
	return level >= m.level
}

func (m *memory) Types() *record.Types { return m.types }

func (m *memory) put(at time.Time, e *Entry, fields []record.Field) error {
	v := record.View{
		Head:    record.Head{Session: e.Session, Level: e.Level, Type: e.Type, Flags: record.FlagTrace},
		Payload: record.AppendPayload(nil, &e.Trace, &e.Span, e.Message, fields),
	}
	var r record.Record
	if err := v.Decode(&r); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.written, m.times = append(m.written, r), append(m.times, at)
	return nil
}

// take returns what was written since the last call.
func (m *memory) take() []record.Record {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.written
	m.written, m.times = nil, nil
	return all
}

// one returns the only record written since the last call.
func (m *memory) one(t testing.TB) record.Record {
	t.Helper()
	all := m.take()
	if len(all) != 1 {
		t.Fatalf("got %d records, want 1", len(all))
	}
	return all[0]
}

// text shows fields as a line of text does.
func text(fields []record.Field) string {
	var b []byte
	for i := range fields {
		if i > 0 {
			b = append(b, ' ')
		}
		b = fields[i].AppendText(b)
	}
	return string(b)
}

// logged returns the fields of a record with these attributes.
func logged(t testing.TB, c HandlerConfig, attrs ...slog.Attr) string {
	t.Helper()
	m := newMemory(t)
	slog.New(newHandler(m, c)).LogAttrs(context.Background(), slog.LevelInfo, "m", attrs...)
	return text(m.one(t).Fields)
}

// discard is a sink that encodes and forgets.
type discard struct{ payload []byte }

func (*discard) Enabled(record.Level, record.Type) bool { return true }
func (*discard) EnabledAny(record.Level) bool           { return true }
func (*discard) Types() *record.Types                   { return nil }

func (d *discard) put(_ time.Time, e *Entry, fields []record.Field) error {
	d.payload = record.AppendPayload(d.payload[:0], &e.Trace, &e.Span, e.Message, fields)
	return nil
}

// five is a record of five plain attributes, one of them in a group of the logger.
func five() slog.Record {
	r := slog.NewRecord(time.Now(), slog.LevelInfo, "frame took too long", 0)
	r.AddAttrs(slog.String("type", "game"), slog.Uint64("session", 7), slog.Int("frame", 812),
		slog.Duration("took", 31*time.Millisecond), slog.String("zone", "harbour"))
	return r
}
