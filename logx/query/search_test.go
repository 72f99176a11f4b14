package query

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"vitrine/logx/record"
)

// queries are asked of logs of every form.
var queries = map[string]Query{
	"all":                  {},
	"one index":            {From: 12_345, To: 12_346},
	"a range":              {From: 9_990, To: 20_011},
	"open range":           {From: 29_000},
	"beyond the end":       {From: 1 << 40},
	"session":              {Session: 77},
	"session in a range":   {Session: 78, From: 10_000, To: 30_000},
	"no such session":      {Session: 1 << 50},
	"errors":               {MinLevel: record.Error},
	"warnings":             {MinLevel: record.Warn},
	"warnings of a time":   {MinLevel: record.Warn, Since: epoch.Add(20 * time.Second), Until: epoch.Add(21 * time.Second)},
	"errors in a range":    {MinLevel: record.Error, From: 10_001, To: 28_002},
	"session's warnings":   {MinLevel: record.Warn, Session: 5},
	"level info":           {MinLevel: record.Info, To: 2_000},
	"since":                {Since: epoch.Add(25 * time.Second)},
	"until":                {Until: epoch.Add(3 * time.Second)},
	"moment":               {Since: epoch.Add(22 * time.Second), Until: epoch.Add(22*time.Second + 5*time.Millisecond)},
	"type":                 {Types: []string{"trade"}},
	"types":                {Types: []string{"trade", "guild", "crash"}},
	"errors of a type":     {Types: []string{"lan"}, MinLevel: record.Error},
	"trace":                {Trace: [16]byte{1, 14}},
	"trace and session":    {Trace: [16]byte{1, 14}, Session: 14},
	"grep message":         {Grep: regexp.MustCompile(`^message 99\d `)},
	"grep field":           {Grep: regexp.MustCompile(`n=4711\b`), From: 4_000, To: 6_000},
	"grep quoted field":    {Grep: regexp.MustCompile(`text="a b"$`), To: 500},
	"grep among warnings":  {Grep: regexp.MustCompile(`message \d\d `), MinLevel: record.Warn},
	"limit":                {Limit: 3, Session: 7},
	"limit of warnings":    {Limit: 5, MinLevel: record.Warn},
	"tail":                 {Tail: 7},
	"tail of a session":    {Tail: 12, Session: 9},
	"tail of errors":       {Tail: 4, MinLevel: record.Error},
	"tail of more":         {Tail: 1000, Types: []string{"guild"}},
	"tail in a range":      {Tail: 3, From: 100, To: 1_000},
	"one goroutine":        {Session: 11, Parallel: 1},
	"many goroutines":      {Session: 12, Parallel: 1000},
	"one goroutine, all":   {Parallel: 1, To: 4_000},
	"many goroutines, all": {Parallel: 16, From: 9_000, To: 15_000},
}

func TestSearchGivesExactlyWhatMatches(t *testing.T) {
	const n = 30_000
	for name, l := range map[string]*log{
		"plain":               newLog(t, shape{seed: 1}).add(n),
		"compressed":          newLog(t, shape{seed: 2, compress: true}).add(n).compressed(),
		"some in a dead ring": died(newLog(t, shape{seed: 3}).add(n-200), 200),
	} {
		t.Run(name, func(t *testing.T) {
			for name, q := range queries {
				t.Run(name, func(t *testing.T) {
					l.t = t
					lines, stats := l.found(q)
					same(t, lines, l.want(q))
					if stats.Hits != int64(len(lines)) {
						t.Errorf("Stats.Hits is %d after %d", stats.Hits, len(lines))
					}
				})
			}
		})
	}
}

func died(l *log, n int) *log {
	l.die(n)
	return l
}

func TestCountingGivesNoRecord(t *testing.T) {
	l := newLog(t, shape{seed: 5}).add(12_000)
	for name, q := range queries {
		stats, err := Search(context.Background(), l.dir, q, nil)
		if want := len(l.want(q)); err != nil || stats.Hits != int64(want) {
			t.Errorf("%s: %d hits, %v; want %d", name, stats.Hits, err, want)
		}
	}
}

