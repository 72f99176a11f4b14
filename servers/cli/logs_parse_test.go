package cli

import (
	"math"
	"strings"
	"testing"
	"time"

	"vitrine/logx/query"
	"vitrine/logx/record"
)

// zone is the local time zone of these tests.
var zone = time.FixedZone("here", 2*60*60)

var logNow = time.Date(2026, 11, 22, 22, 44, 10, 500, zone)

func TestLogTimesHaveManyForms(t *testing.T) {
	for text, want := range map[string]time.Time{
		"":                          {},
		"2026-11-22T20:00:00Z":      time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC),
		"2026-11-22T20:00:00+05:00": time.Date(2026, 11, 22, 15, 0, 0, 0, time.UTC),
		"2026-11-22T20:00:00.25Z":   time.Date(2026, 11, 22, 20, 0, 0, 250e6, time.UTC),
		"2026-11-22T20:00:00":       time.Date(2026, 11, 22, 20, 0, 0, 0, zone),
		"2026-11-22 20:00:00":       time.Date(2026, 11, 22, 20, 0, 0, 0, zone),
		"2026-11-22 20:00:00.123":   time.Date(2026, 11, 22, 20, 0, 0, 123e6, zone),
		"2026-11-22 20:00":          time.Date(2026, 11, 22, 20, 0, 0, 0, zone),
		"2026-11-21":                time.Date(2026, 11, 21, 0, 0, 0, 0, zone),
		"15:04":                     time.Date(2026, 11, 22, 15, 4, 0, 0, zone),
		"15:04:05":                  time.Date(2026, 11, 22, 15, 4, 5, 0, zone),
		"10m":                       logNow.Add(-10 * time.Minute),
		"2h30m":                     logNow.Add(-150 * time.Minute),
		"-2h":                       logNow.Add(-2 * time.Hour),
	} {
		if got, err := parseTime(text, logNow); err != nil || !got.Equal(want) {
			t.Errorf("%q: %v, %v; want %v", text, got, err, want)
		}
	}
}

func TestLogRangesIncludeBothEnds(t *testing.T) {
	for text, want := range map[string][2]uint64{
		"":                        {0, 0},
		"5":                       {5, 6},
		"5..9":                    {5, 10},
		"5..5":                    {5, 6},
		"5..":                     {5, 0},
		"..9":                     {0, 10},
		"1..18446744073709551615": {1, 0},
		"18446744073709551615":    {math.MaxUint64, 0},
	} {
		if from, to, err := parseRange(text); err != nil || from != want[0] || to != want[1] {
			t.Errorf("%q: %d to %d, %v; want %v", text, from, to, err, want)
		}
	}
}

func TestLogFlagsBecomeAQuery(t *testing.T) {
	three := 3
	c := logsSearchCommand{
		Index: "5..9", Since: "2h", Until: "1h", Level: "warn", Type: []string{"chat", "lan"}, Session: "18446744073709551615",
		Trace: "000000000000000000000000000000ff", Grep: "a+", Tail: &three,
	}
	q, err := c.query(logNow)
	if err != nil {
		t.Fatal(err)
	}
	if q.From != 5 || q.To != 10 || !q.Since.Equal(logNow.Add(-2*time.Hour)) || !q.Until.Equal(logNow.Add(-time.Hour)) ||
		q.MinLevel != record.Warn || strings.Join(q.Types, " ") != "chat lan" || q.Session != math.MaxUint64 ||
		q.Trace != [16]byte{15: 255} || q.Grep.String() != "a+" || q.Tail != 3 || q.Limit != 0 {
		t.Errorf("got %+v", q)
	}
}

func TestFollowBeginsWithTheLastRecords(t *testing.T) {
	none, five := 0, 5
	for _, test := range []struct {
		name string
		c    logsSearchCommand
		want int
	}{
		{"search", logsSearchCommand{}, 0},
		{"follow", logsSearchCommand{Follow: true}, followTail},
		{"follow --tail 5", logsSearchCommand{Follow: true, Tail: &five}, 5},
		{"follow --tail 0", logsSearchCommand{Follow: true, Tail: &none}, -1},
		{"follow --since", logsSearchCommand{Follow: true, Since: "1h"}, 0},
		{"follow --index", logsSearchCommand{Follow: true, Index: "7.."}, 0},
	} {
		var q query.Query
		q, err := test.c.query(logNow)
		if err != nil || q.Tail != test.want {
			t.Errorf("%s: Tail %d, %v; want %d", test.name, q.Tail, err, test.want)
		}
	}
}

func TestLogsCommandLinesThatMakeNoSense(t *testing.T) {
	inTempDir(t)
	for _, test := range []struct{ args, want string }{
		{"--index five", "want N, N..M"},
		{"--index ..", "want N, N..M"},
		{"--index 1..2..3", "want N, N..M"},
		{"--index -3", "--index"},
		{"--index 9..5", "end is before the beginning"},
		{"--since yesterday", "--since yesterday: want 2006"},
		{"--until 25:99", "--until 25:99: want 2006"},
		{"--since 1h --until 2h", "end is not after the beginning"},
		{"--level loud", "want debug, info, warn, error or system"},
		{"--session me", "--session me: want a decimal"},
		{"--session 0", "--session 0: want a decimal number above 0"},
		{"--trace abc", "32 hexadecimal digits"},
		{"--trace 00000000000000000000000000000000", "not all 0"},
		{"--grep (", "--grep:"},
		{"--limit=-1", "--limit -1"},
		{"--limit 0", "--limit 0: want at least 1"},
		{"--session=", "--session: its value is empty"},
		{"--trace=", "--trace: its value is empty"},
		{"--index=", "--index: its value is empty"},
		{"--since=", "--since: its value is empty"},
		{"--until=", "--until: its value is empty"},
		{"--type=", "--type: its value is empty"},
		{"--type=chat,,lan", "--type: its value is empty"},
		{"--level=", "--level: its value is empty"},
		{"--grep= --dir=", "--grep: its value is empty\nvitrine: --dir: its value is empty"},
		{"verify --dir=", "--dir: its value is empty"},
		{"--tail 0", "--tail 0"},
		{"--tail 3 --limit 3", "--tail and --limit"},
		{"--follow --count", "--follow and --count"},
		{"unheard-of", "unheard-of"},
		{"--colour", "--colour"},
		{"verify --session 3", "--session"},
		{"--session 3 verify", "--session"},
	} {
		got := run(append([]string{"logs"}, strings.Fields(test.args)...)...)
		if got.status != statusUsage || !strings.Contains(got.err, test.want) {
			t.Errorf("%s: exit status %d and %q, want %d and %q", test.args, got.status, got.err, statusUsage, test.want)
		}
	}
}
