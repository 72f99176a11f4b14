package segment

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/klauspost/compress/zstd"
)

func TestUnmixIsTheWayBack(t *testing.T) {
	random := rand.New(rand.NewPCG(70, 71))
	for i := range 1000 {
		for _, session := range []uint64{random.Uint64(), uint64(i), ^uint64(i)} {
			if got := unmix(mix(session)); got != session {
				t.Fatalf("%x became %x", session, got)
			}
		}
	}
}

// Each session is seen by its low bytes, or is among the hidden ones.
func TestSightSeesOrNames(t *testing.T) {
	random := rand.New(rand.NewPCG(72, 73))
	var s sight
	for _, c := range []struct{ sessions, in, needle int }{
		{maxRibbonKeys + 1, maxRibbonKeys + 1, 0}, {2 * sightSlots, 0, 0}, {0, 0, 4}, {1, 1, 4}, {1, 0, 4}, {3, 0, 0}, {600, 600, 4}, {600, 590, 4}, {600, 300, 0}, {1821, 1821, 4},
	} {
		rows := rowsOf(random, c.sessions)
		frame := make([]byte, 50)
		for i := range rows[:c.in] {
			var id [8]byte
			order.PutUint64(id[:], unmix(rows[i].hash))
			frame = append(frame, id[:5]...)
		}
		needle, hidden := s.look(nil, rows, frame)
		if needle != c.needle || len(hidden) > maxHidden {
			t.Errorf("%d of %d sessions in the frame: needle %d and %d hidden, want %d", c.in, c.sessions, needle, len(hidden), c.needle)
		}
		e := packedEntry{needle: needle, hidden: hidden}
		for i := range rows {
			var id [8]byte
			order.PutUint64(id[:], unmix(rows[i].hash))
			if !e.hides(rows[i].hash) && !bytes.Contains(frame, id[:needle]) {
				t.Fatalf("%d of %d sessions in the frame: one is neither seen nor hidden", c.in, c.sessions)
			}
		}
	}
}

// Ids with few low bytes that differ are looked for by fewer.
func TestSightTakesAShorterNeedle(t *testing.T) {
	var s sight
	var rows []row
	var frame []byte
	for i := range uint64(200) {
		session := i<<32 | 0xaa0000 | i*7
		rows = append(rows, newRow(mix(session)))
		frame = append(frame, byte(session), byte(session>>8), 1)
	}
	if needle, hidden := s.look(nil, rows, frame); needle != 2 || len(hidden) > 6 {
		t.Errorf("needle %d, %d hidden", needle, len(hidden))
	}
}

// Blocks of compressed segments that the index gives in vain are not decoded, and a session that has records is always given
// them; a frame that is damaged is decoded all the same, so that somebody is told.
func TestReadSessionLeavesOutWhatIsNotThere(t *testing.T) {
	from := newTraffic(74, 1000, 300)
	f := build(t, 9, 4*mib, from, true).write(t, t.TempDir()).pack(t)
	s := f.open(t)
	empty, holders := 0, f.holders(t)
	for session, want := range holders {
		if session/2%8 != 0 {
			continue
		}
		at := 0
		for b, err := range s.Blocks(Want{Session: session}) {
			if err != nil {
				t.Fatal(err)
			}
			records, err := s.ReadSession(b, session, nil)
			if err != nil {
				t.Fatal(err)
			}
			holds := at < len(want) && want[at] == b.First
			if holds {
				at++
			}
			if holds && len(records) == 0 {
				t.Fatalf("session %d has records in the block of record %d", session, b.First)
			}
			if len(records) == 0 {
				empty++
			}
		}
		if at != len(want) {
			t.Fatalf("session %d: %d blocks of %d", session, at, len(want))
		}
	}
	if empty < 50 {
		t.Errorf("%d blocks were not decoded", empty)
	}
}

func TestReadSessionDoesNotTrustADamagedFrame(t *testing.T) {
	f := build(t, 9, mib, newTraffic(75, 100, 300), true).write(t, t.TempDir()).pack(t)
	s := f.open(t)
	zst := f.compressed(t)
	frames, err := readFrameTable(bytes.NewReader(zst), int64(len(zst)))
	if err != nil {
		t.Fatal(err)
	}
	session := f.heads[len(f.heads)/2].Session
	tested := 0
	for b, err := range s.Blocks(Want{Session: session}) {
		if err != nil {
			t.Fatal(err)
		}
		if b.needle == 0 {
			continue
		}
		tested++
		frame := bytes.Clone(zst[frames[b.number+1]:frames[b.number+2]])
		in := inflater{buf: frame}
		if in.shows(session, &b) != bytes.Contains(frame, order.AppendUint64(nil, session)[:b.needle]) {
			t.Errorf("block %d as it is: %v", b.number, in.shows(session, &b))
		}
		in.buf = bytes.Repeat([]byte{0}, len(frame))
		if !in.shows(session, &b) {
			t.Errorf("block %d as zeros has nothing", b.number)
		}
	}
	if tested == 0 {
		t.Error("no block has a needle")
	}
}

func BenchmarkSight(b *testing.B) {
	f := build(b, 9, mib, newTraffic(76, sessionsAlive, 300), true)
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithNoEntropyCompression(true))
	if err != nil {
		b.Fatal(err)
	}
	defer enc.Close()
	block := f.blocks(b)[3]
	frame := enc.EncodeAll(f.log[block.Offset:block.end()], nil)
	var rows []row
	for _, h := range f.heads[block.First-f.base : block.End()-f.base] {
		if h.Session != 0 {
			rows = append(rows, newRow(mix(h.Session)))
		}
	}
	var s sight
	for b.Loop() {
		s.look(nil, rows, frame)
	}
}
