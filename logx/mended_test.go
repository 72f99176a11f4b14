package logx

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vitrine/logx/query"
	"vitrine/logx/record"
)

const (
	writtenBefore = 52 // records of the log that is damaged
	lastWarn      = 50 // the last of them that has a posting
)

// firstRun makes a log of one segment.
func firstRun(t *testing.T, c Config) {
	t.Helper()
	l := open(t, c)
	for i := range writtenBefore {
		level := record.Info
		if i%10 == 9 {
			level = record.Error
		}
		write(t, l, Entry{Level: level, Message: fmt.Sprintf("record %d of the first run", i+1)}, record.Int("i", i))
	}
	closeLog(t, l)
}

// told gives the records that the log has written about itself, and all indexes.
func told(t *testing.T, dir string) (records []string, indexes []uint64, asides int) {
	t.Helper()
	stats, err := query.Search(context.Background(), dir, query.Query{}, func(r *record.Record, types *record.Types) bool {
		if indexes = append(indexes, r.Index); strings.HasPrefix(r.Message, "log ") {
			records = append(records, plain(string(record.AppendText(nil, r, types))))
		}
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return records, indexes, len(stats.Asides)
}

// flip damages one byte of a file.
func flip(t *testing.T, path string, at func(b []byte) int) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[at(b)] ^= 0x10
	if err = os.WriteFile(path, b, 0o640); err != nil {
		t.Fatal(err)
	}
}

func noise(size int) []byte {
	rng := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, size)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return b
}

// Whatever damage a log has when it is opened: no index is given twice, nothing goes without a word, and what was damaged is
// still there to be looked at, also after more restarts.
func TestDamageIsToldAndNoIndexIsGivenTwice(t *testing.T) {
	for name, test := range map[string]struct {
		damage func(t *testing.T, path func(suffix string) string)
		next   uint64 // the least index that may be given
		before bool   // verify finds it before anybody has opened the log again
		words  string // of the record that tells
	}{
		"bit flipped in a record": {
			damage: func(t *testing.T, path func(string) string) {
				flip(t, path(".log"), func(b []byte) int { return bytes.Index(b, []byte("record 28 of")) })
			}, next: writtenBefore + 1, words: "whole_records=24 first_index=28 last_index=52 first_missing=28 last_missing=52",
		},
		"bit flipped in the last record": {
			damage: func(t *testing.T, path func(string) string) {
				flip(t, path(".log"), func(b []byte) int { return bytes.Index(b, []byte("record 52 of")) })
			}, next: writtenBefore + 1, words: "whole_records=0 first_index=52 last_index=52 first_missing=52 last_missing=52",
		},
		"bit flipped in the header": {
			damage: func(t *testing.T, path func(string) string) { flip(t, path(".log"), func([]byte) int { return 20 }) },
			next:   writtenBefore + 1, before: true, words: "whole_records=52 first_index=1 last_index=52 first_missing=1 last_missing=52",
		},
		"random bytes": {
			damage: func(t *testing.T, path func(string) string) { put(t, path(".log"), noise(5000)) },
			next:   lastWarn + 1, before: true, words: "bytes=5000 kept_in=00000000000000000001.cut whole_records=0",
		},
		"random bytes alone": {
			damage: func(t *testing.T, path func(string) string) {
				put(t, path(".log"), noise(5000))
				drop(t, path(".idx"), path(".warn"))
			}, next: 2, before: true, words: "bytes=5000 kept_in=00000000000000000001.cut",
		},
		"emptied": {
			damage: func(t *testing.T, path func(string) string) { put(t, path(".log"), nil) },
			next:   lastWarn + 1, before: true, words: "kept_in=00000000000000000001.cut whole_records=0 first_index=1 last_index=50",
		},
		"half of it gone": {
			damage: func(t *testing.T, path func(string) string) {
				if err := os.Truncate(path(".log"), 1500); err != nil {
					t.Fatal(err)
				}
			}, next: lastWarn + 1, before: true, words: "last_index=50",
		},
		"data gone": {
			damage: func(t *testing.T, path func(string) string) { drop(t, path(".log")) },
			next:   lastWarn + 1, before: true, words: "kept_in=00000000000000000001.cut.2 whole_records=0 first_index=1 last_index=50",
		},
		"data gone, and postings": {
			damage: func(t *testing.T, path func(string) string) { drop(t, path(".log"), path(".warn")) },
			next:   2, before: true, words: "kept_in=00000000000000000001.cut",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var said syncBuffer
			c := Config{Dir: t.TempDir(), RingDir: t.TempDir(), Complain: &said}
			firstRun(t, c)
			test.damage(t, func(suffix string) string { return filepath.Join(c.Dir, fmt.Sprintf("%020d%s", 1, suffix)) })
			if report, err := query.Verify(context.Background(), c.Dir, nil); err != nil || test.before && report.Corrupted == 0 {
				t.Errorf("before a restart: %+v, %v", report, err)
			}
			var errors []string
			for run := range 3 {
				l := open(t, c)
				if next := l.Stats().Next; run == 0 && next <= test.next {
					t.Errorf("next is %d with the record that tells, want more than %d", next, test.next)
				}
				write(t, l, Entry{Message: "second run"})
				closeLog(t, l)
				records, indexes, asides := told(t, c.Dir)
				if run == 0 {
					errors = records
				}
				if !slices.Equal(records, errors) {
					t.Errorf("run %d told more: %q", run, records)
				}
				if !slices.IsSorted(indexes) || len(slices.Compact(slices.Clone(indexes))) != len(indexes) || asides == 0 {
					t.Errorf("indexes %v, %d files aside", indexes, asides)
				}
			}
			if all := strings.Join(errors, "\n"); !strings.Contains(all, "[system] [ERROR / ") || !strings.Contains(all, test.words) {
				t.Errorf("told %s\nwant an ERROR with %s", all, test.words)
			}
			if lines := strings.Split(strings.TrimSpace(said.String()), "\n"); len(lines) != 1 || !strings.Contains(lines[0], "lie aside in 00000000000000000001.cut") {
				t.Errorf("said %q, want one line", lines)
			}
			report, err := query.Verify(context.Background(), c.Dir, nil)
			if err != nil || report.Corrupted == 0 || report.GapCount != 1 || report.Duplicated != 0 || report.Clean() || len(report.Asides) == 0 {
				t.Errorf("afterwards: %+v, %v", report, err)
			}
		})
	}
}

