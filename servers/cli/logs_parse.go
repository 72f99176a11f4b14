package cli

import (
	"encoding/hex"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"vitrine/logx/query"
	"vitrine/logx/record"
)

// followTail is how many records --follow begins with when nothing else says where.
const followTail = 10

// query turns the flags into a query; every flag that makes no sense is a usage error that says what would.
func (c *logsSearchCommand) query(now time.Time) (q query.Query, err error) {
	if err := c.contradictions(); err != nil {
		return q, err
	}
	if q.From, q.To, err = parseRange(c.Index); err != nil {
		return q, usagef("--index %s: %w", c.Index, err)
	}
	if q.Since, err = parseTime(c.Since, now); err != nil {
		return q, usagef("--since %s: %w", c.Since, err)
	}
	if q.Until, err = parseTime(c.Until, now); err != nil {
		return q, usagef("--until %s: %w", c.Until, err)
	}
	if !q.Since.IsZero() && !q.Until.IsZero() && !q.Since.Before(q.Until) {
		return q, usagef("--since %s --until %s: the end is not after the beginning", c.Since, c.Until)
	}
	q.Types, q.Tail = c.Type, c.tail()
	if c.Limit != nil {
		q.Limit = *c.Limit
	}
	return q, c.words(&q)
}

// words parses level, session, trace and regular expression.
func (c *logsSearchCommand) words(q *query.Query) (err error) {
	if c.Level != "" {
		if q.MinLevel, err = record.ParseLevel(c.Level); err != nil {
			return usagef("--level %s: %w", c.Level, err)
		}
	}
	if c.Session != "" {
		if q.Session, err = strconv.ParseUint(c.Session, 10, 64); err != nil || q.Session == 0 {
			return usagef("--session %s: want a decimal number above 0", c.Session)
		}
	}
	if c.Trace != "" {
		if q.Trace, err = parseTrace(c.Trace); err != nil {
			return usagef("--trace %s: %w", c.Trace, err)
		}
	}
	if c.Grep != "" {
		if q.Grep, err = regexp.Compile(c.Grep); err != nil {
			return usagef("--grep: %w", err)
		}
	}
	return nil
}

// contradictions refuses flags that do not go together.
func (c *logsSearchCommand) contradictions() error {
	switch {
	case c.Limit != nil && *c.Limit < 1:
		return usagef("--limit %d: want at least 1", *c.Limit)
	case c.Tail != nil && (*c.Tail < 0 || *c.Tail == 0 && !c.Follow):
		return usagef("--tail %d: want at least 1", *c.Tail)
	case c.Tail != nil && c.Limit != nil:
		return usagef("--tail and --limit: want one of them")
	case c.Follow && c.Count:
		return usagef("--follow and --count: want one of them")
	}
	return nil
}

// tail is where the answer begins, in the words of query.Query: 0 is everything, below 0 nothing that is there already.
func (c *logsSearchCommand) tail() int {
	switch {
	case c.Tail != nil && *c.Tail == 0:
		return -1
	case c.Tail != nil:
		return *c.Tail
	case c.Follow && c.Index == "" && c.Since == "":
		return followTail
	}
	return 0
}

// parseRange reads N, N..M, N.. or ..M. The end it returns is not included; 0 is none.
func parseRange(text string) (from, to uint64, err error) {
	if text == "" {
		return 0, 0, nil
	}
	first, last, isRange := strings.Cut(text, "..")
	if !isRange {
		last = first
	}
	if first == "" && last == "" {
		return 0, 0, fmt.Errorf("want N, N..M, N.. or ..M")
	}
	if from, err = parseIndex(first, 0); err != nil {
		return 0, 0, err
	}
	until, err := parseIndex(last, math.MaxUint64)
	if err != nil {
		return 0, 0, err
	}
	if until < from {
		return 0, 0, fmt.Errorf("the end is before the beginning")
	}
	return from, until + 1, nil // beyond the last index there is: 0, no end
}

func parseIndex(text string, missing uint64) (uint64, error) {
	if text == "" {
		return missing, nil
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("want N, N..M, N.. or ..M with decimal indexes")
	}
	return n, nil
}

// parseTime reads a moment; "" is the zero time. What names no zone is local, what names no day is today.
func parseTime(text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateTime, "2006-01-02T15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return t, nil
		}
	}
	if t, err := time.Parse(time.RFC3339, text); err == nil {
		return t, nil
	}
	for _, layout := range []string{time.TimeOnly, "15:04"} {
		if t, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return onDay(now, t), nil
		}
	}
	if ago, err := time.ParseDuration(text); err == nil {
		return now.Add(-ago.Abs()), nil
	}
	return time.Time{}, fmt.Errorf("want 2006-01-02T15:04:05Z, \"2006-01-02 15:04:05\", 15:04 or a duration back from now such as 10m")
}

// onDay returns a time of day on the day of another time.
func onDay(day, t time.Time) time.Time {
	return time.Date(day.Year(), day.Month(), day.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), day.Location())
}

func parseTrace(text string) (trace [16]byte, err error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(trace) || [16]byte(b) == trace {
		return trace, fmt.Errorf("want 32 hexadecimal digits, not all 0")
	}
	return [16]byte(b), nil
}
