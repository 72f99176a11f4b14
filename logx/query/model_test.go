package query

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"vitrine/logx/record"
	"vitrine/logx/ring"
	"vitrine/logx/segment"
)

// patience bounds what a test waits for; only a hanging one ever waits so long.
const patience = 20 * time.Second

// epoch is the time of the first record.
var epoch = time.Date(2026, 11, 22, 22, 44, 10, 0, time.UTC)

// log is a directory that a test writes, and what it wrote.
type log struct {
	t       testing.TB
	dir     string
	types   *record.Types
	lock    *segment.DirLock
	writer  *segment.Writer
	records []record.Record
	rng     *rand.Rand
}

// shape says how a log is written.
type shape struct {
	seed     uint64
	compress bool
	dir      string
}

func newLog(t testing.TB, s shape) *log {
	t.Helper()
	if s.dir == "" {
		s.dir = t.TempDir()
	}
	types, err := record.NewTypes("trade", "guild")
	if err != nil {
		t.Fatal(err)
	}
	l := &log{t: t, dir: s.dir, types: types, rng: rand.New(rand.NewPCG(s.seed, 1))}
	l.open(s.compress)
	return l
}

// open takes the directory, as a writer that starts.
func (l *log) open(compress bool) {
	l.t.Helper()
	var err error
	if l.lock, err = segment.Lock(segment.OS(), l.dir); err != nil {
		l.t.Fatal(err)
	}
	c := segment.Config{Dir: l.dir, SegmentBytes: segment.MinSegmentBytes, Types: l.types, Compress: compress}
	if l.writer, _, err = segment.OpenWriter(c, l.lock); err != nil {
		l.t.Fatal(err)
	}
	l.t.Cleanup(l.close)
}

// close lets the directory go.
func (l *log) close() {
	if err := l.writer.Close(); err != nil {
		l.t.Error(err)
	}
	l.lock.Close()
}

// next makes a record up.
func (l *log) next() record.Record {
	n := uint64(len(l.records) + 1)
	r := record.Record{Message: fmt.Sprintf("message %d", l.rng.IntN(1000))}
	r.Head = record.Head{
		Index: n, Time: epoch.Add(time.Duration(n) * time.Millisecond).UnixNano(),
		Session: uint64(l.rng.IntN(400)), Level: l.level(), Type: l.typ(),
	}
	if l.rng.IntN(10) == 0 {
		r.Time -= int64(time.Second) // a clock that jumps
	}
	if r.Session%7 == 0 {
		r.Flags, r.Trace, r.Span = record.FlagTrace, [16]byte{1, byte(r.Session)}, [8]byte{2, byte(n)}
	}
	r.Fields = []record.Field{record.Int("n", int(n)), record.String("peer", "10.0.0.7"), record.String("text", "a b")}
	return r
}

func (l *log) level() record.Level {
	switch n := l.rng.IntN(2000); {
	case n == 0:
		return record.System
	case n < 3:
		return record.Error
	case n < 30:
		return record.Warn
	case n < 300:
		return record.Debug
	}
	return record.Info
}

func (l *log) typ() record.Type {
	if n := l.rng.IntN(3000); n < 2 {
		return record.FirstCustom + record.Type(n)
	}
	return record.Type(l.rng.IntN(int(record.TypeCrash) + 1))
}

func payload(r *record.Record) []byte {
	if r.Flags&record.FlagTrace != 0 {
		return record.AppendPayload(nil, &r.Trace, &r.Span, r.Message, r.Fields)
	}
	return record.AppendPayload(nil, nil, nil, r.Message, r.Fields)
}

// add writes n records.
func (l *log) add(n int) *log {
	l.t.Helper()
	for range n {
		r := l.next()
		l.records = append(l.records, r)
		l.writer.Add(&r.Head, payload(&r))
		if l.writer.Buffered() > 100<<10 {
			l.flush()
		}
	}
	l.flush()
	return l
}

func (l *log) flush() {
	l.t.Helper()
	if err := l.writer.Flush(); err != nil {
		l.t.Fatal(err)
	}
}

