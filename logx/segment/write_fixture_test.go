package segment

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"vitrine/logx/record"
)

// desk is a directory, its writer, and the clock the writer sees.
type desk struct {
	t       testing.TB
	config  Config
	lock    *DirLock
	w       *Writer
	found   Recovery
	clock   time.Time
	mu      sync.Mutex
	notices []error // guarded by mu: what Notify was told
}

var firstMoment = time.Date(2026, 11, 22, 22, 44, 10, 0, time.UTC)

// newDesk opens a writer in a fresh directory, or that of c.
func newDesk(t testing.TB, c Config) *desk {
	t.Helper()
	if c.Dir == "" {
		c.Dir = t.TempDir()
	}
	if c.FS == nil {
		c.FS = OS()
	}
	d := &desk{t: t, config: c, clock: firstMoment}
	d.config.Notify = func(err error) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.notices = append(d.notices, err)
	}
	must(t, d.open())
	t.Cleanup(func() { _ = d.close() })
	return d
}

// open takes the directory over, as an owner does who has no ring of the last one.
func (d *desk) open() error {
	if err := d.takeOver(); err != nil || d.found.Behind == 0 {
		return err
	}
	return d.w.Skip(d.found.Behind)
}

// takeOver opens the writer where the files end.
func (d *desk) takeOver() (err error) {
	if d.lock, err = Lock(d.config.FS, d.config.Dir); err != nil {
		return err
	}
	if d.w, d.found, err = OpenWriter(d.config, d.lock); err != nil {
		d.w = nil
		return errors.Join(err, d.lock.Close())
	}
	d.w.now = func() time.Time { return d.clock }
	d.w.live.header.created = d.clock.UnixNano()
	return nil
}

func (d *desk) close() error {
	if d.w == nil {
		return nil
	}
	w := d.w
	d.w = nil
	return errors.Join(w.Close(), d.lock.Close())
}

// reopen is the next owner's turn.
func (d *desk) reopen() {
	d.t.Helper()
	must(d.t, d.close())
	must(d.t, d.open())
}

// headOf makes the head of a record by its index alone: every seventh has no session, some are WARN and ERROR, and now
// and then the clock is set back.
func headOf(index uint64) record.Head {
	h := record.Head{Index: index, Time: firstMoment.UnixNano() + int64(index)*1000, Level: record.Info, Type: record.TypeGame}
	if index%7 != 0 {
		h.Session = 1 + index*index%1000
	}
	switch {
	case index%331 == 0:
		h.Level, h.Type = record.Error, record.TypeDB
	case index%57 == 0:
		h.Level = record.Warn
	case index%100 == 0:
		h.Time -= int64(time.Hour)
	}
	return h
}

func payloadOf(index uint64) []byte {
	return record.AppendPayload(nil, nil, nil, fmt.Sprintf("message %d", index), []record.Field{record.Uint("size", index)})
}

// big is a payload that makes records of 40 KiB, and so blocks of two records.
func big(index uint64) []byte {
	return record.AppendPayload(nil, nil, nil, strings.Repeat(string(rune('a'+index%26)), 40<<10), nil)
}

// add buffers n records.
func (d *desk) add(n int) { d.addOf(n, payloadOf) }

func (d *desk) addOf(n int, payload func(uint64) []byte) {
	for range n {
		h := headOf(d.w.Next())
		d.w.Add(&h, payload(h.Index))
	}
}

// put adds n records and flushes.
func (d *desk) put(n int) {
	d.t.Helper()
	d.add(n)
	must(d.t, d.w.Flush())
}

// putBig adds n large records, with a flush after each few.
func (d *desk) putBig(n int) {
	d.t.Helper()
	for range n {
		d.addOf(1, big)
		if d.w.Buffered() > 256<<10 {
			must(d.t, d.w.Flush())
		}
	}
	must(d.t, d.w.Flush())
}

// waitFor waits until the background has done what cond sees.
func (d *desk) waitFor(what string, cond func(Stats) bool) {
	d.t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !cond(d.w.Stats()); runtime.Gosched() {
		if time.Now().After(deadline) {
			d.t.Fatalf("waited for %s: %+v, notices %v", what, d.w.Stats(), d.told())
		}
	}
}