// Blocks that cannot hold a hit are not read.
func TestSearchReadsOnlyCandidates(t *testing.T) {
	l := newLog(t, shape{seed: 6}).add(50_000)
	_, all := l.found(Query{})
	for _, test := range []struct {
		name string
		q    Query
		most int
	}{
		{"index", Query{From: 30_000, To: 30_001}, 1},
		{"range", Query{From: 30_000, To: 30_100}, 2},
		{"time", Query{Since: epoch.Add(30 * time.Second), Until: epoch.Add(30*time.Second + 1)}, all.Blocks / 5},
		{"no such session", Query{Session: 1 << 60}, all.Blocks / 10},
		{"errors, from copies", Query{MinLevel: record.Error}, 0},
		{"limit", Query{Limit: 1, Parallel: 2}, 2 * unitsPerWorker},
	} {
		if _, got := l.found(test.q); got.BlocksRead > test.most {
			t.Errorf("%s: %d of %d blocks read, want at most %d", test.name, got.BlocksRead, all.Blocks, test.most)
		}
	}
}

func TestYieldEndsTheSearch(t *testing.T) {
	l := newLog(t, shape{seed: 7}).add(20_000)
	n := 0
	stats, err := Search(context.Background(), l.dir, Query{}, func(*record.Record, *record.Types) bool { n++; return n < 10 })
	if err != nil || n != 10 || stats.Hits != 10 {
		t.Errorf("%d records, Stats.Hits %d, %v; want 10", n, stats.Hits, err)
	}
}

func TestContextEndsTheSearch(t *testing.T) {
	l := newLog(t, shape{seed: 8}).add(20_000)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	n := 0
	_, err := Search(ctx, l.dir, Query{}, func(*record.Record, *record.Types) bool {
		if n++; n == 10 {
			cancel()
		}
		return true
	})
	if !errors.Is(err, context.Canceled) || n == 20_000 {
		t.Errorf("%d records, error %v; want a search cut short", n, err)
	}
}

func TestProgressGoesFromBeginningToEnd(t *testing.T) {
	l := newLog(t, shape{seed: 9}).add(20_000)
	last := int64(-1)
	q := Query{From: 1, Progress: func(done, total int64) {
		if done < last || done > total || total != 20_000 {
			t.Fatalf("%d of %d after %d", done, total, last)
		}
		last = done
	}}
	if l.found(q); last != 20_000 {
		t.Errorf("ended at %d of 20000", last)
	}
}

