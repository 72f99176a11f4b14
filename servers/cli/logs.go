package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"vitrine/logx/query"
	"vitrine/logx/segment"
)

// logsCommand asks the system log on disk, whether its writer lives or not. Nothing it does changes a file.
type logsCommand struct {
	Dir    string            `default:"${runtime}/log" placeholder:"DIR" help:"Directory of the log; default ${runtime}/log."`
	JSON   bool              `help:"Print one JSON object a line; index and session are strings."`
	Search logsSearchCommand `cmd:"" default:"withargs" help:"Print the records that match; the default."`
	Verify logsVerifyCommand `cmd:"" help:"Check every checksum, and the indexes for gaps and duplicates."`
}

// Help says where the flags of the default command are, and shows some of them at work.
func (c *logsCommand) Help() string {
	return `The flags of search follow logs at once; vitrine logs search --help lists them:

  vitrine logs --session 4294967297                what a session did
  vitrine logs --level warn --since 10m            what went wrong lately
  vitrine logs --type security --grep 10.0.0.7     all of a type that tells of an address
  vitrine logs --index 4711..4720 --json           some records, as JSON
  vitrine logs --follow                            the last records, and what comes`
}

// logsSearchCommand prints records in the order of their indexes.
type logsSearchCommand struct {
	Index   string   `placeholder:"N[..M]" help:"Records with these indexes, both ends included; 5.. and ..9 are open."`
	Since   string   `placeholder:"T" help:"From this time on: RFC 3339, \"2006-01-02 15:04:05\", 15:04 of today, or 10m ago."`
	Until   string   `placeholder:"T" help:"Before this time."`
	Level   string   `placeholder:"L" help:"Least level: debug, info, warn, error or system."`
	Type    []string `placeholder:"T" help:"Records of these types."`
	Session string   `placeholder:"ID" help:"Records of this session."`
	Trace   string   `placeholder:"HEX" help:"Records of this trace, 32 hexadecimal digits."`
	Grep    string   `placeholder:"RE" help:"Records whose message and fields match this regular expression."`
	Limit   *int     `placeholder:"N" help:"Only the first N of them."`
	Tail    *int     `placeholder:"N" help:"Only the last N of them; with --follow, how many to begin with, default 10."`
	Follow  bool     `help:"Go on with what is logged from now on, until Ctrl-C or the end of --until, --index or --limit."`
	Count   bool     `help:"Print their number alone."`
}

// Run prints what matches. Nothing found is no error; a terminal is told so.
func (c *logsSearchCommand) Run(logs *logsCommand, io *streams) error {
	q, err := c.query(time.Now())
	if err != nil {
		return err
	}
	if err := checkBinary(logs.Dir); err != nil {
		return err
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	defer keepBrokenPipe()()
	printer := newLogPrinter(io, logs.JSON, c.Follow)
	q.Progress = printer.progress
	found, err := c.ask(ctx, logs.Dir, q, printer)
	if c.Count && (err == nil || errors.Is(err, query.ErrCorrupt)) {
		fmt.Fprintln(printer.out, found.Hits)
	}
	printing := printer.close()
	tellAsides(io.err, found.Asides)
	return c.conclude(ctx, found, err, printing, io.err)
}

// tellAsides names the files that were not searched because a recovery took them out of the log.
func tellAsides(w io.Writer, asides []segment.Aside) {
	for _, a := range asides {
		fmt.Fprintf(w, "%d bytes of damaged log lie aside in %s, not searched; 'logs verify' tells what they hold\n", a.Bytes, a.Name)
	}
}

// ask searches or follows. Counting needs no record, so that none is decoded.
func (c *logsSearchCommand) ask(ctx context.Context, dir string, q query.Query, printer *logPrinter) (query.Stats, error) {
	switch {
	case c.Follow:
		return query.Follow(ctx, dir, q, printer.print)
	case c.Count:
		return query.Search(ctx, dir, q, nil)
	}
	return query.Search(ctx, dir, q, printer.print)
}

// conclude turns how the search and the printing ended into the command's error.
func (c *logsSearchCommand) conclude(ctx context.Context, found query.Stats, asking, printing error, tell io.Writer) error {
	var unknown *query.UnknownTypeError
	switch {
	case errors.Is(printing, syscall.EPIPE): // whoever reads has seen enough
		return nil
	case printing != nil:
		return fmt.Errorf("print the records: %w", printing)
	case errors.As(asking, &unknown):
		return usagef("--type %s: %w", unknown.Name, unknown)
	case ctx.Err() != nil && c.Follow && errors.Is(asking, ctx.Err()):
		return nil
	case ctx.Err() != nil && asking != nil:
		return fmt.Errorf("interrupted after %d records", found.Hits)
	case asking != nil:
		return asking
	}
	if found.Hits == 0 && !c.Count && isTerminal(tell) {
		fmt.Fprintln(tell, "no record matches")
	}
	return nil
}

// checkBinary refuses a directory whose log is lines of text, in which no index finds anything. What else is wrong with the
// directory is told by whoever reads it.
func checkBinary(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil
	}
	newest := ""
	for _, entry := range entries {
		switch name := entry.Name(); {
		case strings.HasSuffix(name, ".log"), strings.HasSuffix(name, ".log.zst"):
			return nil
		case isTextName(name):
			newest = name
		}
	}
	if newest == "" {
		return nil
	}
	return fmt.Errorf("log %q: its files are lines of text, as log.format says, which every tool reads: tail -F %s", dir, quoted(filepath.Join(dir, newest)))
}

// isTextName tells whether a file of a log holds lines of text: its name is the index of the first, in 20 digits.
func isTextName(name string) bool {
	index, isText := strings.CutSuffix(name, ".txt")
	return isText && len(index) == 20 && strings.Trim(index, "0123456789") == ""
}

// keepBrokenPipe has a write to a closed pipe return an error, where it would end the program by a signal. The function
// that it returns undoes it.
func keepBrokenPipe() (undo func()) {
	signal.Ignore(syscall.SIGPIPE)
	return func() { signal.Reset(syscall.SIGPIPE) }
}
