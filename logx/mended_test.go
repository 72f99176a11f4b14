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
	"syscall"
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

const (
	movedSlots = 64  // of a ring that has moved on
	movedHead  = 326 // the index that it would give next
)

// strandBehind leaves a ring that has let go of most of what is in the files, and holds the last records.
func strandBehind(t *testing.T, c Config) {
	t.Helper()
	disk := newFaultyFS()
	c.FS, c.RingRecords = disk, movedSlots
	l := open(t, c)
	const stranded = 5
	for next := l.Stats().Next; next < movedHead; next++ {
		if next == movedHead-stranded {
			flush(t, l)
			disk.before(func() error { return syscall.ENOSPC })
		}
		write(t, l, Entry{Message: fmt.Sprintf("record %d of the first run", next)})
		if next%(movedSlots/2) == 0 {
			flush(t, l)
		}
	}
	if err := l.Close(); err == nil {
		t.Fatal("closed without an error")
	}
}

// A ring that has moved on has the last records alone: what the files have lost before them is told, and nothing else is.
func TestGapBeforeTheRecordsOfTheRingIsTold(t *testing.T) {
	const oldest, last, held = 1, 11, movedHead - movedSlots // bases of two segments, and the first record of the ring
	at := func(c *Config, base uint64, suffix string) string {
		return filepath.Join(c.Dir, fmt.Sprintf("%020d%s", base, suffix))
	}
	gone := func(t *testing.T, c *Config, base uint64) {
		paths, _ := filepath.Glob(at(c, base, ".*"))
		drop(t, paths...)
	}
	for name, test := range map[string]struct {
		damage func(t *testing.T, c *Config)
		lost   uint64 // the first index that is missing; 0 = none is
		words  string // of the record that tells, if there is one
	}{
		"killed":           {func(*testing.T, *Config) {}, 0, ""},
		"oldest removed":   {func(t *testing.T, c *Config) { gone(t, c, oldest) }, 0, ""},
		"last gone":        {func(t *testing.T, c *Config) { gone(t, c, last) }, last, lostMessage},
		"all gone":         {func(t *testing.T, c *Config) { gone(t, c, oldest); gone(t, c, last) }, oldest, lostMessage},
		"torn in the ring": {func(t *testing.T, c *Config) { tear(t, at(c, last, ".log"), 300) }, 0, "[WARN / 326] log mended after a crash"},
		"torn before it": {func(t *testing.T, c *Config) {
			tear(t, at(c, last, ".log"), 61)
			drop(t, at(c, last, ".idx"), at(c, last, ".warn"))
		}, 61, lostMessage},
		"bit flipped before it": {func(t *testing.T, c *Config) {
			flip(t, at(c, last, ".log"), func(b []byte) int { return bytes.Index(b, []byte("record 28 of")) })
		}, 28, damagedMessage},
	} {
		t.Run(name, func(t *testing.T) {
			var said syncBuffer
			c := Config{Dir: t.TempDir(), RingDir: t.TempDir(), Types: []string{"guild"}}
			l := open(t, c)
			for range last - oldest {
				write(t, l, Entry{Message: "record of the oldest segment"})
			}
			closeLog(t, l)
			c.Types = nil // which begins a segment
			strandBehind(t, c)
			test.damage(t, &c)
			c.Complain = &said
			var records []string
			for range 2 { // the second has nothing more to tell
				closeLog(t, open(t, c))
				records, _, _ = told(t, c.Dir)
			}
			words, line := test.words, ""
			if test.lost > 0 {
				words = fmt.Sprintf("[system] [ERROR / %d] %s", movedHead, test.words)
				line = fmt.Sprintf("records %d to %d are missing", test.lost, held-1)
			}
			all := strings.Join(records, "\n")
			if !strings.Contains(all, words) || words == "" && all != "" || strings.Contains(all, "ERROR") != (test.lost > 0) {
				t.Errorf("told %s\nwant %s", all, words)
			}
			if missing := fmt.Sprintf("first_missing=%d last_missing=%d", test.lost, held-1); strings.Contains(all, "missing=") && !strings.Contains(all, missing) {
				t.Errorf("told %s\nwant %s", all, missing)
			}
			if !strings.Contains(said.String(), line) || line == "" && said.String() != "" {
				t.Errorf("said %q, want %q", said.String(), line)
			}
		})
	}
}

// tear cuts a log in the middle of a record.
func tear(t *testing.T, path string, index int) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	put(t, path, b[:bytes.Index(b, fmt.Appendf(nil, "record %d of", index))])
}