func put(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o640); err != nil {
		t.Fatal(err)
	}
}

func drop(t *testing.T, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// What the death of a process leaves is told without alarm, and a clean end leaves nothing to tell.
func TestTracesOfADeathAreToldWithoutAlarm(t *testing.T) {
	for name, test := range map[string]struct {
		spoil func(t *testing.T, path func(suffix string) string)
		want  []string
	}{
		"clean end": {func(*testing.T, func(string) string) {}, nil},
		"torn record": {func(t *testing.T, path func(string) string) {
			file, err := os.OpenFile(path(".log"), os.O_WRONLY|os.O_APPEND, 0)
			if err == nil {
				_, err = file.Write([]byte{200, 0, 0, 0, 1, 2, 3})
				file.Close()
			}
			if err != nil {
				t.Fatal(err)
			}
		}, []string{"[system] [WARN / 53] log mended after a crash cut_bytes=7"}},
		"postings lost": {func(t *testing.T, path func(string) string) { drop(t, path(".warn")) },
			[]string{"[system] [WARN / 53] log mended after a crash rebuilt=00000000000000000001.warn"}},
		"compression cut short": {func(t *testing.T, path func(string) string) { put(t, path(".log.zst.tmp"), noise(100)) },
			[]string{"[system] [INFO / 53] log directory tidied up removed=00000000000000000001.log.zst.tmp"}},
	} {
		t.Run(name, func(t *testing.T) {
			var said syncBuffer
			c := Config{Dir: t.TempDir(), RingDir: t.TempDir(), Complain: &said}
			firstRun(t, c)
			test.spoil(t, func(suffix string) string { return filepath.Join(c.Dir, fmt.Sprintf("%020d%s", 1, suffix)) })
			for range 2 {
				closeLog(t, open(t, c))
				records, _, asides := told(t, c.Dir)
				if same(t, records, test.want); asides != 0 || said.String() != "" {
					t.Errorf("%d files aside, said %q", asides, said.String())
				}
			}
			verify(t, c.Dir)
		})
	}
}

// The file has damage where the ring still has the records: they come from there, and nobody is alarmed.
func TestDamageThatTheRingMakesGoodCostsNothing(t *testing.T) {
	var said syncBuffer
	c := Config{Dir: t.TempDir(), RingDir: t.TempDir()}
	strand(t, c, 5) // record 1 is in the file, 2 to 6 are in the ring
	c.Complain = &said
	log := filepath.Join(c.Dir, fmt.Sprintf("%020d.log", 1))
	b, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	payload := record.AppendPayload(nil, nil, nil, "stranded", nil)
	for index := uint64(2); index < 5; index++ { // written, and damaged before the ring let go of them
		b = record.Append(b, &record.Head{Index: index, Level: record.Info}, payload)
		if index == 2 {
			b[len(b)-1] ^= 1
		}
	}
	put(t, log, b)
	closeLog(t, open(t, c))
	report, err := query.Verify(context.Background(), c.Dir, nil)
	if err != nil || report.GapCount+int(report.Duplicated) != 0 || report.Records != 7 || len(report.Asides) != 1 {
		t.Errorf("%+v, %v", report, err)
	}
	records, _, _ := told(t, c.Dir)
	if len(records) != 1 || !strings.HasPrefix(records[0], "[system] [WARN / 7] log file damaged") || said.String() != "" {
		t.Errorf("told %q, said %q", records, said.String())
	}
	closeLog(t, open(t, c))
	if again, _, _ := told(t, c.Dir); len(again) != 1 {
		t.Errorf("told again: %q", again)
	}
}
