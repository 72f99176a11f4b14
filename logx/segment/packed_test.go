package segment

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"vitrine/logx/record"
)

// randomEntry is a block behind another one, as no log has them but any may.
func randomEntry(random *rand.Rand, last *Block) packedEntry {
	e := packedEntry{columns: random.IntN(maxRibbonColumns + 1), solutions: random.IntN(maxSolutions + 1)}
	e.First, e.Offset, e.number = last.End(), uint32(last.end()), last.number+1
	e.Length = record.HeadBytes + random.Uint32N(MaxBlockBytes-record.HeadBytes)
	e.Count = 1 + random.Uint32N(e.Length/record.HeadBytes)
	times := [...]int64{math.MinInt64, -1, 0, 1, 1_800_000_000_000_000_000, math.MaxInt64}
	a, b := times[random.IntN(len(times))], times[random.IntN(len(times))]
	e.MinTime, e.MaxTime = min(a, b), max(a, b)
	e.Types, e.Levels = random.Uint64()>>random.IntN(64), record.Levels(random.Uint32())
	if random.IntN(2) == 0 {
		e.Types = last.Types
	}
	if random.IntN(2) == 0 {
		e.needle, e.sum, e.hidden = minNeedle+random.IntN(3), random.Uint32(), make([]byte, random.IntN(maxHidden+1))
	}
	return e
}

// Entries come back as they were, but for the times, which are rounded away from each other.
func TestPackedEntriesComeBack(t *testing.T) {
	random := rand.New(rand.NewPCG(30, 31))
	for range 200 {
		first := Block{First: 7, Offset: 40, number: -1}
		u := unpacker{last: packedEntry{Block: first}}
		u.last.number = 0
		var want []packedEntry
		var before packedEntry
		for last := &first; len(want) < 20; last = &want[len(want)-1].Block {
			e := randomEntry(random, last)
			u.entries = e.append(u.entries, &before)
			want, before = append(want, e), e
		}
		at := 0
		for _, w := range want {
			e, place, err := u.next()
			if err != nil || place != at {
				t.Fatalf("%+v: at %d %v, want %d", w, place, err, at)
			}
			if e.MinTime > w.MinTime || e.MaxTime < w.MaxTime || e.MinTime < w.MinTime&^(1<<tickBits-1) || e.MaxTime > w.MaxTime|(1<<tickBits-1) {
				t.Fatalf("times %d..%d, want %d..%d", e.MinTime, e.MaxTime, w.MinTime, w.MaxTime)
			}
			e.MinTime, e.MaxTime = w.MinTime, w.MaxTime
			if !reflect.DeepEqual(e, w) {
				t.Fatalf("got %+v, want %+v", e, w)
			}
			at += w.filterBytes()
		}
		if _, _, err := u.next(); !errors.Is(err, ErrCorrupt) {
			t.Fatalf("behind the last: %v", err)
		}
	}
}

// Whatever the sessions of the blocks: each is found in every block that it has a record in, and strangers in few.
func TestPackedIndexForgetsNobody(t *testing.T) {
	for name, from := range map[string]*traffic{
		"one session":       newTraffic(60, 1, 1<<30).of(4711),
		"few sessions":      newTraffic(61, 5, 100),
		"many sessions":     newTraffic(62, sessionsAlive, 250),
		"a session each":    newTraffic(63, 1, 1),
		"large records":     newTraffic(64, 20, 5).wide(),
		"no session at all": newTraffic(65, 1, 1<<30).of(0),
	} {
		t.Run(name, func(t *testing.T) {
			f := build(t, 7, mib, from, true).write(t, t.TempDir()).pack(t)
			s := f.open(t)
			holders := f.holders(t)
			for session, blocks := range holders {
				if asked := len(holders)/200 + 1; session%uint64(asked) != 0 {
					continue
				}
				found := map[uint64]bool{}
				for b, err := range s.Blocks(Want{Session: session}) {
					if err != nil {
						t.Fatal(err)
					}
					found[b.First] = true
				}
				for _, first := range blocks {
					if !found[first] {
						t.Fatalf("session %d is forgotten in the block of record %d", session, first)
					}
				}
			}
			if rate := strangers(t, s); rate > 0.16 { // that of 730 sessions in a block of a group too short for a filter
				t.Errorf("%.3f of the blocks for sessions that never were", rate)
			}
		})
	}
}

// holders gives for each session the blocks that have a record of it, by their first records.
func (f *fixture) holders(t *testing.T) map[uint64][]uint64 {
	t.Helper()
	all := map[uint64][]uint64{}
	for _, b := range f.blocks(t) {
		for _, h := range f.heads[b.First-f.base : b.End()-f.base] {
			if got := all[h.Session]; h.Session != 0 && (len(got) == 0 || got[len(got)-1] != b.First) {
				all[h.Session] = append(got, b.First)
			}
		}
	}
	return all
}

// strangers tells which part of the blocks is given for sessions that never were.
func strangers(t *testing.T, s *Segment) float64 {
	t.Helper()
	random := rand.New(rand.NewPCG(66, 67))
	all, given := 0, 0
	for range s.Blocks(Want{}) {
		all++
	}
	const asked = 300
	for range asked {
		for _, err := range s.Blocks(Want{Session: random.Uint64() | 1}) {
			if err != nil {
				t.Fatal(err)
			}
			given++
		}
	}
	return float64(given) / float64(all*asked)
}

