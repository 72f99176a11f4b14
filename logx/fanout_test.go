package logx

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/slogtest"
	"time"
)

func TestFanoutKeepsTheRulesOfSlog(t *testing.T) {
	left, right := newMemory(t), newMemory(t)
	h := NewFanout(Branch{Handler: newHandler(left, HandlerConfig{})}, Branch{Handler: newHandler(right, HandlerConfig{})})
	if err := slogtest.TestHandler(h, func() []map[string]any {
		var all []map[string]any
		for i := range left.written {
			all = append(all, tree(&right.written[i], left.times[i]))
		}
		return all
	}); err != nil {
		t.Error(err)
	}
}

func TestFanoutGivesEachBranchItsLevels(t *testing.T) {
	ctx := context.Background()
	all, some := newMemory(t), newMemory(t)
	var level slog.LevelVar
	level.Set(slog.LevelWarn)
	h := NewFanout(Branch{newHandler(all, HandlerConfig{}), nil}, Branch{newHandler(some, HandlerConfig{}), &level})
	l := slog.New(h).With("a", 1).WithGroup("g")
	l.Debug("debug")
	l.Info("info", "b", 2)
	l.Warn("warn", "b", 3)
	expect(t, all, "INFO info a=1 g.b=2", "WARN warn a=1 g.b=3")
	expect(t, some, "WARN warn a=1 g.b=3")
	level.Set(slog.LevelDebug)
	l.Debug("debug")
	l.Info("info")
	expect(t, some, "INFO info a=1")
	if h.Enabled(ctx, slog.LevelDebug) || !h.Enabled(ctx, slog.LevelInfo) || NewFanout().Enabled(ctx, LevelSystem) {
		t.Error("Enabled is not what a branch wants")
	}
	if err := NewFanout().Handle(ctx, slog.NewRecord(time.Now(), LevelSystem, "m", 0)); err != nil {
		t.Error(err)
	}
}

// failing is a handler that changes all it is given, and fails.
type failing struct {
	slog.Handler
	err error
}

func (f failing) Handle(ctx context.Context, r slog.Record) error {
	r.AddAttrs(slog.Int("x", 1))
	return errors.Join(f.err, f.Handler.Handle(ctx, r))
}

func (f failing) WithAttrs(attrs []slog.Attr) slog.Handler {
	attrs[0].Key = "changed"
	return failing{f.Handler.WithAttrs(attrs), f.err}
}

func TestBranchesDoNotTouchEachOther(t *testing.T) {
	m, other := newMemory(t), newMemory(t)
	good, bad := newHandler(m, HandlerConfig{}), newHandler(other, HandlerConfig{})
	first, second := errors.New("first"), errors.New("second")
	h := NewFanout(Branch{Handler: failing{bad, first}}, Branch{Handler: good}, Branch{Handler: failing{bad, second}})
	h = h.WithAttrs([]slog.Attr{slog.Int("with", 1)})
	r := slog.NewRecord(time.Now(), slog.LevelInfo, "m", 0)
	for i := range 8 { // so many that the slice behind the record has room to spare
		r.AddAttrs(slog.Int("a", i))
	}
	err := h.Handle(context.Background(), r)
	if !errors.Is(err, first) || !errors.Is(err, second) {
		t.Errorf("got %v, want both errors", err)
	}
	expect(t, m, "INFO m with=1 a=0 a=1 a=2 a=3 a=4 a=5 a=6 a=7")
	changed := "INFO m changed=1 a=0 a=1 a=2 a=3 a=4 a=5 a=6 a=7 x=1"
	expect(t, other, changed, changed)
}