func (d *desk) told() []error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.notices)
}

// names lists the directory without LOCK.
func (d *desk) names() []string {
	d.t.Helper()
	entries, err := os.ReadDir(d.config.Dir)
	must(d.t, err)
	var names []string
	for _, e := range entries {
		if e.Name() != lockName {
			names = append(names, e.Name())
		}
	}
	return names
}

func (d *desk) path(base uint64, suffix string) string {
	return filepath.Join(d.config.Dir, fileName(base, suffix))
}

func (d *desk) read(base uint64, suffix string) []byte {
	d.t.Helper()
	b, err := os.ReadFile(d.path(base, suffix))
	must(d.t, err)
	return b
}

// overwrite puts other content into a file.
func (d *desk) overwrite(base uint64, suffix string, b []byte) {
	d.t.Helper()
	must(d.t, os.WriteFile(d.path(base, suffix), b, fileMode))
}

// holds checks that the directory has the records from first to last, each whole and as payload makes it, that their
// segments follow each other, and that index, postings and footers are what the data give, byte for byte.
func (d *desk) holds(first, last uint64) {
	d.t.Helper()
	d.holdsBut(first, last, nil)
}

// holdsBut is holds where the records from..to of lost are missing.
func (d *desk) holdsBut(first, last uint64, lost []uint64) {
	d.t.Helper()
	dir := openDir(d.t, d.config.Dir)
	next := first
	for _, s := range dir.Segments() {
		r, err := s.Verify(context.Background(), nil)
		must(d.t, err)
		if !r.OK() || r.More > 0 || r.Torn > 0 || r.NoIndex || r.NoPostings {
			d.t.Fatalf("segment %d: %+v", s.Base(), r)
		}
		for len(lost) > 0 && next == lost[0] {
			next, lost = lost[1]+1, lost[2:]
		}
		if s.Base() != next {
			d.t.Fatalf("segment %d follows record %d", s.Base(), next-1)
		}
		next = d.holdsIn(s, next)
	}
	if next != last+1 {
		d.t.Fatalf("records end with %d, want %d", next-1, last)
	}
}

// holdsIn checks the records of a segment and returns the index that follows.
func (d *desk) holdsIn(s *Segment, next uint64) uint64 {
	d.t.Helper()
	var buf []byte
	for b, err := range s.Blocks(Want{}) {
		must(d.t, err)
		buf, err = s.Read(b, buf)
		must(d.t, err)
		must(d.t, eachRecord(buf, func(v record.View) {
			want := headOf(next)
			if v.Head != want || !bytes.Equal(v.Payload, payloadOf(next)) && !bytes.Equal(v.Payload, big(next)) {
				d.t.Fatalf("record %d: %+v with %d bytes, want %+v", next, v.Head, len(v.Payload), want)
			}
			next++
		}))
	}
	return next
}

// snapshot is the content of all files of a directory, LOCK aside.
func (d *desk) snapshot() map[string][]byte {
	d.t.Helper()
	files := map[string][]byte{}
	for _, name := range d.names() {
		b, err := os.ReadFile(filepath.Join(d.config.Dir, name))
		must(d.t, err)
		files[name] = b
	}
	return files
}

// restore makes the directory what it was. It writes what differs.
func (d *desk) restore(files map[string][]byte) {
	d.t.Helper()
	for _, name := range d.names() {
		if _, ok := files[name]; !ok {
			must(d.t, os.Remove(filepath.Join(d.config.Dir, name)))
		}
	}
	for name, b := range files {
		path := filepath.Join(d.config.Dir, name)
		if have, err := os.ReadFile(path); err != nil || !bytes.Equal(have, b) {
			must(d.t, os.WriteFile(path, b, fileMode))
		}
	}
}

// same compares the directory with what it was.
func (d *desk) same(want map[string][]byte) {
	d.t.Helper()
	got := d.snapshot()
	for name, b := range want {
		if !bytes.Equal(got[name], b) {
			d.t.Errorf("%s: %d bytes, other than the %d it should have", name, len(got[name]), len(b))
		}
	}
	for name := range got {
		if _, ok := want[name]; !ok {
			d.t.Errorf("%s should not be there", name)
		}
	}
}
