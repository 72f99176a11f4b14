package cli

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"vitrine/core/stats"
)

// totals are the figures that a status line compares with a second ago.
type totals struct {
	sessions, recv, sent uint64
	handling             stats.Snapshot
}

// liveLine writes a status line: each second over the last one on a terminal, every five seconds a line of its own
// elsewhere.
type liveLine struct {
	quit chan struct{}
	done sync.WaitGroup
}

const (
	lineEvery = time.Second
	logEvery  = 5
)

// startLine begins to write what text makes of the figures before and now; stop ends it.
func startLine(w io.Writer, text func(before, now *totals) string) *liveLine {
	l := &liveLine{quit: make(chan struct{})}
	l.done.Go(func() { l.write(w, text) })
	return l
}

func (l *liveLine) write(w io.Writer, text func(before, now *totals) string) {
	live := isTerminal(w)
	tick := time.NewTicker(lineEvery)
	defer tick.Stop()
	var before totals
	for n := 1; ; n++ {
		select {
		case <-l.quit:
			if live {
				fmt.Fprintln(w)
			}
			return
		case <-tick.C:
		}
		var now totals
		line := text(&before, &now)
		before = now
		switch {
		case live:
			overwrite(w, line)
		case n%logEvery == 1:
			fmt.Fprintln(w, line)
		}
	}
}

func (l *liveLine) stop() {
	close(l.quit)
	l.done.Wait()
}

// overwrite writes a line over the last one and leaves the cursor at its beginning, so that whatever else comes to the
// terminal, a log line or ^C, takes its place.
func overwrite(w io.Writer, line string) { fmt.Fprintf(w, "%s\x1b[K\r", line) }

// brief rounds a duration to three digits or so.
func brief(d time.Duration) time.Duration {
	for unit := time.Nanosecond; unit < time.Second; unit *= 10 {
		if d < 1000*unit {
			return d.Round(unit)
		}
	}
	return d.Round(time.Second)
}

func micros(us float64) time.Duration { return time.Duration(us * float64(time.Microsecond)) }

func isTerminal(w io.Writer) bool {
	if o, ok := w.(*outlet); ok {
		w = o.to
	}
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
