//go:build linux

package logs

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"vitrine/logx/query"
	"vitrine/logx/record"
	"vitrine/logx/segment"
)

// FindCommand is the logfind subcommand: how soon a question is answered.
type FindCommand struct {
	Dir    string `required:"" type:"path" help:"What logdata made, with --compressed."`
	Rounds int    `default:"9" help:"Questions of each kind, another one each time, each asked once before it counts."`
	options
}

// Bounds of answers.
const (
	indexGate      = 5   // ms
	sessionGate    = 50  // ms
	fasterGate     = 50  // times, than grep
	indexBytesGate = 0.5 // % of the data
)

// Run asks, prints, and fails when a gate is missed or grep finds another
// number of records.
func (c *FindCommand) Run(ctx context.Context) error {
	c.complete()
	if c.Quick {
		c.Rounds = 1
	}
	report, err := c.measure(ctx)
	if err != nil {
		return fmt.Errorf("logfind: %w", err)
	}
	if err = conclude(os.Stdout, report, report.judge(), c.JSON, c.Quick); err != nil {
		return fmt.Errorf("logfind: %w", err)
	}
	return nil
}

// question is what is asked, and how grep is asked the same.
type question struct {
	name  string
	query query.Query
	fixed string
}

// questions makes one of each kind, about sessions that have come and gone.
func questions(random *rand.Rand, m manifest) []question {
	index := 1 + random.Uint64N(m.Records)
	session := sessionID(random.IntN(max(1, m.Sessions-m.Alive)))
	return []question{
		{"index", query.Query{From: index, To: index + 1}, fmt.Sprintf(" / %d]", index)},
		{"session", query.Query{Session: session}, fmt.Sprintf("session=%d", session)},
		{"errors", query.Query{MinLevel: record.Error}, " / ERROR / "},
	}
}

func (c *FindCommand) measure(ctx context.Context) (*findReport, error) {
	forms := []string{dataDir, compressedDir}
	var m manifest
	report := &findReport{Seed: c.Seed}
	for _, form := range forms {
		var err error
		dir := filepath.Join(c.Dir, form)
		if m, err = readManifest(dir); err != nil {
			return nil, fmt.Errorf("run logdata --compressed first: %w", err)
		}
		found := formReport{Form: form}
		if found.Data, found.Index, err = indexShare(dir); err != nil {
			return nil, err
		}
		report.Forms = append(report.Forms, found)
	}
	report.Records = m.Records
	random := newRandom(c.Seed, 3)
	text := filepath.Join(c.Dir, textFile)
	if _, _, err := grep(ctx, "the text comes into memory", text); err != nil {
		return nil, err
	}
	for round := range c.Rounds {
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, c.Rounds)
		for _, q := range questions(random, m) {
			if err := c.ask(ctx, q, text, report); err != nil {
				return nil, err
			}
		}
	}
	return report, nil
}

// ask puts a question to grep and, right after, to all forms: what else the machine does slows both.
func (c *FindCommand) ask(ctx context.Context, q question, text string, report *findReport) error {
	lines, took, err := grep(ctx, q.fixed, text)
	if err != nil {
		return err
	}
	for i := range report.Forms {
		one, err := search(ctx, filepath.Join(c.Dir, report.Forms[i].Form), q.query)
		if err != nil {
			return fmt.Errorf("ask for %s: %w", q.name, err)
		}
		one.Lines, one.Grep = lines, float64(took)/1e6
		a := report.Forms[i].answer(q.name)
		a.Runs = append(a.Runs, one)
	}
	return nil
}

// search asks twice and takes the second time: the opening of the directory is
// in it, and its pages are in memory.
func search(ctx context.Context, dir string, q query.Query) (one run, err error) {
	for range 2 {
		start := time.Now()
		stats, err := query.Search(ctx, dir, q, func(*record.Record, *record.Types) bool { return true })
		one = run{Millis: float64(time.Since(start)) / 1e6, Hits: stats.Hits, Blocks: stats.BlocksRead}
		if err != nil {
			return one, err
		}
	}
	return one, nil
}

// indexShare adds up the bytes of data, uncompressed, and of its indexes.
func indexShare(dir string) (data, index int64, err error) {
	d, err := segment.Open(dir)
	if err != nil {
		return 0, 0, err
	}
	for _, s := range d.Segments() {
		records, indexes := s.Bytes()
		data, index = data+records, index+indexes
	}
	return data, index, d.Close()
}
