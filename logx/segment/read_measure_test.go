package segment

import (
	"testing"

	"vitrine/logx/record"
)

// sessionsAlive is how many sessions write at once, at random, in what is measured; each leaves about 250 records.
const sessionsAlive = 5000

// The index stays within 0.5 % of the data, and the filters leave out what they should, with as many sessions in a
// block as it has records, nearly.
func TestIndexIsSmallAndSelective(t *testing.T) {
	if testing.Short() || poolsForget {
		t.Skip("it makes 34 MiB of records, which is slow under the race detector and finds nothing there")
	}
	f := build(t, 1, 34*mib, newTraffic(50, sessionsAlive, 250), true).write(t, t.TempDir())
	s := f.open(t)
	data, index := s.Bytes()
	groups, blocks := falseRates(t, f, s)
	share := 100 * float64(index) / float64(data)
	t.Logf("index %.3f %% of %d MiB; false: %.2f %% of groups, %.1f %% of blocks; %d records of %d bytes",
		share, data>>20, 100*groups, 100*blocks, len(f.heads), int(data)/len(f.heads))
	if share > 0.5 || groups > 0.02 || blocks > 0.36 {
		t.Error("want at most 0.5 % index, 2 % of groups, 36 % of blocks")
	}
}

// The last group of a sealed segment is seldom full, and it has its filter all the same.
func TestLastGroupIsSelective(t *testing.T) {
	from := newTraffic(52, sessionsAlive, 250)
	s := build(t, 1, 9*mib, from, true).write(t, t.TempDir()).open(t)
	candidates := 0
	const asked = 200
	for range asked {
		for _, err := range s.Blocks(Want{Session: from.session()}) {
			if err != nil {
				t.Fatal(err)
			}
			candidates++
		}
	}
	if most := asked * 9 * 16 / 100; candidates > most {
		t.Errorf("%d candidates for %d sessions that never were, want at most %d", candidates, asked, most)
	}
}

// falseRates asks for sessions that never were: how many of the group filters say "maybe", and how many block filters.
func falseRates(t *testing.T, f *fixture, s *Segment) (groups, blocks float64) {
	t.Helper()
	from := newTraffic(51, 1, 1)
	const asked = 2000
	asks, group, block := 0, 0, 0
	for i := range asked {
		hash := mix(from.session())
		for g := range len(f.idx) / groupBytes {
			filter, err := parseGroupFilter(f.idx[filterOffset(g):])
			if err != nil {
				t.Fatal(err)
			}
			asks++
			if filter.maybe(hash) {
				group++
			}
		}
		_, filter, err := parseEntry(f.idx[entryOffset(i%256):], i%256)
		if err != nil {
			t.Fatal(err)
		}
		if filter.maybe(hash) {
			block++
		}
	}
	return float64(group) / float64(asks), float64(block) / asked
}

// benchDir has three segments of 128 MiB.
func benchDir(b *testing.B, compress bool) (dir string, session, last uint64) {
	b.Helper()
	dir = b.TempDir()
	from := newTraffic(52, sessionsAlive, 250)
	base := uint64(1)
	for i := range 3 {
		f := build(b, base, DefaultSegmentBytes, from, true).write(b, dir)
		base = f.end()
		if i == 1 {
			session = f.heads[len(f.heads)/2].Session
		}
		if compress {
			f.zip(b)
		}
	}
	return dir, session, base - 1
}

func forms(b *testing.B, run func(b *testing.B, dir string, session, last uint64)) {
	for name, compress := range map[string]bool{"plain": false, "zstd": true} {
		dir, session, last := benchDir(b, compress)
		b.Run(name, func(b *testing.B) { run(b, dir, session, last) })
	}
}

// BenchmarkByIndex opens the directory, finds one record and reads its block.
func BenchmarkByIndex(b *testing.B) {
	forms(b, func(b *testing.B, dir string, _, last uint64) {
		b.ReportAllocs()
		for i := uint64(0); b.Loop(); i++ {
			index := 1 + i*7919%last
			d, err := Open(dir)
			if err != nil {
				b.Fatal(err)
			}
			s := d.From(index)[0]
			block, err := s.Find(index)
			if err == nil {
				_, err = s.Read(block, nil)
			}
			if err != nil {
				b.Fatal(err)
			}
			d.Close()
		}
	})
}

// BenchmarkBySession opens the directory and looks at the head of every record in every candidate block, alone.
func BenchmarkBySession(b *testing.B) {
	forms(b, func(b *testing.B, dir string, session, _ uint64) {
		blocks, hits := 0, 0
		for b.Loop() {
			blocks, hits = 0, 0
			d, err := Open(dir)
			if err != nil {
				b.Fatal(err)
			}
			var buf []byte
			for _, s := range d.Segments() {
				for block, err := range s.Blocks(Want{Session: session}) {
					if err == nil {
						buf, err = s.Read(block, buf)
					}
					if err != nil {
						b.Fatal(err)
					}
					blocks++
					hits += countSession(b, buf, session)
				}
			}
			d.Close()
		}
		b.ReportMetric(float64(blocks), "blocks")
		b.ReportMetric(float64(hits), "hits")
	})
}

func countSession(b *testing.B, records []byte, session uint64) (n int) {
	for len(records) > 0 {
		v, err := record.ParseUnchecked(records)
		if err != nil {
			b.Fatal(err)
		}
		if v.Session == session {
			n++
		}
		records = records[v.Size():]
	}
	return n
}

// BenchmarkErrors opens the directory and gives every ERROR, from the copies in the postings.
func BenchmarkErrors(b *testing.B) {
	forms(b, func(b *testing.B, dir string, _, _ uint64) {
		hits := 0
		for b.Loop() {
			hits = 0
			d, err := Open(dir)
			if err != nil {
				b.Fatal(err)
			}
			var f Fetcher
			for _, s := range d.Segments() {
				for p, err := range s.Postings(Want{Levels: record.AtLeast(record.Error)}) {
					if err == nil {
						_, err = f.Fetch(s, p)
					}
					if err != nil {
						b.Fatal(err)
					}
					hits++
				}
			}
			d.Close()
		}
		b.ReportMetric(float64(hits), "hits")
	})
}

// BenchmarkRebuildInMemory opens a segment whose index is gone.
func BenchmarkRebuildInMemory(b *testing.B) {
	f := build(b, 1, DefaultSegmentBytes, newTraffic(53, sessionsAlive, 250), true)
	f.idx = nil
	f.write(b, b.TempDir())
	b.SetBytes(int64(len(f.log)))
	for b.Loop() {
		d, err := Open(f.dir)
		if err != nil {
			b.Fatal(err)
		}
		if err := d.Segments()[0].Load(); err != nil {
			b.Fatal(err)
		}
		d.Close()
	}
}
