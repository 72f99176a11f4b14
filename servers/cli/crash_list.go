package cli

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"
	"time"

	"vitrine/crash/bundle"
)

// crashListCommand lists bundles, newest first.
type crashListCommand struct {
	Class       []string `placeholder:"C" help:"Bundles of these classes, such as goroutine, fatal, hang or oomkilled."`
	Since       string   `placeholder:"T" help:"From this time on: RFC 3339, \"2006-01-02 15:04:05\", 15:04 of today, or 24h ago."`
	Fingerprint string   `placeholder:"HEX" help:"Bundles of the kind whose fingerprint begins so."`
}

// listed is a bundle in the list. Its fields are those of --json.
type listed struct {
	ID          string       `json:"id"`
	Time        time.Time    `json:"time"`
	Class       bundle.Class `json:"class"`
	Fingerprint string       `json:"fingerprint"` // its first 8 digits
	Reason      string       `json:"reason"`
	Where       bundle.Where `json:"where"`
	Before      uint64       `json:"before"`
	HeldBack    uint64       `json:"held_back"`
	Core        int64        `json:"core_bytes"` // 0 = none
	Bytes       int64        `json:"bytes"`
	Path        string       `json:"path"`
	Problem     string       `json:"problem,omitempty"` // why the bundle cannot be read
}

// Run prints the bundles that the flags let through. None is no error; a terminal is told so.
func (c *crashListCommand) Run(crash *crashCommand, io *streams) error {
	defer keepBrokenPipe()()
	since, err := c.check(time.Now())
	if err != nil {
		return err
	}
	store, err := crash.read()
	if errors.Is(err, errNoBundles) && crash.Dir == "" {
		return noneListed(crash.dir(), io)
	}
	if err != nil {
		return err
	}
	defer store.Close()
	entries, err := store.List()
	if err != nil {
		return err
	}
	var rows []listed
	for _, e := range entries {
		if c.lets(e, since) {
			rows = append(rows, newListed(e))
		}
	}
	switch {
	case crash.JSON:
		return printed(printListJSON(io.out, rows))
	case len(rows) == 0:
		return noneListed(crash.dir(), io)
	}
	return printed(printList(io.out, rows, briefIDs(entries), time.Now()))
}

func noneListed(dir string, io *streams) error {
	if isTerminal(io.err) {
		fmt.Fprintf(io.err, "no crash bundle in %s\n", dir)
	}
	return nil
}

// printed is the error of writing to standard output: that nobody reads any more is none.
func printed(err error) error {
	if err == nil || errors.Is(err, syscall.EPIPE) {
		return nil
	}
	return fmt.Errorf("print: %w", err)
}

// check refuses flags that make no sense.
func (c *crashListCommand) check(now time.Time) (since time.Time, err error) {
	for _, class := range c.Class {
		if !bundle.Class(class).Known() {
			return since, usagef("--class %s: want one of %s", class, classNames())
		}
	}
	if strings.Trim(c.Fingerprint, "0123456789abcdef") != "" {
		return since, usagef("--fingerprint %s: want hexadecimal digits", c.Fingerprint)
	}
	if since, err = parseTime(c.Since, now); err != nil {
		return since, usagef("--since %s: %w", c.Since, err)
	}
	return since, nil
}

func classNames() string {
	var names []string
	for _, c := range bundle.Classes() {
		names = append(names, string(c))
	}
	return strings.Join(names, ", ")
}

// lets tells whether a bundle is asked for. The list knows the first digits of fingerprints alone.
func (c *crashListCommand) lets(e bundle.Entry, since time.Time) bool {
	digits := min(len(c.Fingerprint), len(e.Fingerprint))
	return !e.Time.Before(since) && e.Fingerprint[:digits] == c.Fingerprint[:digits] &&
		(len(c.Class) == 0 || slices.Contains(c.Class, string(e.Class)))
}

func newListed(e bundle.Entry) listed {
	l := listed{
		ID: e.ID, Time: e.Time, Class: e.Class, Fingerprint: e.Fingerprint, Core: e.Core, Bytes: e.Size(), Path: e.Path(),
		Where: bundle.Where{Worker: -1},
	}
	m, err := e.Meta()
	if err != nil {
		l.Problem = err.Error()
		return l
	}
	l.Reason, l.Where, l.Before, l.HeldBack = m.Reason, m.Where, m.Before.Count, m.Before.HeldBack
	return l
}

// printListJSON prints one object a line.
func printListJSON(w io.Writer, rows []listed) error {
	for i := range rows {
		if err := printJSON(w, &rows[i]); err != nil {
			return err
		}
	}
	return nil
}

// printList prints a table. ids are the ids as they are shown.
func printList(w io.Writer, rows []listed, ids map[string]string, now time.Time) error {
	table := [][]string{{"ID", "AGE", "CLASS", "BEFORE", "CORE", "SIZE", "WHERE", "REASON"}}
	for _, r := range rows {
		table = append(table, []string{
			ids[r.ID], span(now.Sub(r.Time)), string(r.Class), seenBefore(r.Before), coreSize(r.Core), size(r.Bytes),
			fit(r.place(), maxPlace), fit(r.what(), maxWhat),
		})
	}
	return printTable(w, table, listRight)
}

// listRight are the columns of the list that end at their right.
var listRight = []int{1, 3, 4, 5}

const (
	maxPlace = 40
	maxWhat  = 80
)

// place says where it happened in a few words.
func (l *listed) place() string {
	var words []string
	for _, word := range []string{l.Where.Callback, shortFunc(l.Where.Function)} {
		if word != "" {
			words = append(words, visible(word))
		}
	}
	if len(words) == 0 && l.Where.Server != "" {
		words = append(words, visible(l.Where.Server))
	}
	if len(words) == 0 {
		return "-"
	}
	return strings.Join(words, " ")
}

// what says why, or what is wrong with the bundle.
func (l *listed) what() string {
	if l.Problem != "" {
		return "cannot be read: " + visible(l.Problem)
	}
	return visible(l.Reason)
}

func seenBefore(n uint64) string {
	if n == 0 {
		return "-"
	}
	return counted(n)
}

func coreSize(bytes int64) string {
	if bytes == 0 {
		return "-"
	}
	return size(bytes)
}

// briefIDs cuts each id to its time, where no other bundle has the same.
func briefIDs(entries []bundle.Entry) map[string]string {
	times := map[string]int{}
	for _, e := range entries {
		times[timeOf(e.ID)]++
	}
	ids := make(map[string]string, len(entries))
	for _, e := range entries {
		ids[e.ID] = e.ID
		if times[timeOf(e.ID)] == 1 {
			ids[e.ID] = timeOf(e.ID)
		}
	}
	return ids
}

func timeOf(id string) string {
	at, _, _ := strings.Cut(id, "-")
	return at
}

// printTable prints rows in columns; those named in right end at their right.
func printTable(w io.Writer, table [][]string, right []int) error {
	widths := make([]int, len(table[0]))
	for _, row := range table {
		for i, cell := range row {
			widths[i] = max(widths[i], columns(cell))
		}
	}
	p := &lines{w: w}
	for _, row := range table {
		var line strings.Builder
		for i, cell := range row {
			if slices.Contains(right, i) {
				cell = strings.Repeat(" ", widths[i]-columns(cell)) + cell
			}
			line.WriteString(pad(cell, widths[i]) + "  ")
		}
		p.printf("%s\n", strings.TrimRight(line.String(), " "))
	}
	return p.err
}
