//go:build !race

package logx

// The race detector lets pools forget, and changes what is inlined: what is allocated under it says nothing.

import (
	"context"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"vitrine/logx/record"
)

func TestHandleDoesNotAllocate(t *testing.T) {
	ctx := WithTrace(WithSession(context.Background(), 7), [16]byte{1}, [8]byte{1})
	nothing := func(h slog.Handler) slog.Handler { return h }
	tests := []struct {
		name   string
		config HandlerConfig
		derive func(slog.Handler) slog.Handler
	}{
		{"plain", HandlerConfig{}, nothing},
		{"with attributes", HandlerConfig{}, func(h slog.Handler) slog.Handler { return h.WithAttrs([]slog.Attr{slog.Int("server", 1)}) }},
		{"in a group", HandlerConfig{}, func(h slog.Handler) slog.Handler { return h.WithGroup("world") }},
		{"origin", HandlerConfig{Origin: func(context.Context) Origin { return Origin{Session: 1} }}, nothing},
		{"held back", HandlerConfig{Repeat: Repeat{Records: 1, Every: time.Hour}}, nothing},
		{"fanned out", HandlerConfig{}, func(h slog.Handler) slog.Handler { return NewFanout(Branch{Handler: h}, Branch{h, slog.LevelInfo}) }},
	}
	r := five()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := test.derive(newHandler(&discard{}, test.config))
			h.Handle(ctx, r)
			if n := testing.AllocsPerRun(1000, func() { h.Handle(ctx, r) }); n != 0 {
				t.Errorf("got %v allocations", n)
			}
		})
	}
}

func TestHandleIntoALogDoesNotAllocate(t *testing.T) {
	l := open(t, Config{RingRecords: 1 << 15})
	h, ctx, r := l.NewHandler(HandlerConfig{}), context.Background(), five()
	h.Handle(ctx, r)
	if n := testing.AllocsPerRun(1000, func() { h.Handle(ctx, r) }); n != 0 {
		t.Errorf("got %v allocations", n)
	}
}

// What slog allocates before a handler sees the record: the comment of NewHandler states it.
func TestWhatSlogAllocates(t *testing.T) {
	ctx, l := context.Background(), slog.New(newHandler(&discard{}, HandlerConfig{}))
	text, number, ids := "harbour", 812, []uint64{1 << 40}
	tests := []struct {
		name string
		want float64
		log  func()
	}{
		{"LogAttrs with five", 0, func() {
			l.LogAttrs(ctx, slog.LevelInfo, "m", slog.String("a", text), slog.Int("b", number), slog.Uint64("c", ids[0]), slog.Bool("d", true), slog.Float64("e", 1.5))
		}},
		{"LogAttrs with six", 1, func() {
			l.LogAttrs(ctx, slog.LevelInfo, "m", slog.Int("a", 1), slog.Int("b", 2), slog.Int("c", 3), slog.Int("d", 4), slog.Int("e", 5), slog.Int("f", 6))
		}},
		{"Info with constants", 0, func() { l.Info("m", "a", "harbour", "b", 812) }},
		{"Info with values", 2, func() { l.Info("m", "a", text, "b", ids[0]) }},
	}
	for _, test := range tests {
		text, number = text+".", number+1
		if n := testing.AllocsPerRun(1000, test.log); n != test.want {
			t.Errorf("%s: got %v allocations, want %v", test.name, n, test.want)
		}
	}
}

func TestMaskDoesNotAllocate(t *testing.T) {
	m := newMask(append(DefaultMask(), "*card*"))
	for _, key := range []string{"session", "a.b.reason", "DB_Password", "x-api-key", "credit_card_number"} {
		if n := testing.AllocsPerRun(100, func() { m.match(key) }); n != 0 {
			t.Errorf("%s: got %v allocations", key, n)
		}
	}
}

func BenchmarkHandle(b *testing.B) {
	ctx, r := context.Background(), five()
	for _, c := range []struct {
		name   string
		config HandlerConfig
	}{
		{"default", HandlerConfig{}},
		{"no-mask", HandlerConfig{Mask: []string{}}},
		{"source", HandlerConfig{Source: true}},
		{"held-back", HandlerConfig{Repeat: Repeat{Records: 1, Every: time.Hour}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			h := newHandler(&discard{}, c.config)
			r := r.Clone()
			r.PC = callers()
			b.ReportAllocs()
			for b.Loop() {
				h.Handle(ctx, r)
			}
		})
	}
	b.Run("encode-alone", func(b *testing.B) {
		d, e := &discard{}, &Entry{Level: record.Info, Type: record.TypeGame, Session: 7, Message: "frame took too long"}
		fields := []record.Field{record.Int("frame", 812), record.Duration("took", 31*time.Millisecond), record.String("zone", "harbour")}
		b.ReportAllocs()
		for b.Loop() {
			d.put(time.Time{}, e, fields)
		}
	})
}

// callers gives a program counter of this file, as slog takes it.
func callers() uintptr {
	var pcs [1]uintptr
	runtime.Callers(1, pcs[:])
	return pcs[0]
}
