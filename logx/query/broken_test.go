package query

import (
	"bytes"
	"context"
	"errors"
	"os"
	"testing"

	"vitrine/logx/record"
)

// Where reading ends, half a record is in order and damage is not.
func TestEndOfFilesIsJudged(t *testing.T) {
	encode := func(index uint64) []byte {
		return record.Append(nil, &record.Head{Index: index, Level: record.Info}, record.AppendPayload(nil, nil, nil, "message", nil))
	}
	one, two := encode(7), encode(8)
	both := append(bytes.Clone(one), two...)
	flip := func(b []byte, at int) []byte {
		b = bytes.Clone(b)
		b[at] ^= 0x10
		return b
	}
	footer := append(make([]byte, 8), "VTRNSEAL"...)
	footer = append(footer, make([]byte, 48)...)
	for _, test := range []struct {
		name string
		b    []byte
		bad  bool
	}{
		{"nothing", nil, false},
		{"the record that is due", both, false},
		{"half a record", one[:20], false},
		{"a byte", one[:1], false},
		{"a footer", footer, false},
		{"half a footer", footer[:11], false},
		{"the front of a footer", footer[:3], false},
		{"another record", two, true},
		{"a flipped bit", flip(both, record.HeadBytes+2), true},
		{"a flipped bit at the very end", flip(one, record.HeadBytes+2), true},
		{"a length that is too long", flip(both, 1), true},
		{"zeros", make([]byte, 200), true},
		{"text", []byte("this is no record at all, whatever it is"), true},
	} {
		if err := endOf(test.b, 7); (err != nil) != test.bad {
			t.Errorf("%s: %v, want an error: %v", test.name, err, test.bad)
		}
	}
}

// Damage in the part of the last segment that has no index yet ends what can be read, and is told of. Half a record is
// what a kill leaves.
func TestDamageAtTheEndIsTold(t *testing.T) {
	l := newLog(t, shape{seed: 1}).add(500)
	l.close()
	path := l.file(1, ".log")
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	at := bytes.LastIndex(whole[:len(whole)/2], []byte("message"))
	for _, test := range []struct {
		name   string
		spoil  func([]byte) []byte
		broken bool
		least  int
	}{
		{"flipped bit", func(b []byte) []byte { b[at] ^= 1; return b }, true, 200},
		{"flipped length", func(b []byte) []byte { b[at-record.HeadBytes-1+2] ^= 1; return b }, true, 200},
		{"half a record", func(b []byte) []byte { return b[:len(b)-9] }, false, 499},
		{"zeros behind", func(b []byte) []byte { return append(b, make([]byte, 4096)...) }, true, 500},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := os.WriteFile(path, test.spoil(bytes.Clone(whole)), 0o600); err != nil {
				t.Fatal(err)
			}
			var lines []string
			stats, err := Search(context.Background(), l.dir, Query{}, collect(&lines))
			if errors.Is(err, ErrCorrupt) != test.broken || (stats.Corrupted > 0) != test.broken {
				t.Errorf("%v, %d places; want damage: %v", err, stats.Corrupted, test.broken)
			}
			if len(lines) < test.least {
				t.Errorf("%d records, want at least %d", len(lines), test.least)
			}
			l.t = t
			same(t, lines, l.want(Query{Limit: len(lines)}))
			if !test.broken {
				return
			}
			if _, err := Follow(context.Background(), l.dir, Query{}, collect(&lines)); !errors.Is(err, ErrCorrupt) {
				t.Errorf("following ends with %v, want ErrCorrupt", err)
			}
		})
	}
}

// What damage has left beside the segments is found before anybody has opened the log again, and what is set aside
// afterwards.
func TestLeftoversOfDamageAreTold(t *testing.T) {
	whole := newLog(t, shape{seed: 12}).add(30_000)
	bases := whole.bases()
	whole.close()
	last := bases[len(bases)-1]
	for _, test := range []struct {
		name    string
		spoil   func(*log)
		search  bool // finds it too
		corrupt int
		gaps    int
	}{
		{"whole", func(l *log) {}, false, 0, 0},
		{"emptied last segment", func(l *log) { l.put(last, ".log", nil) }, true, 1, 0},
		{"last segment without data", func(l *log) { l.remove(last, ".log") }, true, 2, 0},
		{"segment without data", func(l *log) { l.remove(bases[1], ".log") }, false, 2, 1},
		{"removal under way", func(l *log) { l.remove(bases[0], ".log") }, false, 0, 0},
		{"all data gone", func(l *log) {
			for _, base := range bases {
				l.remove(base, ".log")
			}
		}, true, 2 * len(bases), 0},
		{"set aside", func(l *log) { l.put(last, ".cut.2", l.read(last, ".log")) }, false, 1, 0},
		{"first segment set aside", func(l *log) {
			l.put(bases[0], ".cut", l.read(bases[0], ".log"))
			for _, suffix := range []string{".log", ".idx", ".warn"} {
				l.remove(bases[0], suffix)
			}
		}, false, 1, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			l := &log{t: t, dir: t.TempDir()}
			if err := os.CopyFS(l.dir, os.DirFS(whole.dir)); err != nil {
				t.Fatal(err)
			}
			test.spoil(l)
			r := l.verified()
			if r.Corrupted != test.corrupt || r.GapCount != test.gaps || r.Clean() != (test.corrupt+test.gaps == 0) {
				t.Errorf("%+v, want %d places and %d gaps", r, test.corrupt, test.gaps)
			}
			for _, a := range r.Asides {
				if want := uint64(a.Records) + a.First - 1; a.Records == 0 || a.Last != want || a.Bytes == 0 {
					t.Errorf("%+v, want as many records as indexes", a)
				}
			}
			stats, err := Search(context.Background(), l.dir, Query{}, nil)
			if errors.Is(err, ErrCorrupt) != test.search || !test.search && err != nil || len(stats.Asides) != len(r.Asides) {
				t.Errorf("a search finds %v and %v", err, stats.Asides)
			}
		})
	}
}

func (l *log) put(base uint64, suffix string, b []byte) {
	l.t.Helper()
	if err := os.WriteFile(l.file(base, suffix), b, 0o600); err != nil {
		l.t.Fatal(err)
	}
}

func (l *log) read(base uint64, suffix string) []byte {
	l.t.Helper()
	b, err := os.ReadFile(l.file(base, suffix))
	if err != nil {
		l.t.Fatal(err)
	}
	return b
}

func (l *log) remove(base uint64, suffix string) {
	l.t.Helper()
	if err := os.Remove(l.file(base, suffix)); err != nil && !errors.Is(err, os.ErrNotExist) {
		l.t.Fatal(err)
	}
}
