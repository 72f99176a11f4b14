package flight

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func newTestStore(t *testing.T, c StoreConfig) *Store {
	t.Helper()
	s, err := NewStore(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// numbered returns n records of a session, the numbers from 1.
func numbered(session uint64, n int) []Record {
	recs := make([]Record, n)
	for i := range recs {
		recs[i] = Record{Session: session, Seq: uint64(i + 1)}
	}
	return recs
}

func TestStoreKeepsTheLastSixteen(t *testing.T) {
	s := newTestStore(t, StoreConfig{})
	in := numbered(5, 20)
	if !s.Keep(5, in) {
		t.Fatal("refused")
	}
	got, ok := s.Get(5)
	if diff := cmp.Diff(in[4:], got); diff != "" || !ok {
		t.Errorf("ok %v (-want +got):\n%s", ok, diff)
	}
	got[0].Seq = 99
	if again, _ := s.Get(5); again[0].Seq != 5 {
		t.Error("Get lends its own memory")
	}
	s.Keep(5, in[:2])
	if got, _ := s.Get(5); len(got) != 2 {
		t.Errorf("replaced: %d records", len(got))
	}
	if _, ok := s.Get(6); ok || s.Keep(6, nil) {
		t.Error("kept nothing, and has it")
	}
}

func TestStoreReplacesTheOldestSession(t *testing.T) {
	s := newTestStore(t, StoreConfig{Sessions: 3})
	for id := uint64(1); id <= 5; id++ {
		s.Keep(id, numbered(id, 1))
	}
	for id := uint64(1); id <= 5; id++ {
		if _, ok := s.Get(id); ok != (id > 2) {
			t.Errorf("session %d: kept %v", id, ok)
		}
	}
}

func TestStoreCountsWhatItsRateTurnsAway(t *testing.T) {
	m := &manual{}
	s := newTestStore(t, StoreConfig{PerSecond: 10, Clock: m.read})
	kept := 0
	storm := func() {
		for id := range uint64(100) {
			if s.Keep(id, numbered(id, 1)) {
				kept++
			}
		}
	}
	for _, step := range []struct {
		pass int64
		want int // kept so far
	}{{0, 10}, {second / 2, 15}, {second / 20, 15}, {second / 20, 16}, {60 * second, 26}} {
		m.now += step.pass
		storm()
		if kept != step.want {
			t.Errorf("at %d: kept %d, want %d", m.now, kept, step.want)
		}
	}
	if got := s.Dropped(); got != 500-26 {
		t.Errorf("dropped %d, want %d", got, 500-26)
	}
}

func TestKeepFromTakesWhatTheRingStillHolds(t *testing.T) {
	r := newTest(t, Config{Records: 64})
	s := newTestStore(t, StoreConfig{PerSecond: 1, Clock: func() int64 { return 0 }})
	for i := range 40 {
		r.Begin(uint64(i%2), uint16(i), 1)
		r.End(0, 0)
	}
	if !s.KeepFrom(r, 1) {
		t.Fatal("refused")
	}
	got, _ := s.Get(1)
	if len(got) != KeptRecords || got[KeptRecords-1].Type != 39 {
		t.Errorf("kept %+v", got)
	}
	if s.KeepFrom(r, 0) || s.Dropped() != 1 {
		t.Errorf("over the rate: dropped %d", s.Dropped())
	}
}

func TestStoreConfigReportsBadFields(t *testing.T) {
	if _, err := NewStore(StoreConfig{Sessions: -1, PerSecond: 2e6}); err == nil {
		t.Error("no error")
	}
}
