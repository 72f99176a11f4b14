package flight

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// manual is a clock the test moves.
type manual struct{ now int64 }

func (m *manual) read() int64 { return m.now }

func newTest(t testing.TB, c Config) *Recorder {
	t.Helper()
	if !Enabled {
		t.Skip("built with norecord")
	}
	r, err := NewRecorder(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestGroupsAreChainedAndClosedByEveryFourthEnd(t *testing.T) {
	m := &manual{now: 100}
	r := newTest(t, Config{Worker: 3, Clock: m.read})
	r.Turn(1000)
	for i := range 6 {
		r.Begin(7, uint16(i), 10)
		m.now = 1000 + int64(i+1)*10
		r.End(uint32(i), 0)
	}
	r.Flush(1100)
	var want []Record
	for i := range 6 {
		rec := Record{
			Session: 7, Seq: uint64(i + 1), Recv: 1000, Handle: 40, Out: uint32(i), Size: 10,
			Type: uint16(i), Worker: 3, Kind: KindPacket, Group: 4, Pos: uint8(i % 4),
		}
		if i >= 4 {
			rec.Recv, rec.Handle, rec.Group = 1040, 60, 2
		}
		want = append(want, rec)
	}
	if diff := cmp.Diff(want, r.Snapshot(nil)); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
	if s := r.Duration().Snapshot(); s.Count != 6 || s.Sum != 4*10+2*30 {
		t.Errorf("duration: count %d sum %d, want 6 and 100", s.Count, s.Sum)
	}
}

func TestBeginShowsThePacketInFlight(t *testing.T) {
	r := newTest(t, Config{})
	r.Turn(1)
	r.Begin(9, 42, 5)
	got := r.Snapshot(nil)
	if len(got) != 1 || got[0].Flags != FlagOpen || got[0].Session != 9 || got[0].Type != 42 {
		t.Fatalf("in flight: %+v", got)
	}
}

func TestWritersDoNotAllocate(t *testing.T) {
	r := newTest(t, Config{})
	if n := testing.AllocsPerRun(1000, func() {
		r.Turn(Clock())
		for range 5 {
			r.Begin(1, 2, 3)
			r.End(4, 0)
		}
		r.Event(KindSession, 1, 0, 0, 0, 0)
		r.Flush(Clock())
	}); n != 0 {
		t.Errorf("%v allocations per turn", n)
	}
}

func BenchmarkPacket(b *testing.B) {
	r := newTest(b, Config{})
	r.Turn(Clock())
	for b.Loop() {
		r.Begin(1, 2, 32)
		r.End(32, 0)
	}
}
