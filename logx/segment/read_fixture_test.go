package segment

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"

	"vitrine/logx/record"
)

const testStore = 0x1122334455667788

// fixture is a segment made by hand: its files, and what is in them.
type fixture struct {
	dir    string
	base   uint64
	head   header
	log    []byte // all of .log
	idx    []byte
	warn   []byte
	foot   *footer // when sealed
	heads  []record.Head
	starts []int // offset of each record
}

// traffic makes records as a game server does: sessions that live for a while, at random.
type traffic struct {
	rand    *rand.Rand
	alive   []uint64
	life    int // records of a session, about
	errors  int // one record in so many is an error; 0 = none
	warns   int
	started int
	time    int64
	message string
	payload []byte
}

// long is a message that makes records so large that tests with full groups of blocks have few of them.
const long = 600

func newTraffic(seed uint64, alive, life int) *traffic {
	t := &traffic{rand: rand.New(rand.NewPCG(seed, 7)), life: life, errors: 10_000, warns: 5_000, message: "packet handled", time: 1_800_000_000_000_000_000}
	for range alive {
		t.alive = append(t.alive, t.session())
	}
	return t
}

// wide makes larger records, and more errors among them.
func (t *traffic) wide() *traffic {
	t.message, t.errors, t.warns = strings.Repeat("m", long), 500, 300
	return t
}

// of makes one session, or none, of all.
func (t *traffic) of(session uint64) *traffic {
	t.alive = []uint64{session}
	return t
}

func (t *traffic) session() uint64 {
	t.started++
	return t.rand.Uint64() | 1
}

// next makes the head and the payload of a record. The payload is valid until the next call.
func (t *traffic) next(index uint64) (record.Head, []byte) {
	slot := t.rand.IntN(len(t.alive))
	if t.rand.IntN(t.life) == 0 {
		t.alive[slot] = t.session()
	}
	t.time += t.rand.Int64N(40_000) - 1_000 // clocks are set back
	h := record.Head{Index: index, Time: t.time, Session: t.alive[slot], Level: record.Info, Type: record.Type(t.rand.IntN(6))}
	switch {
	case t.errors > 0 && t.rand.IntN(t.errors) == 0:
		h.Level = record.Error
	case t.warns > 0 && t.rand.IntN(t.warns) == 0:
		h.Level = record.Warn
	case t.rand.IntN(50) == 0:
		h.Session = 0
	}
	t.payload = record.AppendPayload(t.payload[:0], nil, nil, t.message, []record.Field{
		record.Uint("type", 1000+t.rand.Uint64N(50)), record.Int("size", t.rand.Int64N(400)),
		record.Float("x", 10.5), record.String("zone", "north"),
	})
	return h, t.payload
}

// build makes a segment of about size bytes in memory.
func build(t testing.TB, base uint64, size int, from *traffic, seal bool) *fixture {
	t.Helper()
	f := &fixture{base: base, head: header{store: testStore, base: base, created: 1, custom: []string{"quest"}}}
	var err error
	if f.log, err = appendHeader(make([]byte, 0, size+MaxBlockBytes), &f.head); err != nil {
		t.Fatal(err)
	}
	f.head.size = len(f.log)
	x := newIndexer(testStore, base, f.head.size)
	for len(f.log) < size {
		h, payload := from.next(base + uint64(len(f.heads)))
		start := len(f.log)
		f.log = record.Append(f.log, &h, payload)
		x.add(&h, f.log[start:])
		f.heads, f.starts = append(f.heads, h), append(f.starts, start)
	}
	if seal {
		x.seal()
	}
	f.idx, f.warn = x.idx, x.warn
	if seal {
		f.seal()
	}
	return f
}

func (f *fixture) seal() {
	f.foot = &footer{
		count: uint64(len(f.heads)), last: f.end() - 1, minTime: f.heads[0].Time, maxTime: f.heads[0].Time,
		offset: uint64(len(f.log)), index: sum(f.idx), warn: sum(f.warn),
	}
	for _, h := range f.heads {
		f.foot.minTime, f.foot.maxTime = min(f.foot.minTime, h.Time), max(f.foot.maxTime, h.Time)
	}
	f.log = appendFooter(f.log, f.foot)
}

