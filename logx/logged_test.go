package logx

import (
	"context"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/slogtest"
	"time"

	"vitrine/logx/query"
	"vitrine/logx/record"
)

// stored returns all records of a log.
func stored(t testing.TB, l *Log) []record.Record {
	t.Helper()
	flush(t, l)
	var all []record.Record
	_, err := query.Search(context.Background(), l.cfg.Dir, query.Query{}, func(r *record.Record, _ *record.Types) bool {
		all = append(all, *r)
		fields := &all[len(all)-1].Fields
		*fields = slices.Clone(*fields)
		for i := range *fields {
			f := &(*fields)[i]
			*f = record.String(f.Key+"", string([]byte(f.Text())))
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Through a whole log the rules hold as well. A record there always has a time; what the handler ignores is the caller's.
func TestLogKeepsTheRulesOfSlog(t *testing.T) {
	l := open(t, Config{})
	var times []time.Time
	h := NewFanout(Branch{Handler: l.NewHandler(HandlerConfig{})}, Branch{Handler: clock{&times}})
	if err := slogtest.TestHandler(h, func() []map[string]any {
		var all []map[string]any
		for i, r := range stored(t, l) {
			all = append(all, tree(&r, times[i]))
		}
		return all
	}); err != nil {
		t.Error(err)
	}
}

// clock is a handler that keeps the callers' times.
type clock struct{ times *[]time.Time }

func (clock) Enabled(context.Context, slog.Level) bool { return true }
func (c clock) WithAttrs([]slog.Attr) slog.Handler     { return c }
func (c clock) WithGroup(string) slog.Handler          { return c }

func (c clock) Handle(_ context.Context, r slog.Record) error {
	*c.times = append(*c.times, r.Time)
	return nil
}

func TestHandlerFollowsTheLevelsOfItsLog(t *testing.T) {
	l := open(t, Config{TypeLevels: map[string]record.Level{"chat": record.Error}})
	h := l.NewHandler(HandlerConfig{})
	log, ctx := slog.New(h), context.Background()
	log.Debug("no")
	log.Info("yes")
	log.Warn("no", "type", "chat")
	l.SetTypeLevel(record.TypeAuth, record.Debug)
	if !h.Enabled(ctx, slog.LevelDebug) {
		t.Error("a type logs DEBUG, and Enabled says no")
	}
	log.Debug("no")
	log.Debug("yes", "type", "auth")
	l.SetLevel(record.System)
	l.SetTypeLevel(record.TypeAuth, 0)
	l.SetTypeLevel(record.TypeChat, 0)
	if h.Enabled(ctx, slog.LevelError) {
		t.Error("nothing logs ERROR, and Enabled says yes")
	}
	log.Error("no")
	log.Log(ctx, LevelSystem, "yes")
	all := stored(t, l)
	for _, r := range all {
		if r.Message != "yes" {
			t.Errorf("%v of type %d is written", r.Level, r.Type)
		}
	}
	if len(all) != 3 {
		t.Errorf("got %d records, want 3", len(all))
	}
}

func TestHandlerSaysWhenARecordIsDropped(t *testing.T) {
	l := open(t, Config{})
	h := l.NewHandler(HandlerConfig{})
	closeLog(t, l)
	if err := h.Handle(context.Background(), five()); err != errDropped {
		t.Errorf("got %v, want %v", err, errDropped)
	}
}

// What is held back when the program ends is in the file, however the handler was derived.
func TestEndRepeatWritesWhatIsHeldBack(t *testing.T) {
	l := open(t, Config{})
	h := NewFanout(Branch{Handler: clock{new([]time.Time)}}, Branch{Handler: l.NewHandler(HandlerConfig{Repeat: Repeat{Records: 1, Every: time.Hour}})})
	log := slog.New(h).With("a", 1).WithGroup("g")
	for range 4 {
		log.Info("m")
	}
	EndRepeat(log.Handler())
	EndRepeat(log.Handler())
	log.Info("m")
	flush(t, l)
	var got []string
	for _, line := range lines(t, l.cfg.Dir) {
		got = append(got, line[strings.Index(line, "] m")+2:])
	}
	if want := []string{"m a=1", "m held_back=3", "m a=1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