// The packed index has the room of the first form and lets a third of the sessions pass that pass there, of those that are
// asked for: sessions of the same time.
func TestPackedIndexIsSmallAndSelective(t *testing.T) {
	if testing.Short() || poolsForget {
		t.Skip("it makes 17 MiB of records, which is slow under the race detector and finds nothing there")
	}
	f := build(t, 1, 17*mib, newTraffic(68, sessionsAlive, 250), true).write(t, t.TempDir()).pack(t)
	s := f.open(t)
	holders, end := f.holders(t), f.blocks(t)[groupBlocks].First
	asked, tested, wrong := 0, 0, 0
	for session, blocks := range holders {
		if session/2%16 != 0 {
			continue
		}
		asked++
		tested += groupBlocks
		for _, err := range s.Blocks(Want{Session: session, To: end}) {
			if err != nil {
				t.Fatal(err)
			}
			wrong++
		}
		for _, first := range blocks {
			if first < end {
				wrong--
				tested--
			}
		}
	}
	data, index := s.Bytes()
	share, rate := 100*float64(index)/float64(data), float64(wrong)/float64(tested)
	t.Logf("index %.3f %%, %d sessions asked for, %.4f of the others' blocks given", share, asked, rate)
	if share > 0.5 || rate > 0.115 || asked < 100 {
		t.Error("want at most 0.5 % index, and 11.5 % of the others' blocks")
	}
}

// A block whose heads cannot be read is given for every session, and costs the others nothing.
func TestCompressionKeepsBlocksThatCannotBeRead(t *testing.T) {
	d := newDesk(t, Config{})
	d.put(3000)
	must(t, d.w.Rotate())
	must(t, d.close())
	log := d.read(1, suffixLog)
	order.PutUint32(log[len(log)/2:], math.MaxUint32)
	order.PutUint32(log[len(log)/2+4:], math.MaxUint32)
	for i := range 200 {
		log[len(log)/2+i] = 0xff
	}
	d.overwrite(1, suffixLog, log)
	d.config.Compress = true
	must(t, d.config.SetDefaults())
	b := &background{config: &d.config, counters: &counters{}, quit: make(chan struct{})}
	must(t, b.compress(1))
	s := openDir(t, d.config.Dir).Segments()[0]
	for _, session := range []uint64{1 << 50, 3 << 40} {
		given := 0
		for block, err := range s.Blocks(Want{Session: session}) {
			if err != nil {
				t.Fatal(err)
			}
			if given++; int64(block.Offset) > int64(len(log)/2) || block.end() <= int64(len(log)/2) {
				t.Errorf("session %d: block at %d", session, block.Offset)
			}
		}
		if given != 1 {
			t.Errorf("session %d: %d blocks", session, given)
		}
	}
}

// packedRight puts the checksums of a packed index right.
func packedRight(b []byte) {
	if len(b) < packedHeaderBytes+trailerBytes {
		return
	}
	end := len(b) - trailerBytes
	groups := int(min(order.Uint32(b[end:]), uint32((end-packedHeaderBytes)/groupEntryBytes)))
	start := end - groups*groupEntryBytes
	at := packedHeaderBytes
	for i := range groups {
		e := b[start+i*groupEntryBytes:]
		for kind := range groupParts {
			next := at + int(order.Uint32(e[8+8*kind:]))
			if next > start {
				break
			}
			order.PutUint32(e[12+8*kind:], sum(b[at:next]))
			at = next
		}
	}
	check := append(bytes.Clone(b[:packedHeaderBytes]), b[start:end+trailerSummed]...)
	order.PutUint32(b[end+16:], sum(check))
}

func FuzzPackedIndexFile(f *testing.F) {
	s := tiny(f, true)
	seed := s.packed(f)
	for _, malice := range []bool{false, true} {
		f.Add(malice, seed)
		f.Add(malice, seed[:len(seed)/2])
		f.Add(malice, append(bytes.Clone(seed[:100]), seed[len(seed)-trailerBytes:]...))
	}
	f.Fuzz(func(t *testing.T, malice bool, b []byte) {
		s := *s
		s.write(t, t.TempDir())
		if malice {
			packedRight(b)
		}
		put(t, s.path(suffixIndex), b)
		s.use(t, s.open(t))
	})
}

// Any changed byte of a packed index whose checksums are right again: the answers have no record twice, and never lack one
// without an error but for what the filters and summaries now say.
func TestLyingPackedIndexGivesNoRecordTwice(t *testing.T) {
	f := tiny(t, true)
	whole := f.packed(t)
	dir := t.TempDir()
	for at := packedHeaderBytes; at < len(whole); at++ {
		b := bytes.Clone(whole)
		b[at] ^= 0x41
		packedRight(b)
		f.write(t, dir)
		put(t, f.path(suffixIndex), b)
		d := openDir(t, dir)
		last := uint64(0)
		hits, _, err := found(d.Segments()[0], Want{})
		for _, index := range hits {
			if index <= last {
				t.Fatalf("byte %d: record %d after record %d", at, index, last)
			}
			last = index
		}
		if err == nil && len(hits) != len(f.heads) || err != nil && !errors.Is(err, ErrCorrupt) && !errors.Is(err, record.ErrCorrupt) && !errors.Is(err, record.ErrShort) {
			t.Fatalf("byte %d: %d records %v", at, len(hits), err)
		}
		d.Close()
	}
}
