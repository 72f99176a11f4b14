package query

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"vitrine/logx/record"
)

func (l *log) verified() Report {
	l.t.Helper()
	report, err := Verify(context.Background(), l.dir, nil)
	if err != nil {
		l.t.Fatal(err)
	}
	return report
}

// file is the path of a file of the segment that begins at base.
func (l *log) file(base uint64, suffix string) string {
	return filepath.Join(l.dir, fmt.Sprintf("%020d%s", base, suffix))
}

// bases lists the segments that are not compressed.
func (l *log) bases() (bases []uint64) {
	l.t.Helper()
	names, err := filepath.Glob(filepath.Join(l.dir, "*.log"))
	if err != nil {
		l.t.Fatal(err)
	}
	for _, name := range names {
		var base uint64
		if _, err := fmt.Sscanf(filepath.Base(name), "%d.log", &base); err != nil {
			l.t.Fatal(err)
		}
		bases = append(bases, base)
	}
	return bases
}

func TestVerifyFindsNothingWrongInAWholeLog(t *testing.T) {
	for name, l := range map[string]*log{
		"plain":      newLog(t, shape{seed: 1}).add(30_000),
		"compressed": newLog(t, shape{seed: 2, compress: true}).add(30_000).compressed(),
		"dead":       died(newLog(t, shape{seed: 3}).add(29_900), 100),
	} {
		l.t = t
		var done, total int64
		r, err := Verify(context.Background(), l.dir, func(d, of int64) {
			if d < done || d > of {
				t.Errorf("%s: %d after %d of %d", name, d, done, of)
			}
			done, total = d, of
		})
		if err != nil || !r.Clean() || r.Records+r.Pending != 30_000 || r.First != 1 || r.Last+r.Pending != 30_000 || r.Segments < 3 {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
		if total == 0 || done < total {
			t.Errorf("%s: progress ended at %d of %d", name, done, total)
		}
	}
}

func TestVerifyCountsWhatWaitsInARing(t *testing.T) {
	l := newLog(t, shape{seed: 4})
	l.die(20)
	if r := l.verified(); !r.Clean() || r.Records != 0 || r.Pending != 20 {
		t.Errorf("%+v, want 20 pending", r)
	}
}

// A segment that is taken out of the middle is a gap; one at the front is what retention does.
func TestVerifyFindsGaps(t *testing.T) {
	l := newLog(t, shape{seed: 5}).add(60_000)
	bases := l.bases()
	if len(bases) < 4 {
		t.Fatalf("%d segments are too few for this test", len(bases))
	}
	l.close()
	for _, base := range []uint64{bases[0], bases[2]} {
		for _, suffix := range []string{".log", ".idx", ".warn"} {
			if err := os.Remove(l.file(base, suffix)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
		}
	}
	r := l.verified()
	want := Gap{bases[2], bases[3] - 1}
	if r.GapCount != 1 || len(r.Gaps) != 1 || r.Gaps[0] != want || r.Clean() || r.First != bases[1] {
		t.Errorf("%+v, want the gap %v", r, want)
	}
	lines, _ := l.found(Query{})
	if len(lines) != int(r.Records) {
		t.Errorf("a search gives %d records, want %d", len(lines), r.Records)
	}
}

// Records that are in two segments are given once, and told of.
func TestDuplicatesAreFoundAndGivenOnce(t *testing.T) {
	l := newLog(t, shape{seed: 6}).add(30_000)
	bases := l.bases()
	l.close()
	first, again := l.records[bases[1]-1-500], bases[1]-500 // the second segment begins 500 records earlier, in a copy
	if first.Index != again {
		t.Fatalf("record %d, want %d", first.Index, again)
	}
	data, err := os.ReadFile(l.file(bases[1], ".log"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(l.file(again, ".log"), rebased(t, data, again, l.records[again-1:bases[1]+1000]), 0o600); err != nil {
		t.Fatal(err)
	}
	r := l.verified()
	if r.Duplicated != 1501 || len(r.Duplicates) != 2 || r.Clean() {
		t.Errorf("%+v, want 1501 duplicates in two runs", r)
	}
	for _, q := range []Query{{}, {MinLevel: record.Warn}, {Session: 3}, {From: again, To: again + 1}, {From: bases[1] - 1, To: bases[1] + 2}} {
		lines, _ := l.found(q)
		same(t, lines, l.want(q))
	}
}

// rebased makes an unsealed segment of records, with the header of another but for its base.
func rebased(t *testing.T, data []byte, base uint64, records []record.Record) []byte {
	t.Helper()
	out := header(data, base)
	for i := range records {
		out = record.Append(out, &records[i].Head, payload(&records[i]))
	}
	return out
}

func TestDamageIsToldAndTheRestGiven(t *testing.T) {
	l := newLog(t, shape{seed: 7}).add(30_000)
	bases := l.bases()
	l.close()
	path := l.file(bases[1], ".log")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name   string
		offset int
		most   int // records that may be missing
	}{
		{"message", bytes.Index(whole[200_000:], []byte("message")) + 200_000, 1},
		{"length of a record", bytes.Index(whole[200_000:], []byte("message")) + 200_000 - record.HeadBytes, 1200},
		{"header", 20, int(bases[2] - bases[1])},
	} {
		t.Run(test.name, func(t *testing.T) {
			l.t = t
			damaged := bytes.Clone(whole)
			damaged[test.offset] ^= 0x40
			if err := os.WriteFile(path, damaged, 0o600); err != nil {
				t.Fatal(err)
			}
			var lines []string
			stats, err := Search(context.Background(), l.dir, Query{}, collect(&lines))
			if !errors.Is(err, ErrCorrupt) || stats.Corrupted == 0 || len(stats.Corrupt) == 0 || stats.Corrupt[0].Segment != bases[1] {
				t.Errorf("%v, %+v; want ErrCorrupt and the place", err, stats)
			}
			if missing := 30_000 - len(lines); missing < 1 || missing > test.most {
				t.Errorf("%d records are missing, want 1 to %d", missing, test.most)
			}
			if r := l.verified(); r.Clean() {
				t.Errorf("verify finds nothing: %+v", r)
			}
		})
	}
}

// One flipped bit anywhere is no panic and no silence: what is missing from the answer is told of, and what can be made
// again from the data is not missing.
func TestNoFlippedBitIsPassedOver(t *testing.T) {
	l := newLog(t, shape{seed: 9}).add(8_000)
	l.close()
	rng := rand.New(rand.NewPCG(9, 9))
	for round := range 15 {
		suffix := []string{".log", ".idx", ".warn"}[round%3]
		path := l.file(1, suffix)
		whole, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		bit := rng.IntN(8 * len(whole))
		damaged := bytes.Clone(whole)
		damaged[bit/8] ^= 1 << (bit % 8)
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, q := range []Query{{}, {MinLevel: record.Warn}, {MinLevel: record.Error}} {
			var lines []string
			stats, err := Search(context.Background(), l.dir, q, collect(&lines))
			missing := len(l.want(q)) - len(lines)
			if missing < 0 || missing > 0 && (suffix != ".log" || !errors.Is(err, ErrCorrupt) || stats.Corrupted == 0) {
				t.Errorf("bit %d of %s, level %v: %d records missing, %v", bit, suffix, q.MinLevel, missing, err)
			}
			same(t, lines, subset(l.want(q), lines))
		}
		if r := l.verified(); r.Clean() {
			t.Errorf("bit %d of %s: verify finds nothing", bit, suffix)
		}
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// subset is what of all is also in some, in the order of all.
func subset(all, some []string) (both []string) {
	for _, line := range all {
		if len(both) < len(some) && line == some[len(both)] {
			both = append(both, line)
		}
	}
	return both
}

func TestVerifyEndsWithItsContext(t *testing.T) {
	l := newLog(t, shape{seed: 8}).add(1000)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Verify(ctx, l.dir, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want that of the context", err)
	}
}
