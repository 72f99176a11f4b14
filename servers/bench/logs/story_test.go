//go:build linux

package logs

import (
	"fmt"
	"strings"
	"testing"

	"vitrine/logx/record"
)

func TestSessionsJoinSpeakAndLeaveInOrder(t *testing.T) {
	const sessions, alive, records = 300, 20, 40_000
	s := newStory(1, sessions, alive)
	joined, left := map[uint64]bool{}, map[uint64]bool{}
	for n := range records {
		r := s.next(float64(n) / records)
		switch {
		case r.Index != uint64(n+1):
			t.Fatalf("record %d has index %d", n, r.Index)
		case r.Message == "session joined":
			joined[r.Session] = true
		case !joined[r.Session] || left[r.Session]:
			t.Fatalf("record %d: session %d says %q before it joined or after it left", n, r.Session, r.Message)
		case r.Message == "session left":
			left[r.Session] = true
		}
		if now := len(joined) - len(left); now > alive || n >= alive && now < alive-1 {
			t.Fatalf("record %d: %d sessions alive", n, now)
		}
	}
	if len(joined) != sessions || len(left) != sessions-alive {
		t.Errorf("%d joined, %d left", len(joined), len(left))
	}
}

func TestStoryHasItsShareOfTroubles(t *testing.T) {
	const records = 400_000
	s := newStory(1, 1000, 100)
	levels := map[record.Level]int{}
	messages := map[string]bool{}
	for n := range records {
		r := s.next(float64(n) / records)
		levels[r.Level]++
		messages[r.Message] = true
	}
	for level, odds := range map[record.Level]int{record.Warn: warnOdds, record.Error: errorOdds} {
		if want := records / odds; levels[level] < want/2 || levels[level] > want*2 {
			t.Errorf("%d records of level %v, want about %d", levels[level], level, want)
		}
	}
	if levels[record.System] != 0 || len(messages) < 10 {
		t.Errorf("levels %v, %d messages", levels, len(messages))
	}
}

func TestSameSeedTellsTheSameStory(t *testing.T) {
	tell := func(seed uint64) string {
		s := newStory(seed, 50, 5)
		var text []byte
		for n := range 1000 {
			text = record.AppendText(text, s.next(float64(n)/1000), nil)
		}
		return string(text)
	}
	first := tell(1)
	if tell(1) != first {
		t.Error("the same seed tells another story")
	}
	if tell(2) == first {
		t.Error("another seed tells the same story")
	}
	for line := range strings.Lines(first) {
		if strings.Count(line, " session=") != 1 || strings.Count(line, " / ") != 2 {
			t.Fatalf("grep would not find what it shall: %s", line)
		}
	}
}

func TestNoSessionIDBeginsLikeAnother(t *testing.T) {
	for _, n := range []int{0, 1, 8191, 8192, 99_999} {
		if got := len(fmt.Sprint(sessionID(n))); got != 14 {
			t.Errorf("session %d has %d digits", n, got)
		}
	}
}