func (f *fixture) end() uint64 { return f.base + uint64(len(f.heads)) }

// record gives the bytes of a record.
func (f *fixture) record(i int) []byte {
	n := binary.LittleEndian.Uint32(f.log[f.starts[i]:])
	return f.log[f.starts[i]:][:n]
}

func (f *fixture) path(suffix string) string { return filepath.Join(f.dir, fileName(f.base, suffix)) }

// write puts the files in a directory. A nil file is left out.
func (f *fixture) write(t testing.TB, dir string) *fixture {
	t.Helper()
	f.dir = dir
	for suffix, b := range map[string][]byte{suffixLog: f.log, suffixIndex: f.idx, suffixWarn: f.warn} {
		if b != nil {
			put(t, f.path(suffix), b)
		}
	}
	return f
}

// zip replaces the .log by a .log.zst.
func (f *fixture) zip(t testing.TB) *fixture {
	t.Helper()
	put(t, f.path(suffixZstd), f.compressed(t))
	if err := os.Remove(f.path(suffixLog)); err != nil {
		t.Fatal(err)
	}
	return f
}

// pack is zip, with the packed form of the index.
func (f *fixture) pack(t testing.TB) *fixture {
	t.Helper()
	put(t, f.path(suffixIndex), f.packed(t))
	return f.zip(t)
}

// partAt tells where a part of the first group stands in the packed index.
func (f *fixture) partAt(t testing.TB, kind int) int {
	t.Helper()
	b := f.packed(t)
	x, err := openPacked(bytes.NewReader(b), int64(len(b)), testStore, f.base)
	if err != nil {
		t.Fatal(err)
	}
	at := x.groups[0].at
	for _, p := range x.groups[0].parts[:kind] {
		at += int64(p.length)
	}
	return int(at)
}

// packed gives the packed form of the index.
func (f *fixture) packed(t testing.TB) []byte {
	t.Helper()
	p := newPacker(testStore, f.base)
	if f.foot != nil {
		zst := f.compressed(t)
		frames, err := readFrameTable(bytes.NewReader(zst), int64(len(zst)))
		if err != nil {
			t.Fatal(err)
		}
		p.frame = func(number int) []byte { return zst[frames[number+1]:frames[number+2]] }
	}
	x := newIndexer(testStore, f.base, f.head.size)
	x.packed = p
	for i := range f.heads {
		x.add(&f.heads[i], f.record(i))
	}
	x.seal()
	return p.out
}

func (f *fixture) compressed(t testing.TB) []byte {
	t.Helper()
	enc, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithNoEntropyCompression(true))
	if err != nil {
		t.Fatal(err)
	}
	defer enc.Close()
	var out []byte
	var offsets []uint64
	frame := func(b []byte) {
		offsets = append(offsets, uint64(len(out)))
		out = enc.EncodeAll(b, out)
	}
	frame(f.log[:f.head.size])
	for _, b := range f.blocks(t) {
		frame(f.log[b.Offset:b.end()])
	}
	frame(f.log[f.foot.offset:])
	return appendFrameTable(out, append(offsets, uint64(len(out))))
}

// blocks reads the entries of the index.
func (f *fixture) blocks(t testing.TB) []Block {
	t.Helper()
	var blocks []Block
	for i := range entriesIn(int64(len(f.idx))) {
		b, _, err := parseEntry(f.idx[entryOffset(i):], i)
		if err != nil {
			t.Fatal(err)
		}
		blocks = append(blocks, b)
	}
	return blocks
}

func put(t testing.TB, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, fileMode); err != nil {
		t.Fatal(err)
	}
}

// open opens the directory and gives its only segment.
func (f *fixture) open(t testing.TB) *Segment {
	t.Helper()
	d := openDir(t, f.dir)
	if len(d.Segments()) != 1 || d.Segments()[0].Base() != f.base {
		t.Fatalf("segments %v, want one at %d", d.Segments(), f.base)
	}
	return d.Segments()[0]
}

