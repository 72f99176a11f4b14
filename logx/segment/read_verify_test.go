package segment

import (
	"bytes"
	"context"
	"errors"
	"os"
	"strings"
	"testing"
)

func verify(t *testing.T, s *Segment) Report {
	t.Helper()
	read := int64(0)
	r, err := s.Verify(context.Background(), func(n int64) { read += n })
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Problems) == 0 && read == 0 && r.Records > 0 {
		t.Error("no progress")
	}
	for _, p := range r.Problems {
		if !errors.Is(p.Err, ErrCorrupt) || p.File == "" {
			t.Errorf("problem %+v is not typed", p)
		}
	}
	return r
}

func TestVerifyPassesWhatIsWhole(t *testing.T) {
	for _, c := range []struct {
		name      string
		seal, zip bool
		cut       int
		torn      bool
	}{
		{"sealed", true, false, 0, false}, {"compressed", true, true, 0, false},
		{"open", false, false, 0, false}, {"half a record", false, false, 11, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := build(t, 3, 3*mib, newTraffic(20, 300, 200), c.seal)
			want := len(f.heads)
			if c.cut > 0 {
				f.log = f.log[:len(f.log)-c.cut]
				want--
			}
			f.write(t, t.TempDir())
			if c.zip {
				f.zip(t)
			}
			r := verify(t, f.open(t))
			if !r.OK() || r.Records != uint64(want) || r.First != 3 || r.Last != 2+uint64(want) || r.Bytes == 0 ||
				(r.Torn > 0) != c.torn || r.Sealed != c.seal || r.Compressed != c.zip || r.Blocks < 40 {
				t.Errorf("%+v", r)
			}
		})
	}
}

// Damage anywhere in any file is found, named, and, in the data, costs no more than its block.
func TestVerifyFindsDamage(t *testing.T) {
	if poolsForget {
		t.Skip("one goroutine reads many files, which is slow under the race detector and finds nothing there")
	}
	f := build(t, 3, 3*mib, newTraffic(21, 300, 200), true)
	group := build(t, 3, 17*mib, newTraffic(21, 300, 200).wide(), true)
	blocks := f.blocks(t)
	cases := []struct {
		name, suffix string
		at           int
		file         string
		zip          bool
		lost         bool
	}{
		{"header", suffixLog, 20, ".log", false, false},
		{"record", suffixLog, int(blocks[20].Offset) + 50, ".log", false, true},
		{"length of a record", suffixLog, int(blocks[20].Offset), ".log", false, true},
		{"last record", suffixLog, len(f.log) - FooterBytes - 3, ".log", false, true},
		{"footer", suffixLog, len(f.log) - 10, ".log", false, false},
		{"index header", suffixIndex, 9, ".idx", false, false},
		{"entry", suffixIndex, int(entryOffset(30)) + 100, ".idx", false, false},
		{"group filter", suffixIndex, int(filterOffset(0)) + 4000, ".idx", false, false},
		{"postings header", suffixWarn, 30, ".warn", false, false},
		{"posting", suffixWarn, len(f.warn) - 5, ".warn", false, false},
		{"frame", suffixZstd, 300_000, ".log.zst", true, true},
		{"frame table", suffixZstd, -30, ".log.zst", true, false},
		{"packed index, header", suffixIndex, 9, ".idx", true, false},
		{"packed index, filter", suffixIndex, 100, ".idx", true, false},
		{"packed index, entry", suffixIndex, f.partAt(t, partEntries) + 5, ".idx", true, false},
		{"packed index, directory", suffixIndex, -trailerBytes - 5, ".idx", true, false},
		{"packed index, frame", suffixZstd, 300_000, ".log.zst", true, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			g := *f
			if c.name == "group filter" {
				g = *group
			}
			g.write(t, t.TempDir())
			if strings.HasPrefix(c.name, "packed") {
				g.pack(t)
			} else if c.zip {
				g.zip(t)
			}
			if c.at < 0 {
				info, err := os.Stat(g.path(c.suffix))
				if err != nil {
					t.Fatal(err)
				}
				c.at += int(info.Size())
			}
			g.flip(t, c.suffix, c.at)
			r := verify(t, g.open(t))
			if r.OK() || len(r.Problems) == 0 || !strings.HasSuffix(r.Problems[0].File, c.file) {
				t.Fatalf("%+v", r)
			}
			if (r.Lost > 0) != c.lost || r.Lost > 5000 || c.lost && r.Records+r.Lost != uint64(len(f.heads)) {
				t.Errorf("%d records, %d lost of %d", r.Records, r.Lost, len(f.heads))
			}
		})
	}
}

