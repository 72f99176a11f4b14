package stats

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

type counters struct {
	Packets uint64
	Closed  [3]uint64
	Recv    struct{ Bytes, Errors uint64 }
}

func TestShardShowsWhatWasPublished(t *testing.T) {
	s := NewShard[counters]()
	s.Local.Packets = 3
	s.Local.Closed[2] = 5
	if got := s.Snapshot(); got != (counters{}) {
		t.Errorf("before Publish: %+v", got)
	}
	s.Publish()
	want := s.Local
	s.Local.Recv.Bytes = 9
	if got := s.Snapshot(); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	s.Publish()
	if got := s.Snapshot(); got != s.Local {
		t.Errorf("got %+v, want %+v", got, s.Local)
	}
}

func TestFieldsNameEveryCounter(t *testing.T) {
	var c counters
	c.Closed[1], c.Recv.Errors = 4, 6
	want := []Field{{"Packets", 0}, {"Closed[0]", 0}, {"Closed[1]", 4}, {"Closed[2]", 0}, {"Recv.Bytes", 0}, {"Recv.Errors", 6}}
	if diff := cmp.Diff(want, Fields(c)); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
}

func TestSumAddsWordByWord(t *testing.T) {
	a := counters{Packets: 1, Closed: [3]uint64{1, 2, 3}}
	b := counters{Packets: 5, Closed: [3]uint64{0, 0, 1}}
	want := counters{Packets: 6, Closed: [3]uint64{1, 2, 4}}
	if got := Sum(a, b); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := Sum[counters](); got != (counters{}) {
		t.Errorf("sum of nothing: %+v", got)
	}
}

func TestOnlyStructsOfCountersAreShards(t *testing.T) {
	for name, f := range map[string]func(){
		"not a struct": func() { NewShard[uint64]() },
		"int":          func() { NewShard[struct{ N int }]() },
		"pointer":      func() { NewShard[struct{ P *uint64 }]() },
		"nested":       func() { NewShard[struct{ A [2]struct{ N uint32 } }]() },
		"sum":          func() { Sum(struct{ S string }{}) },
		"fields":       func() { Fields(struct{ F float64 }{}) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			f()
		})
	}
}

func TestReadersSeeCountersGrow(t *testing.T) {
	s := NewShard[counters]()
	var wg sync.WaitGroup
	wg.Go(func() {
		for range 20_000 {
			s.Local.Packets++
			s.Local.Recv.Bytes += 10
			s.Publish()
		}
	})
	var last counters
	for last.Packets < 20_000 {
		got := s.Snapshot()
		if got.Packets < last.Packets || got.Recv.Bytes < last.Recv.Bytes {
			t.Fatalf("%+v after %+v", got, last)
		}
		last = got
	}
	wg.Wait()
}

func BenchmarkShardPublish(b *testing.B) {
	s := NewShard[counters]()
	for b.Loop() {
		s.Local.Packets += 32
		s.Local.Recv.Bytes += 900
		s.Publish()
	}
}
