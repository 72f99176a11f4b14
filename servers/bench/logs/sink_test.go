//go:build linux

package logs

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"vitrine/logx/query"
	"vitrine/logx/record"
)

// found is what a sink has left in its directory.
func found(t *testing.T, k kind, dir string, callers int) *tally {
	t.Helper()
	seen := newTally(callers)
	var err error
	switch {
	case k.class != classOurs:
		err = noteFiles(dir, seen)
	case k.name == oursText:
		noteText(t, dir, seen)
	default:
		_, err = query.Search(context.Background(), dir, query.Query{}, func(r *record.Record, _ *record.Types) bool {
			seen.note(r.Session, fieldX(r))
			return true
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	return seen
}

// noteText reads the lines of our text mode, whose fields stand as key=value.
func noteText(t *testing.T, dir string, seen *tally) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.Lines(text) {
			words := strings.Fields(string(line))
			session, x := numberAfter(words, "session="), numberAfter(words, "x=")
			if session >= 0 && x >= 0 {
				seen.note(uint64(session), x)
			}
		}
	}
}

func numberAfter(words []string, key string) int64 {
	i := slices.IndexFunc(words, func(w string) bool { return strings.HasPrefix(w, key) })
	if i < 0 {
		return -1
	}
	n, ok := member([]byte(words[i]+","), key)
	if !ok {
		return -1
	}
	return n
}

func TestEveryLoggerWritesEveryRecordOfEveryCaller(t *testing.T) {
	const callers, records = 3, 600
	for _, k := range allKinds() {
		t.Run(k.name, func(t *testing.T) {
			dir := t.TempDir()
			s, err := k.open(medium{dir: dir, ours: saturated()})
			if err != nil {
				t.Fatal(err)
			}
			if refused := logAll(s.log, callers, records); refused != 0 {
				t.Errorf("%d calls refused", refused)
			}
			if err = s.flush(); err != nil {
				t.Error(err)
			}
			if err = s.close(); err != nil {
				t.Error(err)
			}
			seen := found(t, k, dir, callers)
			if lost := seen.lost([]uint64{200, 200, 200}); lost != 0 || seen.duplicates != 0 || seen.strange != 0 {
				t.Errorf("%d lost, %d twice, %d strange", lost, seen.duplicates, seen.strange)
			}
		})
	}
}

func TestLoggersArePickedByName(t *testing.T) {
	picked, err := pickKinds([]string{"zap", oursText})
	if err != nil || !slices.Equal(kindNames(picked), []string{"zap", oursText}) {
		t.Errorf("%v, %v", kindNames(picked), err)
	}
	if picked, err = pickKinds(nil); err != nil || len(picked) != len(allKinds()) {
		t.Errorf("no names: %v, %v", kindNames(picked), err)
	}
	if _, err = pickKinds([]string{"logrus"}); err == nil || !strings.Contains(err.Error(), "zerolog-diode") {
		t.Errorf("unknown name: %v", err)
	}
}

func TestSharesAddUp(t *testing.T) {
	for _, callers := range []int{1, 3, 8} {
		sum := 0
		for c := range callers {
			sum += share(1000, callers, c)
		}
		if sum != 1000 {
			t.Errorf("%d callers log %d records", callers, sum)
		}
	}
}