func TestVerifyTellsOfMissingAndForeignFiles(t *testing.T) {
	f := build(t, 3, 2*mib, newTraffic(22, 50, 200), true).write(t, t.TempDir())
	f.remove(t, suffixIndex, suffixWarn)
	if r := verify(t, f.open(t)); !r.OK() || !r.NoIndex || !r.NoPostings {
		t.Errorf("missing: %+v", r)
	}
	put(t, f.path(suffixIndex), f.idx[:len(f.idx)-1])
	put(t, f.path(suffixWarn), append(bytes.Clone(f.warn), 0))
	if r := verify(t, f.open(t)); len(r.Problems) != 2 {
		t.Errorf("short and long: %+v", r)
	}
}

func TestVerifyEndsWithItsContext(t *testing.T) {
	f := build(t, 3, 2*mib, newTraffic(23, 50, 200), true).write(t, t.TempDir())
	ctx, cancel := context.WithCancel(context.Background())
	_, err := f.open(t).Verify(ctx, func(int64) { cancel() })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestRebuildMakesTheSameFiles(t *testing.T) {
	for _, c := range []struct {
		name      string
		seal, zip bool
	}{{"sealed", true, false}, {"compressed", true, true}, {"open", false, false}} {
		t.Run(c.name, func(t *testing.T) {
			traffic := newTraffic(24, 300, 200).wide()
			traffic.errors = 40 // more than may be copied
			f := build(t, 3, 17*mib, traffic, c.seal).write(t, t.TempDir())
			suffix := suffixLog
			if c.zip {
				f.zip(t)
				suffix = suffixZstd
			}
			f.remove(t, suffixIndex)
			f.flip(t, suffixWarn, 100)
			if err := Rebuild(OS(), f.path(suffix)); err != nil {
				t.Fatal(err)
			}
			idx := f.idx
			if c.zip {
				idx = f.packed(t)
			}
			for suffix, want := range map[string][]byte{suffixIndex: idx, suffixWarn: f.warn} {
				if got, err := os.ReadFile(f.path(suffix)); err != nil || !bytes.Equal(got, want) {
					t.Errorf("%s: %d bytes %v, want the %d there were", suffix, len(got), err, len(want))
				}
			}
			if names, _ := os.ReadDir(f.dir); len(names) != 3 {
				t.Errorf("%d files, want 3", len(names))
			}
		})
	}
}

func TestRebuildRefusesDamagedData(t *testing.T) {
	f := build(t, 3, 2*mib, newTraffic(25, 50, 200), true).write(t, t.TempDir())
	f.flip(t, suffixLog, mib)
	if err := Rebuild(OS(), f.path(suffixLog)); !errors.Is(err, ErrCorrupt) {
		t.Errorf("damaged: %v", err)
	}
	if got, _ := os.ReadFile(f.path(suffixIndex)); !bytes.Equal(got, f.idx) {
		t.Error("the index was replaced")
	}
	if names, _ := os.ReadDir(f.dir); len(names) != 3 {
		t.Errorf("%d files, want 3", len(names))
	}
	if err := Rebuild(OS(), f.path(suffixIndex)); err == nil {
		t.Error("an index was taken for data")
	}
	if err := Rebuild(OS(), f.dir+"/00000000000000000009.log"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// The index of a segment has its last entries before its footer stands, or a part of it: nothing is wrong with that.
func TestVerifyBesideASeal(t *testing.T) {
	f := build(t, 3, 9*mib, newTraffic(26, 50, 200).wide(), true) // enough blocks for a last filter
	log, idx := f.log, f.idx
	for _, c := range []struct{ footer, idx int }{
		{0, 0}, {0, 1}, {0, groupFilterSize}, {0, groupFilterSize + 1}, {0, groupFilterSize + entryBytes}, {1, 0}, {8, 0}, {63, 0},
	} {
		f.log, f.idx = log[:len(log)-FooterBytes+c.footer], idx[:len(idx)-c.idx]
		f.write(t, t.TempDir())
		if r := verify(t, f.open(t)); !r.OK() || r.Records != uint64(len(f.heads)) || r.Sealed {
			t.Errorf("%d bytes of the footer, index without its last %d: %+v", c.footer, c.idx, r)
		}
	}
	f.log = log[:len(log)-FooterBytes]
	for name, damaged := range map[string][]byte{
		"longer": append(bytes.Clone(idx), 0), "entry": flipped(idx, len(idx)-groupFilterSize-9), "filter": flipped(idx, len(idx)-9),
	} {
		f.idx = damaged
		f.write(t, t.TempDir())
		if r := verify(t, f.open(t)); len(r.Problems) != 1 || r.Problems[0].File != fileName(f.base, suffixIndex) {
			t.Errorf("%s: %+v", name, r)
		}
	}
}

// flipped is b with one bit changed.
func flipped(b []byte, at int) []byte {
	b = bytes.Clone(b)
	b[at] ^= 1
	return b
}
