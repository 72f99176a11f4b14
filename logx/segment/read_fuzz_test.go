package segment

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"runtime"
	"testing"

	"github.com/klauspost/compress/zstd"

	"vitrine/logx/record"
)

// use asks a segment everything and wants typed errors at worst.
func (f *fixture) use(t *testing.T, s *Segment) {
	t.Helper()
	typed := func(what string, err error) {
		if err != nil && !errors.Is(err, ErrCorrupt) && !errors.Is(err, ErrRemoved) && !errors.Is(err, ErrNoRecord) &&
			!errors.Is(err, record.ErrCorrupt) && !errors.Is(err, record.ErrShort) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, w := range []Want{{}, {Session: f.heads[0].Session}, {From: f.base + 5, To: f.base + 9}, {Levels: 1 << record.Error}, {Since: f.heads[3].Time}} {
		_, _, err := found(s, w)
		typed("blocks", err)
		var fetcher Fetcher
		for p, err := range s.Postings(w) {
			typed("postings", err)
			if err == nil {
				_, err = fetcher.Fetch(s, p)
				typed("fetch", err)
			}
		}
	}
	_, err := s.Find(f.end() - 1)
	typed("find", err)
	s.Times()
	s.Bytes()
	_, err = s.Verify(context.Background(), nil)
	typed("verify", err)
	err = Rebuild(hasty{OS()}, f.path(suffixLog))
	if !errors.Is(err, os.ErrNotExist) {
		typed("rebuild", err)
	}
}

// hasty is a file system that syncs nothing.
type hasty struct{ FS }

type hastyFile struct{ File }

func (h hasty) OpenFile(name string, flag int, perm fs.FileMode) (File, error) {
	f, err := h.FS.OpenFile(name, flag, perm)
	return hastyFile{f}, err
}

func (hasty) SyncDir(string) error { return nil }
func (hastyFile) Sync() error      { return nil }

// tiny is a segment of three blocks, sealed or not.
func tiny(t testing.TB, seal bool) *fixture {
	from := newTraffic(40, 5, 20)
	from.errors, from.warns = 30, 30
	return build(t, 12, 3*BlockBytes, from.wide(), seal)
}

// fuzzFile fuzzes one file of a segment, sealed or not, whose other files are as they should be. right puts checksums
// right, as damage never does and malice may.
func fuzzFile(f *testing.F, suffix string, seeds func(*fixture) []byte, right func([]byte)) {
	open, sealed := tiny(f, false), tiny(f, true)
	for _, s := range []*fixture{open, sealed} {
		if b := seeds(s); b != nil {
			for _, malice := range []bool{false, true} {
				f.Add(s == sealed, malice, b)
				f.Add(s == sealed, malice, b[:len(b)/2])
			}
			f.Add(s == sealed, false, []byte{})
		}
	}
	f.Fuzz(func(t *testing.T, seal, malice bool, b []byte) {
		s := *open
		if seal {
			s = *sealed
		}
		s.write(t, t.TempDir())
		if suffix == suffixZstd {
			s.remove(t, suffixLog)
		}
		if malice {
			right(b)
		}
		put(t, s.path(suffix), b)
		s.use(t, s.open(t))
	})
}

func FuzzIndexFile(f *testing.F) {
	fuzzFile(f, suffixIndex, func(s *fixture) []byte { return s.idx }, func(b []byte) {
		for i := range entriesIn(int64(len(b))) {
			p := b[entryOffset(i):][:entryBytes]
			order.PutUint32(p, sum(p[4:]))
		}
	})
}

func FuzzPostingsFile(f *testing.F) {
	fuzzFile(f, suffixWarn, func(s *fixture) []byte { return s.warn }, func(b []byte) {
		for b = b[min(len(b), warnHeaderBytes):]; postingSize(b) > 0; b = b[postingSize(b):] {
			order.PutUint32(b, sum(b[4:postingSize(b)]))
		}
	})
}

func FuzzLogFile(f *testing.F) {
	fuzzFile(f, suffixLog, func(s *fixture) []byte { return s.log }, func(b []byte) {
		if len(b) < headerBytes {
			return
		}
		size := order.Uint32(b[8:])
		if size < headerBytes || int64(size) > int64(len(b)) {
			return
		}
		order.PutUint32(b[12:], sum(b[16:size]))
		for b = b[size:]; len(b) >= record.HeadBytes; b = b[size:] {
			if size = order.Uint32(b); size < record.HeadBytes || int64(size) > int64(len(b)) {
				break
			}
			order.PutUint32(b[4:], sum(b[8:size]))
		}
		if len(b) >= FooterBytes {
			order.PutUint32(b[4:], sum(b[8:FooterBytes]))
		}
	})
}

func FuzzCompressedFile(f *testing.F) {
	seeds := func(s *fixture) []byte {
		if s.foot == nil {
			return nil
		}
		return s.compressed(f)
	}
	fuzzFile(f, suffixZstd, seeds, func(b []byte) {
		if len(b) < frameTableEnd {
			return
		}
		end := len(b) - frameTableEnd
		if start := end - 8*(int(order.Uint32(b[end:]))+1); start >= 0 {
			order.PutUint32(b[end+4:], sum(b[start:end+4]))
		}
	})
}

// FuzzEntries fuzzes the codecs with checksums that are right, as damage never is and malice is.
func FuzzEntries(f *testing.F) {
	s := tiny(f, true)
	f.Add(s.idx[entryOffset(1):][4:entryBytes])
	f.Add(s.warn[warnHeaderBytes+4:][:60])
	f.Fuzz(func(t *testing.T, b []byte) {
		b = append(order.AppendUint32(nil, sum(b)), b...)
		if block, _, err := parseEntry(b, 3); err == nil && (block.Count == 0 || block.end() > 1<<32 || block.End() < block.First) {
			t.Errorf("block %+v", block)
		}
		if n := postingSize(b); n > len(b) {
			t.Errorf("posting of %d bytes in %d", n, len(b))
		}
		if p, err := parsePosting(b, 1); err == nil && len(p.Copy) != len(b)-postingBytes {
			t.Errorf("copy of %d bytes in %d", len(p.Copy), len(b))
		}
	})
}

// Entries with right checksums that lie about the data give all the same or typed errors.
func TestLyingIndexIsCaught(t *testing.T) {
	f := tiny(t, true)
	blocks := f.blocks(t)
	lies := map[string]func(b *Block){
		"offset":         func(b *Block) { b.Offset += 8 },
		"length":         func(b *Block) { b.Length -= 8 },
		"first":          func(b *Block) { b.First += 2 },
		"count":          func(b *Block) { b.Count-- },
		"beyond the end": func(b *Block) { b.Offset = 1 << 31 },
		"before base":    func(b *Block) { b.First = 1 },
	}
	for name, lie := range lies {
		for i := range blocks {
			g := *f
			b := blocks[i]
			lie(&b)
			g.idx = append([]byte(nil), f.idx...)
			copy(g.idx[entryOffset(i):], appendEntry(nil, &b, (*sessionFilter)(f.idx[entryOffset(i)+52:])))
			g.write(t, t.TempDir())
			s := g.open(t)
			if hits, _, err := found(s, Want{}); err == nil && len(hits) != len(f.heads) {
				t.Errorf("%s of block %d: %d records and no error", name, i, len(hits))
			}
			g.use(t, s)
		}
	}
}

// Hostile sizes allocate no more than the named limits.
func TestHostileSizesAllocateLittle(t *testing.T) {
	const limit = 16 * MaxBlockBytes // buffers of a few calls, decoders included
	cases := map[string]func(t *testing.T, f *fixture){
		"huge sparse index": func(t *testing.T, f *fixture) { grow(t, f.path(suffixIndex), 1<<40) },
		"huge sparse packed index": func(t *testing.T, f *fixture) {
			put(t, f.path(suffixIndex), f.packed(t))
			grow(t, f.path(suffixIndex), 1<<40)
		},
		"huge sparse postings": func(t *testing.T, f *fixture) { grow(t, f.path(suffixWarn), 1<<40) },
		"huge sparse log":      func(t *testing.T, f *fixture) { grow(t, f.path(suffixLog), 1<<40) },
		"many frames": func(t *testing.T, f *fixture) {
			table := order.AppendUint32(nil, 1<<31)
			put(t, f.zip(t).path(suffixZstd), append(order.AppendUint32(table, 0), framesMagic...))
		},
		"a frame that decodes to much": func(t *testing.T, f *fixture) { f.bomb(t) },
	}
	for name, spoil := range cases {
		t.Run(name, func(t *testing.T) {
			f := tiny(t, true).write(t, t.TempDir())
			spoil(t, f)
			s := f.open(t)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, _, err := found(s, Want{})
			runtime.ReadMemStats(&after)
			if got := after.TotalAlloc - before.TotalAlloc; got > limit {
				t.Errorf("%d bytes allocated, the limit is %d", got, limit)
			}
			if err != nil && !errors.Is(err, ErrCorrupt) {
				t.Errorf("got %v", err)
			}
			f.use(t, s)
		})
	}
}

// grow makes a file larger without writing to it.
func grow(t *testing.T, path string, size int64) {
	t.Helper()
	if err := os.Truncate(path, size); err != nil {
		t.Skip("no sparse files: ", err)
	}
}

// bomb puts 256 MiB of zeros in the place of the first block.
func (f *fixture) bomb(t *testing.T) {
	t.Helper()
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer enc.Close()
	var out []byte
	var offsets []uint64
	for _, b := range [][]byte{f.log[:f.head.size], make([]byte, 256<<20), f.log[f.foot.offset:]} {
		offsets = append(offsets, uint64(len(out)))
		out = enc.EncodeAll(b, out)
	}
	put(t, f.zip(t).path(suffixZstd), appendFrameTable(out, append(offsets, uint64(len(out)))))
}
