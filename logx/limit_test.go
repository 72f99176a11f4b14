package logx

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"vitrine/logx/record"
)

// shown shows records as level, message and fields.
func shown(all []record.Record) string {
	var out []string
	for _, r := range all {
		out = append(out, strings.TrimSpace(fmt.Sprintf("%v %s %s", r.Level, r.Message, text(r.Fields))))
	}
	return strings.Join(out, "\n")
}

func expect(t *testing.T, m *memory, want ...string) {
	t.Helper()
	if got := shown(m.take()); got != strings.Join(want, "\n") {
		t.Errorf("got:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
}

// pass lets time go by within a synctest bubble and everything that is due then happen.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// limited runs a test of a handler that writes 2 records of a message in 10 s, under a clock that stands until pass.
func limited(t *testing.T, run func(*memory, *slog.Logger, *limiter)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := newMemory(t)
		h := newHandler(m, HandlerConfig{Repeat: Repeat{Records: 2, Every: 10 * time.Second}})
		run(m, slog.New(h), h.front.limit)
	})
}

func TestRepeatsAreHeldBackAndCounted(t *testing.T) {
	limited(t, func(m *memory, l *slog.Logger, _ *limiter) {
		for i := range 5 {
			l.Info("a", "i", i)
		}
		expect(t, m, "INFO a i=0", "INFO a i=1")
		pass(9 * time.Second)
		expect(t, m, "")
		pass(2 * time.Second)
		expect(t, m, "INFO a held_back=3")
		pass(time.Hour)
		expect(t, m, "")
		l.Info("a")
		l.Info("a")
		l.Info("a")
		expect(t, m, "INFO a", "INFO a")
		pass(10 * time.Second)
		expect(t, m, "INFO a held_back=1")
	})
}

// A message that comes back just when its window ends finds its count not yet written, and writes it before itself.
func TestReturningMessageWritesItsCount(t *testing.T) {
	limited(t, func(m *memory, l *slog.Logger, limit *limiter) {
		for range 4 {
			l.Info("a")
		}
		limit.timer.Stop() // as if it were late
		pass(10 * time.Second)
		l.Info("a")
		expect(t, m, "INFO a", "INFO a", "INFO a held_back=2", "INFO a")
	})
}

func TestRepeatsAreTypeAndMessage(t *testing.T) {
	limited(t, func(m *memory, l *slog.Logger, _ *limiter) {
		for range 3 {
			l.Info("a", "type", "auth")
			l.With("type", "chat").Info("a")
			l.Info("b")
		}
		if got := len(m.take()); got != 6 {
			t.Errorf("got %d records, want 6", got)
		}
		pass(10 * time.Second)
		types := map[record.Type]string{}
		for _, r := range m.take() {
			types[r.Type] += r.Message + text(r.Fields)
		}
		want := map[record.Type]string{record.TypeAuth: "aheld_back=1", record.TypeChat: "aheld_back=1", 0: "bheld_back=1"}
		if fmt.Sprint(types) != fmt.Sprint(want) {
			t.Errorf("got %v, want %v", types, want)
		}
	})
}

func TestCountHasTheHighestLevel(t *testing.T) {
	limited(t, func(m *memory, l *slog.Logger, _ *limiter) {
		for range 2 {
			l.Info("a")
		}
		l.Info("a")
		l.Error("a")
		l.Warn("a")
		m.take()
		pass(10 * time.Second)
		expect(t, m, "ERROR a held_back=3")
		for range 3 {
			l.Info("a")
		}
		m.take()
		pass(10 * time.Second)
		expect(t, m, "INFO a held_back=1")
	})
}

func TestSystemIsNeverHeldBack(t *testing.T) {
	limited(t, func(m *memory, l *slog.Logger, _ *limiter) {
		for range 5 {
			l.Log(context.Background(), LevelSystem, "a")
		}
		if got := len(m.take()); got != 5 {
			t.Errorf("got %d records, want 5", got)
		}
	})
}

func TestWindowsOfSeveralMessagesEndInTurn(t *testing.T) {
	limited(t, func(m *memory, l *slog.Logger, _ *limiter) {
		l.Info("a")
		pass(4 * time.Second)
		for range 3 {
			l.Info("b")
		}
		l.Info("a")
		l.Info("a") // b's window is armed, a's ends before it
		m.take()
		pass(6 * time.Second)
		expect(t, m, "INFO a held_back=1")
		pass(4 * time.Second)
		expect(t, m, "INFO b held_back=1")
	})
}

