package cli

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"time"

	"vitrine/logx/record"
)

// logPrinter writes records to standard output, and how far a long search is to standard error. Owned by one goroutine.
//
//	print --line--> out, 64 KiB --erase the bar--> standard output
//	progress -----> bar ------------------------> standard error
type logPrinter struct {
	out     *bufio.Writer
	bar     *progressBar
	line    []byte
	painted []byte
	json    bool
	colour  bool
	live    bool      // each record is wanted at once
	flushed time.Time // when out was last empty
	err     error     // the first that writing gave
}

const (
	printBytes = 64 << 10               // gathered before a write
	printEvery = 100 * time.Millisecond // and held back no longer than that while a search goes on
)

func newLogPrinter(io *streams, json, live bool) *logPrinter {
	bar := &progressBar{w: io.err, unit: "million records", on: isTerminal(io.err), began: time.Now()}
	return &logPrinter{
		out: bufio.NewWriterSize(&belowBar{bar, io.out}, printBytes), bar: bar, json: json, live: live,
		colour: !json && isTerminal(io.out) && os.Getenv("NO_COLOR") == "",
	}
}

// print writes one record; false when nobody can read it any more.
func (p *logPrinter) print(r *record.Record, t *record.Types) bool {
	if p.json {
		p.line = record.AppendJSON(p.line[:0], r, t)
	} else {
		p.line = record.AppendText(p.line[:0], r, t)
	}
	line := p.line
	if p.colour {
		p.painted = paint(p.painted[:0], line, r.Level)
		line = p.painted
	}
	if _, err := p.out.Write(line); err != nil {
		p.err = err
	}
	return p.err == nil
}

// progress is told between records how far the search is.
func (p *logPrinter) progress(done, total int64) {
	now := time.Now()
	if p.out.Buffered() > 0 && (p.live || now.Sub(p.flushed) > printEvery) {
		p.flush(now)
	}
	p.bar.draw(now, done, total)
}

func (p *logPrinter) flush(now time.Time) {
	p.flushed = now
	if err := p.out.Flush(); err != nil {
		p.err = err
	}
}

// close writes what is left and returns the first error of all writes.
func (p *logPrinter) close() error {
	p.flush(time.Now())
	p.bar.erase()
	return p.err
}

// paintOf is the colour of a level, as a terminal takes it.
func paintOf(level record.Level) string {
	switch {
	case level <= record.Debug:
		return "\x1b[2m"
	case level == record.Info:
		return "\x1b[32m"
	case level == record.Warn:
		return "\x1b[33m"
	case level == record.Error:
		return "\x1b[31m"
	}
	return "\x1b[35m"
}

// paint appends a line of text with its level in colour.
func paint(dst, line []byte, level record.Level) []byte {
	const between = " / "
	word := between + level.String() + between
	at := bytes.Index(line, []byte(word))
	if at < 0 {
		return append(dst, line...)
	}
	from, to := at+len(between), at+len(word)-len(between)
	dst = append(append(dst, line[:from]...), paintOf(level)...)
	dst = append(append(dst, line[from:to]...), "\x1b[0m"...)
	return append(dst, line[to:]...)
}

// belowBar is standard output on a screen that a progress bar may stand on.
type belowBar struct {
	bar *progressBar
	w   io.Writer
}

func (b *belowBar) Write(p []byte) (int, error) {
	b.bar.erase()
	return b.w.Write(p)
}
