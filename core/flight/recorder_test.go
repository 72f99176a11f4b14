package flight

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestBeginShowsThePacketInFlight(t *testing.T) {
	r := newTest(t, Config{Worker: 2})
	r.Turn(1)
	r.Begin(9, 42, 5)
	got := r.Snapshot(nil)
	want := []Record{{Session: 9, Seq: 1, Recv: 1, Size: 5, Type: 42, Worker: 2, Kind: KindPacket, Flags: FlagOpen}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("in flight (-want +got):\n%s", diff)
	}
}

func TestEndAndMarksShowInTheResult(t *testing.T) {
	tests := []struct {
		name string
		act  func(*Recorder)
		want Flags
		err  uint16
	}{
		{"plain", func(r *Recorder) { r.End(1, 0) }, 0, 0},
		{"error", func(r *Recorder) { r.End(1, 7) }, FlagError, 7},
		{"panic while open", func(r *Recorder) { r.Panic() }, FlagOpen | FlagPanic, 0},
		{"panic then end", func(r *Recorder) { r.Panic(); r.End(0, 3) }, FlagPanic | FlagError, 3},
		{"mark after end", func(r *Recorder) { r.End(0, 0); r.Mark(FlagDropped) }, FlagDropped, 0},
		{"flush while open", func(r *Recorder) { r.Flush(2) }, FlagDropped, 0},
		{"turn while open", func(r *Recorder) { r.Turn(2) }, FlagDropped, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := newTest(t, Config{})
			r.Turn(1)
			r.Begin(1, 1, 1)
			tt.act(r)
			got := r.Snapshot(nil)[0]
			if got.Flags != tt.want || got.Err != tt.err {
				t.Errorf("flags %v err %d, want %v and %d", got.Flags, got.Err, tt.want, tt.err)
			}
		})
	}
}

func TestAPacketWithoutEndIsDroppedWithItsGroup(t *testing.T) {
	if invariants {
		t.Skip("invariants panic first")
	}
	r := newTest(t, Config{})
	r.Turn(1)
	r.Begin(1, 1, 1)
	r.Begin(2, 1, 1)
	r.End(1, 0)
	r.Flush(2)
	got := r.Snapshot(nil)
	if got[0].Flags != FlagDropped || got[1].Flags != 0 {
		t.Errorf("flags %v, %v, want dropped and none", got[0].Flags, got[1].Flags)
	}
}

func TestMisuseBreaksAnInvariant(t *testing.T) {
	if !invariants {
		t.Skip("needs -tags invariants")
	}
	for name, act := range map[string]func(*Recorder){
		"begin twice": func(r *Recorder) { r.Begin(1, 1, 1); r.Begin(1, 1, 1) },
		"end alone":   func(r *Recorder) { r.End(1, 1) },
	} {
		t.Run(name, func(t *testing.T) {
			r := newTest(t, Config{})
			defer func() {
				if recover() == nil {
					t.Error("no panic")
				}
			}()
			act(r)
		})
	}
}

func TestNumbersHaveNoGapsOverManyLaps(t *testing.T) {
	r := newTest(t, Config{Records: 64})
	var next, want uint64 = 0, 1
	var recs []Record
	for turn := range 500 {
		r.Turn(Clock())
		for range turn % 23 {
			r.Begin(1, 1, 1)
			r.End(1, 0)
		}
		r.Flush(Clock())
		recs, next = r.Since(recs[:0], next)
		for _, rec := range recs {
			if rec.Seq != want || rec.Group == 0 {
				t.Fatalf("turn %d: record %+v, want number %d", turn, rec, want)
			}
			want++
		}
	}
	if next != want || r.Lost() != 0 || r.Published() != want {
		t.Errorf("next %d published %d lost %d, want %d, %d, 0", next, r.Published(), r.Lost(), want, want)
	}
}

func TestSinceCountsWhatWasOverwritten(t *testing.T) {
	r := newTest(t, Config{Records: 64})
	for range 1000 {
		r.Begin(1, 1, 1)
		r.End(1, 0)
	}
	r.Flush(Clock())
	recs, next := r.Since(nil, 0)
	if got := uint64(len(recs)) + r.Lost(); got != 1000 || next != 1001 {
		t.Errorf("%d records and %d lost, next %d", len(recs), r.Lost(), next)
	}
	if len(recs) < 64-4 {
		t.Errorf("only %d of 64 records", len(recs))
	}
	if recs, next = r.Since(nil, next); len(recs) != 0 || next != 1001 {
		t.Errorf("again: %d records, next %d", len(recs), next)
	}
}