func openDir(t testing.TB, dir string) *Dir {
	t.Helper()
	d, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// has tells whether a record is wanted.
func (w *Want) has(h *record.Head) bool {
	return h.Index >= w.From && (w.To == 0 || h.Index < w.To) && (w.Since == 0 || h.Time >= w.Since) &&
		(w.Until == 0 || h.Time < w.Until) && (w.Levels == 0 || w.Levels.Has(h.Level)) &&
		(w.Types == 0 || w.Types>>h.Type&1 != 0) && (w.Session == 0 || w.Session == h.Session)
}

// found gives the indexes of wanted records in the blocks of a segment, and counts the blocks.
func found(s *Segment, w Want) (hits []uint64, blocks int, err error) {
	var buf []byte
	last := uint64(0)
	for b, err := range s.Blocks(w) {
		if err != nil {
			return hits, blocks, err
		}
		if b.First < last {
			return hits, blocks, fmt.Errorf("block of record %d after record %d", b.First, last)
		}
		last = b.End()
		blocks++
		if buf, err = s.Read(b, buf); err != nil {
			return hits, blocks, err
		}
		if err := eachRecord(buf, func(v record.View) {
			if w.has(&v.Head) {
				hits = append(hits, v.Index)
			}
		}); err != nil {
			return hits, blocks, err
		}
	}
	return hits, blocks, nil
}

func eachRecord(b []byte, fn func(record.View)) error {
	for len(b) > 0 {
		v, err := record.Parse(b)
		if err != nil {
			return err
		}
		fn(v)
		b = b[v.Size():]
	}
	return nil
}

// hits gives the indexes of wanted records.
func (f *fixture) hits(w Want) (hits []uint64) {
	for i := range f.heads {
		if w.has(&f.heads[i]) {
			hits = append(hits, f.heads[i].Index)
		}
	}
	return hits
}

// holds checks that the segment gives all records and nothing else, for many wants.
func (f *fixture) holds(t *testing.T, s *Segment) {
	t.Helper()
	if s.End() != f.end() || s.Sealed() != (f.foot != nil) {
		t.Errorf("end %d sealed %v, want %d %v", s.End(), s.Sealed(), f.end(), f.foot != nil)
	}
	for _, w := range f.wants() {
		got, _, err := found(s, w)
		if want := f.hits(w); err != nil || !slices.Equal(got, want) {
			t.Fatalf("%+v: %d records %v, want %d", w, len(got), err, len(want))
		}
		f.holdsPostings(t, s, w)
	}
}

// wants gives queries of every kind.
func (f *fixture) wants() []Want {
	n := len(f.heads)
	mid, late := f.heads[n/2], f.heads[n-1]
	return []Want{
		{}, {From: mid.Index}, {To: mid.Index}, {From: mid.Index, To: mid.Index + 1}, {From: late.Index}, {From: f.end()},
		{Since: mid.Time}, {Until: mid.Time}, {Since: mid.Time, Until: mid.Time + 1e6}, {Since: late.Time + 1e12},
		{Levels: 1 << record.Error}, {Levels: record.AtLeast(record.Warn)}, {Types: 1 << record.TypeChat}, {Types: 1 << record.TypeCrash},
		{Session: mid.Session}, {Session: late.Session}, {Session: f.heads[0].Session, From: mid.Index}, {Session: 4711},
		{Session: late.Session, Levels: 1 << record.Info, Types: 1 << late.Type, Since: mid.Time},
	}
}

// holdsPostings checks the postings of a want, which know no time and no session.
func (f *fixture) holdsPostings(t *testing.T, s *Segment, w Want) {
	t.Helper()
	w.Since, w.Until, w.Session = 0, 0, 0
	known := w
	if known.Levels == 0 {
		known.Levels = record.AtLeast(record.Warn)
	}
	known.Levels &= record.AtLeast(record.Warn)
	var want []uint64
	if known.Levels != 0 {
		want = f.hits(known)
	}
	var got []uint64
	var fetcher Fetcher
	for p, err := range s.Postings(w) {
		if err != nil {
			t.Fatalf("postings of %+v: %v", w, err)
		}
		b, err := fetcher.Fetch(s, p)
		if err != nil || !bytes.Equal(b, f.record(int(p.Index-f.base))) || int(p.Offset) != f.starts[p.Index-f.base] {
			t.Fatalf("posting of record %d at %d: %v", p.Index, p.Offset, err)
		}
		got = append(got, p.Index)
	}
	if !slices.Equal(got, want) {
		t.Fatalf("postings of %+v: %v, want %v", w, got, want)
	}
}
