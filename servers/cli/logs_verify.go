package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"vitrine/logx/query"
)

// logsVerifyCommand reads all of a log. Status 0 says that it is whole.
type logsVerifyCommand struct{}

// Run prints what is there and every fault.
func (c *logsVerifyCommand) Run(logs *logsCommand, io *streams) error {
	if err := checkBinary(logs.Dir); err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	bar := &progressBar{w: io.err, unit: "MB", on: isTerminal(io.err), began: time.Now()}
	report, err := query.Verify(ctx, logs.Dir, func(done, total int64) { bar.draw(time.Now(), done, total) })
	bar.erase()
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return errors.New("verify: interrupted")
	}
	if err != nil {
		return err
	}
	if logs.JSON {
		err = json.NewEncoder(io.out).Encode(newVerdict(&report))
	} else {
		err = describeLog(io.out, logs.Dir, &report)
	}
	switch {
	case err != nil:
		return fmt.Errorf("print the report: %w", err)
	case !report.Clean():
		return errFault
	}
	return nil
}

// describeLog prints a report for people.
func describeLog(w io.Writer, dir string, r *query.Report) error {
	p := &lines{w: w}
	p.printf("%s: %d records in %d segments", dir, r.Records, r.Segments)
	if r.Records > 0 {
		p.printf(", indexes %d to %d", r.First, r.Last)
	}
	p.printf("\n%d gaps, %d duplicates, %d lost, %d places corrupt; %d tombstones, %d records of drops\n",
		r.GapCount, r.Duplicated, r.Lost, r.Corrupted, r.Tombstones, r.Dropped)
	for _, g := range r.Gaps {
		p.printf("gap: records %d to %d are missing\n", g.From, g.To)
	}
	for _, g := range r.Duplicates {
		p.printf("duplicates: records %d to %d are in two segments\n", g.From, g.To)
	}
	for _, c := range r.Corrupt {
		p.printf("corrupt: %v\n", c)
	}
	if more := r.GapCount - len(r.Gaps) + r.Corrupted - len(r.Corrupt); more > 0 {
		p.printf("and %d more\n", more)
	}
	describeLeft(p, r)
	return p.err
}

// describeLeft prints what the next writer has to do.
func describeLeft(p *lines, r *query.Report) {
	if r.Pending > 0 {
		p.printf("%d records wait in the ring of a dead writer; the next one puts them in a file\n", r.Pending)
	}
	if r.Torn > 0 {
		p.printf("%d bytes behind the last record; the next writer cuts them\n", r.Torn)
	}
	if r.Unindexed > 0 {
		p.printf("%d segments without block index: complete, but slow to search\n", r.Unindexed)
	}
}

// lines prints until the first error.
type lines struct {
	w   io.Writer
	err error
}

func (l *lines) printf(format string, args ...any) {
	if l.err == nil {
		_, l.err = fmt.Fprintf(l.w, format, args...)
	}
}

// json prints a value as one line of JSON.
func (l *lines) json(v any) {
	if l.err == nil {
		l.err = printJSON(l.w, v)
	}
}

// verdict is the line of JSON of a report; indexes are strings.
type verdict struct {
	OK         bool           `json:"ok"`
	Segments   int            `json:"segments"`
	Records    uint64         `json:"records"`
	First      string         `json:"first"`
	Last       string         `json:"last"`
	GapCount   int            `json:"gap_count"`
	Gaps       []verdictGap   `json:"gaps"`
	Duplicated uint64         `json:"duplicate_count"`
	Duplicates []verdictGap   `json:"duplicates"`
	Lost       uint64         `json:"lost"`
	Corrupted  int            `json:"corrupt_count"`
	Corrupt    []verdictPlace `json:"corrupt"`
	Tombstones uint64         `json:"tombstones"`
	Dropped    uint64         `json:"dropped"`
	Torn       int64          `json:"torn_bytes"`
	Pending    uint64         `json:"pending"`
	Unindexed  int            `json:"unindexed"`
}

type verdictGap struct {
	From string `json:"from"`
	To   string `json:"to"`
}

type verdictPlace struct {
	Segment string `json:"segment"`
	File    string `json:"file,omitempty"`
	Offset  int64  `json:"offset"` // -1: no byte of the data
	Error   string `json:"error"`
}

func newVerdict(r *query.Report) *verdict {
	v := &verdict{
		OK: r.Clean(), Segments: r.Segments, Records: r.Records, First: decimal(r.First), Last: decimal(r.Last),
		GapCount: r.GapCount, Gaps: verdictGaps(r.Gaps), Duplicated: r.Duplicated, Duplicates: verdictGaps(r.Duplicates),
		Lost: r.Lost, Corrupted: r.Corrupted, Corrupt: []verdictPlace{},
		Tombstones: r.Tombstones, Dropped: r.Dropped, Torn: r.Torn, Pending: r.Pending, Unindexed: r.Unindexed,
	}
	for _, c := range r.Corrupt {
		v.Corrupt = append(v.Corrupt, verdictPlace{decimal(c.Segment), c.File, c.Offset, c.Err.Error()})
	}
	return v
}

func verdictGaps(gaps []query.Gap) []verdictGap {
	out := []verdictGap{}
	for _, g := range gaps {
		out = append(out, verdictGap{decimal(g.From), decimal(g.To)})
	}
	return out
}

func decimal(n uint64) string { return strconv.FormatUint(n, 10) }
