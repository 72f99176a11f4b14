package logx

import (
	"context"
	"fmt"
	"log/slog"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/slogtest"
	"time"

	"vitrine/logx/record"
)

// tree makes of a record what slogtest compares: groups are maps within maps.
func tree(r *record.Record, at time.Time) map[string]any {
	root := map[string]any{slog.LevelKey: r.Level.String(), slog.MessageKey: r.Message}
	if !at.IsZero() {
		root[slog.TimeKey] = at
	}
	for _, f := range r.Fields {
		place, parts := root, strings.Split(f.Key, ".")
		for _, name := range parts[:len(parts)-1] {
			if place[name] == nil {
				place[name] = map[string]any{}
			}
			place = place[name].(map[string]any)
		}
		place[parts[len(parts)-1]] = f.Text()
	}
	return root
}

func TestHandlerKeepsTheRulesOfSlog(t *testing.T) {
	m := newMemory(t)
	err := slogtest.TestHandler(newHandler(m, HandlerConfig{}), func() []map[string]any {
		var all []map[string]any
		for i := range m.written {
			all = append(all, tree(&m.written[i], m.times[i]))
		}
		return all
	})
	if err != nil {
		t.Error(err)
	}
}

func TestPlainAttributesKeepTheirKind(t *testing.T) {
	at := time.Date(2026, 11, 22, 22, 44, 10, 5, time.FixedZone("", 3600))
	got := logged(t, HandlerConfig{},
		slog.String("s", "a b"), slog.Int("i", -5), slog.Uint64("u", math.MaxUint64), slog.Float64("f", 1.5),
		slog.Bool("b", true), slog.Duration("d", 1500*time.Millisecond), slog.Time("t", at))
	want := `s="a b" i=-5 u=18446744073709551615 f=1.5 b=true d=1.5s t=2026-11-22T21:44:10.000000005Z`
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestGroupsBecomePrefixes(t *testing.T) {
	tests := []struct {
		name string
		log  func(*slog.Logger)
		want string
	}{
		{"attribute", func(l *slog.Logger) { l.Info("m", slog.Group("a", "x", 1, slog.Group("b", "y", 2)), "z", 3) }, "a.x=1 a.b.y=2 z=3"},
		{"logger", func(l *slog.Logger) { l.WithGroup("a").With("x", 1).WithGroup("b").Info("m", "y", 2) }, "a.x=1 a.b.y=2"},
		{"both", func(l *slog.Logger) { l.WithGroup("a").Info("m", slog.Group("b", "y", 2), "z", 3) }, "a.b.y=2 a.z=3"},
		{"no key", func(l *slog.Logger) { l.WithGroup("a").Info("m", slog.Group("", "y", 2)) }, "a.y=2"},
		{"empty", func(l *slog.Logger) { l.WithGroup("a").Info("m", slog.Group("b")) }, ""},
		{"no name", func(l *slog.Logger) { l.WithGroup("").Info("m", "y", 2) }, "y=2"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := newMemory(t)
			test.log(slog.New(newHandler(m, HandlerConfig{})))
			if got := text(m.one(t).Fields); got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

// What one logger adds, its parent and its siblings do not have.
func TestDerivedLoggersAreApart(t *testing.T) {
	m := newMemory(t)
	parent := slog.New(newHandler(m, HandlerConfig{})).With("a", 1)
	left, right := parent.With("b", 2), parent.With("c", 3)
	for _, l := range []*slog.Logger{left, right, parent} {
		l.Info("m")
	}
	var got []string
	for _, r := range m.take() {
		got = append(got, text(r.Fields))
	}
	if want := "[a=1 b=2 a=1 c=3 a=1]"; fmt.Sprint(got) != want {
		t.Errorf("got %v, want %s", got, want)
	}
}

// guildID is an id of a kind of its own, as the engine's sessions have.
type guildID uint64

func (g guildID) String() string { return "guild" }

// later resolves to a text.
type later string

func (l later) LogValue() slog.Value { return slog.StringValue(string(l)) }

func TestReservedKeys(t *testing.T) {
	const auth, guild = record.TypeAuth, record.FirstCustom
	tests := []struct {
		name    string
		log     func(*slog.Logger)
		typ     record.Type
		session uint64
		fields  string
	}{
		{"none", func(l *slog.Logger) { l.Info("m", "a", 1) }, 0, 0, "a=1"},
		{"both", func(l *slog.Logger) { l.Info("m", "type", "auth", "session", uint64(7), "a", 1) }, auth, 7, "a=1"},
		{"custom type", func(l *slog.Logger) { l.Info("m", "type", "guild") }, guild, 0, ""},
		{"unknown type", func(l *slog.Logger) { l.Info("m", "type", "horse") }, 0, 0, "type=horse"},
		{"unknown type keeps the logger's", func(l *slog.Logger) { l.With("type", "auth").Info("m", "type", "horse") }, auth, 0, "type=horse"},
		{"type that is no text", func(l *slog.Logger) { l.Info("m", "type", 3) }, 0, 0, "type=3"},
		{"the last type counts", func(l *slog.Logger) { l.With("type", "chat").Info("m", "type", "db", "type", "auth") }, auth, 0, ""},
		{"session as text", func(l *slog.Logger) { l.Info("m", "session", "18446744073709551615") }, 0, math.MaxUint64, ""},
		{"session as int", func(l *slog.Logger) { l.Info("m", "session", 7) }, 0, 7, ""},
		{"session of its own type", func(l *slog.Logger) { l.Info("m", "session", guildID(9)) }, 0, 9, ""},
		{"session that resolves", func(l *slog.Logger) { l.Info("m", "session", later("12")) }, 0, 12, ""},
		{"type that resolves", func(l *slog.Logger) { l.Info("m", "type", later("auth")) }, auth, 0, ""},
		{"session that is none", func(l *slog.Logger) { l.Info("m", "session", "bob") }, 0, 0, "session=bob"},
		{"negative session", func(l *slog.Logger) { l.Info("m", "session", -1) }, 0, 0, "session=-1"},
		{"nil session", func(l *slog.Logger) { l.Info("m", "session", nil) }, 0, 0, "session=null"},
		{"With", func(l *slog.Logger) { l.With("type", "auth", "session", 7).Info("m", "a", 1) }, auth, 7, "a=1"},
		{"With, then a group", func(l *slog.Logger) { l.With("type", "auth", "session", 7).WithGroup("g").Info("m", "a", 1) }, auth, 7, "g.a=1"},
		{"the record goes before With", func(l *slog.Logger) { l.With("type", "auth", "session", 7).Info("m", "type", "guild", "session", 8) }, guild, 8, ""},
		{"in a group", func(l *slog.Logger) { l.Info("m", slog.Group("g", "type", "auth", "session", 7)) }, 0, 0, "g.type=auth g.session=7"},
		{"in a group without a key", func(l *slog.Logger) { l.Info("m", slog.Group("", "type", "auth", "session", 7)) }, auth, 7, ""},
		{"in a logger's group", func(l *slog.Logger) { l.WithGroup("g").Info("m", "type", "auth", "session", 7) }, 0, 0, "g.type=auth g.session=7"},
		{"in With of a group", func(l *slog.Logger) { l.WithGroup("g").With("type", "auth").Info("m") }, 0, 0, "g.type=auth"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			m := newMemory(t)
			test.log(slog.New(newHandler(m, HandlerConfig{})))
			r := m.one(t)
			if r.Type != test.typ || r.Session != test.session || text(r.Fields) != test.fields {
				t.Errorf("got type %d, session %d, fields %q, want %d, %d, %q", r.Type, r.Session, text(r.Fields), test.typ, test.session, test.fields)
			}
		})
	}
}

func TestLevelsOfSlog(t *testing.T) {
	tests := []struct {
		level slog.Level
		want  record.Level
	}{
		{slog.LevelInfo, record.Info}, {slog.LevelInfo + 1, record.Info}, {slog.LevelWarn, record.Warn},
		{slog.LevelError, record.Error}, {LevelSystem - 1, record.Error}, {LevelSystem, record.System}, {100, record.System},
	}
	for _, test := range tests {
		m := newMemory(t)
		slog.New(newHandler(m, HandlerConfig{})).Log(context.Background(), test.level, "m")
		if got := m.one(t).Level; got != test.want {
			t.Errorf("level %d: got %v, want %v", test.level, got, test.want)
		}
	}
}

// A type may log more or less than the others do. Enabled lets through what any type wants, Handle knows which it is.
func TestTypesHaveLevelsOfTheirOwn(t *testing.T) {
	m := newMemory(t)
	m.levels = map[record.Type]record.Level{record.TypeAuth: record.Debug, record.TypeChat: record.Error}
	h := newHandler(m, HandlerConfig{})
	l, ctx := slog.New(h), context.Background()
	if !h.Enabled(ctx, slog.LevelDebug) {
		t.Error("DEBUG is wanted by a type, and Enabled says no")
	}
	l.Debug("no")
	l.Debug("yes", "type", "auth")
	l.Debug("yes", slog.Group("", "type", "auth"))
	l.Warn("no", "type", "chat")
	l.Error("yes", "type", "chat")
	l.With("type", "chat").Warn("no")
	l.With("type", "chat").Debug("yes", "type", "auth")
	all := m.take()
	for _, r := range all {
		if r.Message != "yes" {
			t.Errorf("%v of type %d is written", r.Level, r.Type)
		}
	}
	if len(all) != 4 {
		t.Errorf("got %d records, want 4", len(all))
	}
	m.levels = nil
	if h.Enabled(ctx, slog.LevelDebug) {
		t.Error("no type wants DEBUG, and Enabled says yes")
	}
}

func TestSourceNamesTheCall(t *testing.T) {
	m := newMemory(t)
	l := slog.New(newHandler(m, HandlerConfig{Source: true}))
	l.Info("m", "a", 1)
	got := text(m.one(t).Fields)
	if !strings.HasPrefix(got, "a=1 source=logx/handler_test.go:") {
		t.Errorf("got %s", got)
	}
	l.WithGroup("g").Info("m")
	if got := m.one(t).Fields; len(got) != 1 || got[0].Key != "source" {
		t.Errorf("in a group: got %s", text(got))
	}
	l.Handler().Handle(context.Background(), slog.NewRecord(time.Now(), slog.LevelInfo, "m", 0))
	if got := m.one(t).Fields; len(got) != 0 {
		t.Errorf("without a program counter: got %s", text(got))
	}
}

// Buffers go from record to record, and so must nothing else.
func TestRecordsDoNotMix(t *testing.T) {
	m := newMemory(t)
	h := newHandler(m, HandlerConfig{})
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			l := slog.New(h).WithGroup(fmt.Sprint("group", g))
			for i := range 500 {
				l.Info("m", "session", i, "text", strings.Repeat(fmt.Sprint(g), i%40), slog.Group("deep", "bytes", []byte{byte('0' + g)}))
			}
		})
	}
	all.Wait()
	for _, r := range m.take() {
		if len(r.Fields) != 3 {
			t.Fatalf("got %d fields: %s", len(r.Fields), text(r.Fields))
		}
		g := strings.TrimPrefix(r.Fields[0].Key, "group")[:1]
		i := int(r.Fields[0].Int())
		want := fmt.Sprintf("group%s.session=%d group%s.text=%s group%s.deep.bytes=%s", g, i, g, strings.Repeat(g, i%40), g, g)
		if got := text(r.Fields); i%40 != 0 && got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
}

func TestScratchForgets(t *testing.T) {
	f := newHandler(newMemory(t), HandlerConfig{}).front
	s := &scratch{front: f}
	s.begin(&preset{})
	s.add(slog.String("key", "value"), 0)
	s.add(slog.String("session", "7"), 0)
	fields := s.fields
	s.release()
	if fields[0] != (record.Field{}) || s.entry != (Entry{}) {
		t.Errorf("got %v and %v after release", fields[0], s.entry)
	}
	s.begin(&preset{})
	for range 2 * keptFields {
		s.add(slog.Group("g", "k", strings.Repeat("x", 200)), 0)
	}
	s.text = append(s.text, make([]byte, 2*keptText)...)
	s.release()
	if cap(s.fields) > keptFields || cap(s.text) > keptText {
		t.Errorf("keeps %d fields and %d bytes", cap(s.fields), cap(s.text))
	}
}