// compressed waits until all sealed segments are.
func (l *log) compressed() *log {
	l.t.Helper()
	deadline := time.Now().Add(patience)
	for s := l.writer.Stats(); s.Compressed < s.Sealed; s = l.writer.Stats() {
		if time.Now().After(deadline) {
			l.t.Fatalf("%d of %d segments compressed after %v", s.Compressed, s.Sealed, patience)
		}
		runtime.Gosched()
	}
	return l
}

// die ends the writer and leaves n records in its ring that are in no file; those at lost were never published.
func (l *log) die(n int, lost ...uint64) {
	l.t.Helper()
	path := filepath.Join(l.t.TempDir(), "ring")
	if err := l.lock.SetRing(path); err != nil {
		l.t.Fatal(err)
	}
	r, err := ring.Create(ring.Config{Path: path, Slots: 256, Store: l.lock.Store(), First: l.writer.Next()})
	if err != nil {
		l.t.Skip("no shared memory here:", err)
	}
	for range n {
		one := l.next()
		slot, index, err := r.Claim()
		if err != nil || index != one.Index {
			l.t.Fatalf("claim: index %d, %v; want %d", index, err, one.Index)
		}
		if slices.Contains(lost, index) {
			one = record.Record{Head: record.Head{Index: index, Level: record.System, Flags: record.FlagTombstone}}
		} else {
			slot.Time, slot.Session, slot.Level, slot.Flags, slot.Type = one.Time, one.Session, one.Level, one.Flags, one.Type
			r.Publish(slot, index, len(append(slot.Buffer(), payload(&one)...)))
		}
		l.records = append(l.records, one)
	}
	l.close()
}

// want is the answer to a query, as lines of text, found the slow way.
func (l *log) want(q Query) (lines []string) {
	types, level := q.typeSet(l.types), max(q.MinLevel, record.Debug)
	since, until := q.bounds()
	for i := range l.records {
		r := &l.records[i]
		if r.Index >= q.From && (q.To == 0 || r.Index < q.To) && r.Time >= since && r.Time < until &&
			r.Level >= level && types>>r.Type&1 != 0 && (q.Session == 0 || r.Session == q.Session) &&
			(q.Trace == [16]byte{} || r.Trace == q.Trace) && (q.Grep == nil || q.Grep.MatchString(grepText(r))) {
			lines = append(lines, string(record.AppendText(nil, r, l.types)))
		}
	}
	if q.Tail > 0 {
		lines = lines[max(len(lines)-q.Tail, 0):]
	}
	if q.Limit > 0 {
		lines = lines[:min(len(lines), q.Limit)]
	}
	return lines
}

func grepText(r *record.Record) string {
	parts := []string{r.Message}
	for _, f := range r.Fields {
		parts = append(parts, string(f.AppendText(nil)))
	}
	return strings.Join(parts, " ")
}

// collect returns a Yield that keeps lines of text.
func collect(lines *[]string) Yield {
	return func(r *record.Record, t *record.Types) bool {
		*lines = append(*lines, string(record.AppendText(nil, r, t)))
		return true
	}
}

// found is the answer to a query.
func (l *log) found(q Query) (lines []string, stats Stats) {
	l.t.Helper()
	stats, err := Search(context.Background(), l.dir, q, collect(&lines))
	if err != nil {
		l.t.Fatal(err)
	}
	return lines, stats
}

func same(t testing.TB, got, want []string) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("%d records, want %d", len(got), len(want))
	}
	for i := range min(len(got), len(want)) {
		if got[i] != want[i] {
			t.Fatalf("record %d of the answer:\n%swant\n%s", i, got[i], want[i])
		}
	}
}

// header is that of another segment with another base.
func header(data []byte, base uint64) []byte {
	size := binary.LittleEndian.Uint32(data[8:])
	out := bytes.Clone(data[:size])
	binary.LittleEndian.PutUint64(out[24:], base)
	binary.LittleEndian.PutUint32(out[12:], crc32.Checksum(out[16:], crc32.MakeTable(crc32.Castagnoli)))
	return out
}
