package flight

import (
	"math"
	"math/rand/v2"
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
	t.Cleanup(func() { r.Close() })
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

func TestTheClockIsReadOncePerGroup(t *testing.T) {
	for _, group := range []int{1, 4, 8} {
		reads := 0
		r := newTest(t, Config{Group: group, Clock: func() int64 { reads++; return int64(reads) }})
		r.Turn(0)
		reads = 0
		for range 64 {
			r.Begin(1, 1, 1)
			r.End(1, 0)
		}
		r.Flush(100)
		if reads != 64/group {
			t.Errorf("group %d: %d clock reads for 64 packets", group, reads)
		}
	}
}

// model repeats what a recorder was told and remembers when it truly happened.
type model struct {
	clock  manual
	began  []int64 // by number - 1
	ended  []int64
	random *rand.Rand
}

// run drives r through random turns: packets of random length, pauses between
// them, a Break inside or between some. Every step of the clock happens between
// two calls, so began and ended are exact.
func (m *model) run(r *Recorder, packets int) {
	for n := 0; n < packets; {
		m.pass(1000)
		r.Turn(m.clock.now)
		for range m.random.IntN(12) {
			m.packet(r)
			n++
		}
		m.pass(10)
		r.Flush(m.clock.now)
	}
}

func (m *model) packet(r *Recorder) {
	m.pass(5)
	m.began = append(m.began, m.clock.now)
	r.Begin(1, 1, 1)
	m.pass(20)
	for m.random.IntN(6) == 0 {
		r.Break()
		m.pass(5000)
	}
	m.ended = append(m.ended, m.clock.now)
	r.End(1, 0)
	if m.random.IntN(10) == 0 {
		r.Break()
	}
}

func (m *model) pass(most int64) { m.clock.now += m.random.Int64N(most + 1) }

func TestASlowPacketAlwaysMakesItsGroupSlow(t *testing.T) {
	for seed := range uint64(20) {
		for _, group := range []int{1, 2, 4, 7} {
			m := &model{random: rand.New(rand.NewPCG(seed, 1))}
			r := newTest(t, Config{Group: group, Clock: m.clock.read, Records: 4096})
			m.run(r, 1500)
			recs := r.Snapshot(nil)
			if len(recs) != len(m.began) {
				t.Fatalf("seed %d: %d records of %d packets", seed, len(recs), len(m.began))
			}
			for i, rec := range recs {
				m.verify(t, i, rec)
			}
		}
	}
}

// verify checks the two promises of a record's times: its Handle covers its own
// duration, and its Recv is early by less than Handle.
func (m *model) verify(t *testing.T, i int, rec Record) {
	t.Helper()
	took, handle := m.ended[i]-m.began[i], int64(rec.Handle)
	if rec.Seq != uint64(i+1) {
		t.Fatalf("record %d has number %d", i, rec.Seq)
	}
	if took > handle {
		t.Errorf("packet %d took %d, its group %d: %+v", i, took, handle, rec)
	}
	if early := m.began[i] - rec.Recv; early < 0 || early > handle {
		t.Errorf("packet %d began %d after its Recv, Handle %d", i, early, handle)
	}
}

func TestBreakIsolatesThePacketThatBlocks(t *testing.T) {
	m := &manual{}
	r := newTest(t, Config{Clock: m.read})
	r.Turn(0)
	packet := func(length int64, block int64) {
		r.Begin(1, 1, 1)
		m.now += length
		if block > 0 {
			r.Break()
			m.now += block
		}
		r.End(0, 0)
	}
	packet(10, 0)
	packet(10, 500)
	for range 4 {
		packet(10, 0)
	}
	r.Flush(m.now)
	type line struct {
		Recv       int64
		Handle     uint32
		Group, Pos uint8
		Flags      Flags
	}
	var got []line
	for _, rec := range r.Snapshot(nil) {
		got = append(got, line{rec.Recv, rec.Handle, rec.Group, rec.Pos, rec.Flags})
	}
	want := []line{
		{0, 20, 1, 0, 0},
		{0, 520, 1, 0, FlagBlocked},
		{520, 40, 4, 0, 0}, // and groups go on as before
		{520, 40, 4, 1, 0},
		{520, 40, 4, 2, 0},
		{520, 40, 4, 3, 0},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("records (-want +got):\n%s", diff)
	}
}

func TestHandleAndWaitSaturate(t *testing.T) {
	m := &manual{now: 10e9}
	r := newTest(t, Config{Clock: m.read, Group: 1})
	r.Turn(m.now)
	r.BeginFrom(makeRef(9, 5), 1e9, 1, 1, 1)
	m.now += 10e9
	r.End(0, 0)
	r.BeginFrom(makeRef(9, 6), m.now+50, 1, 1, 1) // stamped after the group began
	r.End(0, 0)
	recs := r.Snapshot(nil)
	if recs[0].Handle != math.MaxUint32 || recs[0].Wait != math.MaxUint32 {
		t.Errorf("long: wait %d, handle %d", recs[0].Wait, recs[0].Handle)
	}
	if recs[1].Wait != 0 || recs[1].Cause != makeRef(9, 6) {
		t.Errorf("early: wait %d, cause %x", recs[1].Wait, recs[1].Cause)
	}
}

func TestSlowGroupsAreFlagged(t *testing.T) {
	m := &manual{}
	r := newTest(t, Config{Clock: m.read, Slow: 100, Group: 2})
	r.Turn(0)
	for _, length := range []int64{40, 40, 10, 91} {
		r.Begin(1, 1, 1)
		m.now += length
		r.End(0, 0)
	}
	var got []Flags
	for _, rec := range r.Snapshot(nil) {
		got = append(got, rec.Flags)
	}
	if diff := cmp.Diff([]Flags{0, 0, FlagSlow, FlagSlow}, got); diff != "" {
		t.Errorf("flags (-want +got):\n%s", diff)
	}
}