func TestSearchTellsWhatIsWrong(t *testing.T) {
	full := newLog(t, shape{seed: 10}).add(10)
	other := t.TempDir()
	if err := os.WriteFile(filepath.Join(other, "readme.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var unknown *UnknownTypeError
	for _, test := range []struct {
		name, dir string
		q         Query
		is        error
		as        any
		say       string
	}{
		{"no directory", filepath.Join(other, "nowhere"), Query{}, fs.ErrNotExist, nil, "nowhere"},
		{"no log", other, Query{}, ErrNoLog, nil, other},
		{"unknown type", full.dir, Query{Types: []string{"chat", "trades"}}, nil, &unknown, `unknown type "trades": want auth, chat, config, crash, db, game, guild, lan,`},
	} {
		_, err := Search(context.Background(), test.dir, test.q, nil)
		if err == nil || test.is != nil && !errors.Is(err, test.is) || test.as != nil && !errors.As(err, test.as) || !strings.Contains(err.Error(), test.say) {
			t.Errorf("%s: error %v, want one that says %q", test.name, err, test.say)
		}
	}
}

// A ring that went with the machine, or that is of another log, is no fault.
func TestSearchDoesWithoutTheRing(t *testing.T) {
	for name, spoil := range map[string]func(path string) error{
		"gone":    os.Remove,
		"foreign": func(path string) error { return os.WriteFile(path, make([]byte, 1<<20), 0o600) },
		"short":   func(path string) error { return os.Truncate(path, 100) },
	} {
		l := newLog(t, shape{seed: 11}).add(100)
		l.die(5)
		l.records = l.records[:100]
		if err := spoil(l.lock.Ring()); err != nil {
			t.Fatal(err)
		}
		lines, _ := l.found(Query{})
		if len(lines) != 100 {
			t.Errorf("%s: %d records, want 100", name, len(lines))
		}
	}
}

// barred is a log whose dead writer has left a ring that cannot be opened, whoever tries.
func barred(t *testing.T, seed uint64, n int) *log {
	t.Helper()
	l := newLog(t, shape{seed: seed}).add(n)
	l.die(5)
	l.records = l.records[:n]
	path := l.lock.Ring()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(path, path); err != nil {
		t.Skip("no links here:", err)
	}
	return l
}

// The files are given, and then the ring that cannot be read is told of, to those who have not had enough before it.
func TestUnreadableRingHidesNoFiles(t *testing.T) {
	l := barred(t, 14, 100)
	for name, ask := range map[string]func(context.Context, string, Query, Yield) (Stats, error){"search": Search, "follow": Follow} {
		for _, test := range []struct {
			q    Query
			told bool
		}{
			{Query{}, true},
			{Query{From: 90}, true},
			{Query{Tail: 3}, true},
			{Query{From: 1000}, true},
			{Query{To: 90}, false},
			{Query{Limit: 3}, false},
		} {
			var lines []string
			stats, err := ask(context.Background(), l.dir, test.q, collect(&lines))
			same(t, lines, l.want(test.q))
			if errors.Is(err, ErrCorrupt) != test.told || err == nil == test.told {
				t.Errorf("%s %+v: %v, want ErrCorrupt: %v", name, test.q, err, test.told)
			}
			if test.told && (len(stats.Corrupt) != 1 || stats.Corrupt[0].File != l.lock.Ring()) {
				t.Errorf("%s %+v: %v, want the ring", name, test.q, stats.Corrupt)
			}
		}
	}
}

func TestVerifyReportsTheFilesBesideAnUnreadableRing(t *testing.T) {
	l := barred(t, 15, 100)
	r, err := Verify(context.Background(), l.dir, nil)
	if err == nil || r.Records != 100 || !r.Clean() {
		t.Errorf("%+v, %v; want 100 records and an error", r, err)
	}
}

// A directory that somebody has is a log before anything is written to it, and none when it was let go empty.
func TestLogWithoutRecords(t *testing.T) {
	l := newLog(t, shape{seed: 16})
	if lines, stats := l.found(Query{}); len(lines) > 0 || stats.Hits > 0 {
		t.Errorf("%d records found, want none", len(lines))
	}
	if r := l.verified(); !r.Clean() || r.Records != 0 || r.Pending != 0 {
		t.Errorf("%+v, want no record", r)
	}
	l.close()
	if _, err := Search(context.Background(), l.dir, Query{}, nil); !errors.Is(err, ErrNoLog) {
		t.Errorf("search after the writer left: %v, want ErrNoLog", err)
	}
	if _, err := Follow(context.Background(), l.dir, Query{}, nil); !errors.Is(err, ErrNoLog) {
		t.Errorf("follow after the writer left: %v, want ErrNoLog", err)
	}
	if _, err := Verify(context.Background(), l.dir, nil); !errors.Is(err, ErrNoLog) {
		t.Errorf("verify after the writer left: %v, want ErrNoLog", err)
	}
}

// A writer that died before it wrote anything has left all of it in its ring.
func TestSearchReadsARingAlone(t *testing.T) {
	l := newLog(t, shape{seed: 4})
	l.die(150)
	for _, q := range []Query{{}, {From: 20, To: 30}, {Tail: 7}, {Tail: -1}, {Session: l.records[7].Session}, {Grep: regexp.MustCompile("n=99 ")}} {
		lines, _ := l.found(q)
		if q.Tail >= 0 {
			same(t, lines, l.want(q))
		} else if len(lines) > 0 {
			t.Errorf("%d records, want none of those that are there", len(lines))
		}
	}
}

// What was never published has a tombstone in the answer, so that no index is missing.
func TestSearchGivesTombstones(t *testing.T) {
	l := newLog(t, shape{seed: 12}).add(10)
	l.die(5, 13)
	lines, _ := l.found(Query{From: 12, To: 15})
	if len(lines) != 3 || !strings.Contains(lines[1], "flags=tombstone") {
		t.Errorf("got %q, want a tombstone for 13", lines)
	}
}

// The writer that comes after a dead one has the same records in its files: they are given once.
func TestSearchDoesNotReadTheRingOfALivingWriter(t *testing.T) {
	l := newLog(t, shape{seed: 13}).add(10)
	l.die(5)
	l.records = l.records[:10]
	l.open(false)
	lines, _ := l.found(Query{})
	same(t, lines, l.want(Query{}))
}
