package query

import (
	"context"
	"errors"
	"regexp"
	"slices"
	"testing"
	"time"

	"vitrine/logx/record"
)

// follower is a Follow in a goroutine of its own; hits come out of lines.
type follower struct {
	t      *testing.T
	lines  chan string
	cancel context.CancelFunc
	done   chan error
	stats  Stats
}

func (l *log) follow(t *testing.T, q Query) *follower {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	f := &follower{t: t, lines: make(chan string), cancel: cancel, done: make(chan error, 1)}
	go func() {
		stats, err := Follow(ctx, l.dir, q, func(r *record.Record, types *record.Types) bool {
			select {
			case f.lines <- string(record.AppendText(nil, r, types)):
				return true
			case <-ctx.Done():
				return false
			}
		})
		f.stats = stats
		close(f.lines)
		f.done <- err
	}()
	t.Cleanup(cancel)
	return f
}

// take waits for n hits.
func (f *follower) take(n int) (lines []string) {
	f.t.Helper()
	for range n {
		line, ok := <-f.lines
		if !ok {
			f.t.Fatalf("it ended after %d of %d records: %v", len(lines), n, <-f.done)
		}
		lines = append(lines, line)
	}
	return lines
}

func TestFollowGivesTheLastAndWhatComes(t *testing.T) {
	l := newLog(t, shape{seed: 1}).add(1000)
	f := l.follow(t, Query{Tail: 10})
	same(t, f.take(10), l.want(Query{From: 991}))
	for range 3 {
		from := uint64(len(l.records) + 1)
		l.add(50)
		same(t, f.take(50), l.want(Query{From: from}))
	}
	f.cancel()
	if err := <-f.done; err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want none but that of the context", err)
	}
}

func TestFollowBeginsWithNothing(t *testing.T) {
	l := newLog(t, shape{seed: 2}).add(1000)
	polled := make(chan struct{}, 100)
	f := l.follow(t, Query{Tail: -1, MinLevel: record.Warn, Progress: func(done, total int64) {
		if done == total {
			select {
			case polled <- struct{}{}:
			default:
			}
		}
	}})
	<-polled
	l.add(3000)
	want := l.want(Query{From: 1001, MinLevel: record.Warn})
	same(t, f.take(len(want)), want)
}

// polls returns a Progress for Follow and waits until that has given all there is, twice: the second look began after the
// call.
func (l *log) polls() (progress func(done, total int64), wait func(*follower)) {
	polled := make(chan struct{})
	progress = func(done, total int64) {
		if done == total {
			select {
			case polled <- struct{}{}:
			default:
			}
		}
	}
	return progress, func(f *follower) {
		l.t.Helper()
		for range 2 {
			select {
			case <-polled:
			case err := <-f.done:
				l.t.Fatal("it ended:", err)
			}
		}
	}
}

// Whoever follows from the beginning waits for the first record, also when the writer starts again before it wrote one.
func TestFollowWaitsForTheFirstRecord(t *testing.T) {
	l := newLog(t, shape{seed: 7})
	progress, wait := l.polls()
	f := l.follow(t, Query{Progress: progress})
	wait(f)
	l.close()
	wait(f)
	l.open(false)
	l.add(5)
	same(t, f.take(5), l.want(Query{}))
}

// All that a writer left is in its ring: it is given once, and what the next one writes comes after it.
func TestFollowGoesOnFromARingAlone(t *testing.T) {
	l := newLog(t, shape{seed: 8})
	l.die(20)
	progress, wait := l.polls()
	f := l.follow(t, Query{Progress: progress})
	same(t, f.take(20), l.want(Query{}))
	wait(f)
	l.open(false)
	for i := range l.records {
		l.writer.Add(&l.records[i].Head, payload(&l.records[i]))
	}
	l.add(5)
	same(t, f.take(5), l.want(Query{From: 21}))
}

// Rotation, compression, the death of the writer and the start of the next one lose nothing and give nothing twice.
func TestFollowGoesOnAcrossFilesAndWriters(t *testing.T) {
	l := newLog(t, shape{seed: 3, compress: true}).add(10)
	f := l.follow(t, Query{})
	f.take(10)
	l.add(30_000).compressed()
	same(t, f.take(30_000), l.want(Query{From: 11}))
	l.die(20)
	same(t, f.take(20), l.want(Query{From: 30_011}))
	l.open(true)
	for i := range l.records[30_010:] { // as the next writer recovers them
		r := &l.records[30_010+i]
		l.writer.Add(&r.Head, payload(r))
	}
	l.add(500)
	same(t, f.take(500), l.want(Query{From: 30_031}))
}

func TestFollowEnds(t *testing.T) {
	l := newLog(t, shape{seed: 4}).add(100)
	for name, q := range map[string]Query{
		"at its limit":            {Limit: 7},
		"at the end of its range": {From: 90, To: 97},
	} {
		f := l.follow(t, q)
		same(t, f.take(7), l.want(q))
		if err := <-f.done; err != nil || f.stats.Hits != 7 {
			t.Errorf("%s: %d hits, %v; want 7", name, f.stats.Hits, err)
		}
	}
}

// Records whose time is past do not come any more; those of a time to come are waited for.
func TestFollowEndsWithItsTimes(t *testing.T) {
	l := newLog(t, shape{seed: 9}).add(100)
	q := Query{Until: time.Unix(0, l.records[50].Time)}
	f := l.follow(t, q)
	same(t, f.take(len(l.want(q))), l.want(q))
	if err := <-f.done; err != nil {
		t.Errorf("got %v", err)
	}
	f = l.follow(t, Query{Tail: -1, Until: time.Now().Add(3 * pollEvery)})
	began := time.Now()
	if err := <-f.done; err != nil || time.Since(began) < 2*pollEvery {
		t.Errorf("it ended after %v, %v; want at the end of its times", time.Since(began), err)
	}
}

func TestFollowWaitsForTheEndOfItsRange(t *testing.T) {
	l := newLog(t, shape{seed: 5}).add(100)
	f := l.follow(t, Query{From: 95, To: 111, Grep: regexp.MustCompile("n=")})
	f.take(6)
	l.add(50)
	lines := f.take(10)
	if err := <-f.done; err != nil || !slices.Equal(lines, l.want(Query{From: 101, To: 111})) {
		t.Errorf("%d records, %v", len(lines), err)
	}
}

// What is written is given within a few polls.
func TestFollowIsSoon(t *testing.T) {
	l := newLog(t, shape{seed: 6}).add(10)
	f := l.follow(t, Query{Tail: 1})
	f.take(1)
	began := time.Now()
	l.add(1)
	f.take(1)
	if took := time.Since(began); took > 20*pollEvery {
		t.Errorf("a record came after %v, want about %v", took, pollEvery)
	}
}