func TestLeastRecentlyUsedMessageIsForgotten(t *testing.T) {
	limited(t, func(m *memory, l *slog.Logger, limit *limiter) {
		for range 3 {
			l.Info("old")
			l.Info("used")
		}
		for i := range maxRepeatKeys - 2 {
			l.Info(fmt.Sprint("message ", i))
		}
		l.Info("used")
		m.take()
		l.Info("one more")
		expect(t, m, "INFO old held_back=1", "INFO one more")
		l.Info("used")
		expect(t, m, "")
		l.Info("old") // begins anew, in the place of message 0
		expect(t, m, "INFO old")
		if len(limit.keys) != maxRepeatKeys || len(limit.entries) != maxRepeatKeys+1 {
			t.Errorf("knows %d keys in %d entries", len(limit.keys), len(limit.entries))
		}
		pass(10 * time.Second)
		expect(t, m, "INFO used held_back=3")
	})
}

// Against a list that is kept the slow way, the limiter knows the same messages in the same order.
func TestLimiterKnowsTheMostRecentlyUsed(t *testing.T) {
	l := newLimiter(Repeat{Records: 1, Every: time.Hour}, func(held) {})
	var model []string // the oldest first
	random := rand.New(rand.NewPCG(1, 2))
	for range 20 * maxRepeatKeys {
		message := fmt.Sprint(random.IntN(maxRepeatKeys * 5 / 4))
		l.hold(record.Info, 0, message)
		if i := slices.Index(model, message); i >= 0 {
			model = slices.Delete(model, i, i+1)
		} else if len(model) == maxRepeatKeys {
			model = slices.Delete(model, 0, 1)
		}
		model = append(model, message)
	}
	var got []string
	for i := l.entries[0].newer; i != 0; i = l.entries[i].newer {
		got = append(got, l.entries[i].message)
	}
	if !slices.Equal(got, model) {
		t.Errorf("knows %d messages, want %d, or not in their order", len(got), len(model))
	}
}

func TestLongMessagesAreComparedByTheirBeginning(t *testing.T) {
	limited(t, func(m *memory, l *slog.Logger, _ *limiter) {
		long := strings.Repeat("x", maxRepeatMessage)
		for i := range 3 {
			l.Info(long + fmt.Sprint(i))
		}
		expect(t, m, "INFO "+long+"0", "INFO "+long+"1")
		pass(10 * time.Second)
		expect(t, m, "INFO "+long+" held_back=1")
	})
}

func TestClosedLimiterHoldsNothingBack(t *testing.T) {
	limited(t, func(m *memory, l *slog.Logger, limit *limiter) {
		for range 3 {
			l.Info("a")
		}
		m.take()
		limit.close()
		expect(t, m, "INFO a held_back=1")
		for range 3 {
			l.Info("a")
		}
		expect(t, m, "INFO a", "INFO a", "INFO a")
		limit.close()
		pass(time.Hour)
		expect(t, m, "")
	})
}

func TestLimitIsOffByDefault(t *testing.T) {
	for _, c := range []Repeat{{}, {Every: time.Second}, {Records: -1}} {
		l := newLimiter(c, nil)
		if l != nil {
			t.Errorf("%+v limits", c)
		}
		l.close()
	}
	if l := newLimiter(Repeat{Records: 1, Every: 1}, nil); l.every != minRepeatEvery {
		t.Errorf("got a window of %v", l.every)
	}
	if l := newLimiter(Repeat{Records: 1}, nil); l.every != defaultRepeatEvery {
		t.Errorf("got a window of %v", l.every)
	}
}

// Written and held back, everything is accounted for, however many callers there are.
func TestEveryRepeatIsAccountedFor(t *testing.T) {
	m := newMemory(t)
	h := newHandler(m, HandlerConfig{Repeat: Repeat{Records: 3, Every: time.Millisecond}})
	const callers, calls = 4, 3000
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			l := slog.New(h)
			for i := range calls {
				l.Info(fmt.Sprint("message ", i%7))
			}
		})
	}
	all.Wait()
	h.front.limit.close()
	sum := 0
	for _, r := range m.take() {
		if len(r.Fields) == 1 {
			sum += int(r.Fields[0].Uint())
		} else {
			sum++
		}
	}
	if sum != callers*calls {
		t.Errorf("got %d, want %d", sum, callers*calls)
	}
}