func TestSessionReturnsItsLastRecordsInOrder(t *testing.T) {
	r := newTest(t, Config{})
	for i := range 100 {
		r.Begin(uint64(i%5), uint16(i), 1)
		if i < 99 {
			r.End(1, 0)
		}
	}
	var got []uint16
	for _, rec := range r.Session(nil, 4, 3) {
		got = append(got, rec.Type)
	}
	if diff := cmp.Diff([]uint16{89, 94, 99}, got); diff != "" {
		t.Errorf("types (-want +got):\n%s", diff)
	}
	if n := len(r.Session(nil, 77, 16)); n != 0 {
		t.Errorf("unknown session has %d records", n)
	}
}

func TestTrafficDoesNotEvictLifecycle(t *testing.T) {
	r := newTest(t, Config{Worker: 1, Records: 64, Lifecycle: 64})
	r.Turn(5)
	r.Event(KindSession, 11, 2, 0, 3, 4)
	for range 10_000 {
		r.Begin(1, 1, 1)
		r.End(1, 0)
	}
	r.Begin(1, 1, 1)
	r.Event(KindDBJob, 12, 0, 9, 0, 0)
	r.End(0, 0)
	r.Flush(Clock())
	got := r.Lifecycle(nil)
	want := []Record{
		{Session: 11, Seq: lifeBit | 1, Recv: 5, Type: 2, Size: 3, Out: 4, Kind: KindSession, Worker: 1, Group: 1},
		{Session: 12, Seq: lifeBit | 2, Recv: got[1].Recv, Err: 9, Flags: FlagError, Kind: KindDBJob, Worker: 1, Group: 1, Cause: makeRef(1, 10_001)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestRefNamesTheRecordBegunLast(t *testing.T) {
	r := newTest(t, Config{Worker: 0xfffe})
	if got := r.Ref().Seq(); got != 0 {
		t.Errorf("before the first: number %d", got)
	}
	for range 3 {
		r.Begin(1, 1, 1)
		r.End(1, 0)
	}
	r.Begin(1, 1, 1)
	ref, recs := r.Ref(), r.Snapshot(nil)
	if ref.Worker() != 0xfffe || ref.Seq() != 4 || ref.Lifecycle() || recs[3].Ref() != ref {
		t.Errorf("ref worker %x number %d, record's %x", ref.Worker(), ref.Seq(), recs[3].Ref())
	}
	r.Event(KindSession, 1, 0, 0, 0, 0)
	if life := r.Lifecycle(nil)[0].Ref(); !life.Lifecycle() || life.Worker() != 0xfffe {
		t.Errorf("event's ref %x", life)
	}
}

func TestWritersAndReadersDoNotAllocate(t *testing.T) {
	r := newTest(t, Config{Slow: 1})
	s, err := NewStore(StoreConfig{PerSecond: 1e6})
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]Record, 0, 8192)
	id := uint64(0)
	for name, f := range map[string]func(){
		"turn": func() {
			r.Turn(Clock())
			for range 5 {
				r.Begin(1, 2, 3)
				r.End(4, 0)
			}
			r.BeginFrom(r.Ref(), 1, 2, 3, 4)
			r.Break()
			r.Panic()
			r.End(4, 1)
			r.Event(KindSession, 1, 0, 0, 0, 0)
			r.Flush(Clock())
		},
		"snapshot":  func() { r.Snapshot(buf) },
		"since":     func() { r.Since(buf, 0) },
		"session":   func() { r.Session(buf, 1, 16) },
		"lifecycle": func() { r.Lifecycle(buf) },
		"keep":      func() { id++; s.KeepFrom(r, 1) },
	} {
		if n := testing.AllocsPerRun(200, f); n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func TestConfigReportsEveryBadFieldAtOnce(t *testing.T) {
	_, err := NewRecorder(Config{Records: 100, Lifecycle: 32, Group: 65, Slow: -1, Name: "../x"})
	if err == nil {
		t.Fatal("no error")
	}
	for _, field := range []string{"records", "lifecycle", "group", "slow", "name"} {
		if !strings.Contains(err.Error(), field+" ") {
			t.Errorf("%q does not name %s", err, field)
		}
	}
}

func TestFlagsAndKindsHaveWords(t *testing.T) {
	if got := (FlagOpen | FlagPanic).String(); got != "open|panic" {
		t.Errorf("flags: %q", got)
	}
	if 1<<len(flagNames) != flagsEnd {
		t.Errorf("%d flag names", len(flagNames))
	}
	if got := []string{KindPacket.String(), KindLANCall.String(), Kind(200).String()}; !slices.Equal(got, []string{"packet", "lan_call", "unknown"}) {
		t.Errorf("kinds: %q", got)
	}
}
