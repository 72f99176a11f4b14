package cli

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"vitrine/logx/record"
)

func TestLevelsAreColouredWhereTheyStand(t *testing.T) {
	const message = "a / WARN / b"
	for level := record.Debug; level <= record.System; level++ {
		r := record.Record{Head: record.Head{Index: 7, Level: level}, Message: message}
		line := record.AppendText(nil, &r, nil)
		got := string(paint(nil, line, level))
		word := " / " + paintOf(level) + level.String() + "\x1b[0m / 7] " + message
		if !strings.Contains(got, word) {
			t.Errorf("%q does not hold %q", got, word)
		}
		plain := strings.NewReplacer(paintOf(level), "", "\x1b[0m", "").Replace(got)
		if plain != string(line) {
			t.Errorf("without colour it is %q, want %q", plain, line)
		}
	}
	if got := string(paint(nil, []byte("no level\n"), record.Info)); got != "no level\n" {
		t.Errorf("got %q", got)
	}
}

// screen is a terminal that shows one line.
type screen struct{ bytes.Buffer }

func TestProgressBarLeavesNothingBehind(t *testing.T) {
	var tty screen
	began := logEpoch
	bar := &progressBar{w: &tty, unit: "MB", on: true, began: began}
	bar.draw(began.Add(barAfter/2), 1, 10)
	if tty.Len() > 0 {
		t.Errorf("a short work shows %q", tty.String())
	}
	bar.draw(began.Add(barAfter), 5_000_000, 10_000_000)
	shown := tty.String()
	if !strings.Contains(shown, "50 %  5.0 of 10.0 MB") || !strings.Contains(shown, strings.Repeat("#", 15)+strings.Repeat(".", 15)) {
		t.Errorf("half way it shows %q", shown)
	}
	bar.draw(began.Add(barAfter+barEvery/2), 6_000_000, 10_000_000)
	if tty.String() != shown {
		t.Errorf("it was drawn again after %v", barEvery/2)
	}
	tty.Reset()
	out := &belowBar{bar, &tty}
	out.Write([]byte("line\n"))
	out.Write([]byte("line\n"))
	if got := tty.String(); got != "\x1b[K\rline\nline\n" {
		t.Errorf("output below the bar is %q", got)
	}
	tty.Reset()
	bar.draw(began.Add(time.Hour), 10, 10)
	if bar.erase(); tty.Len() > 0 {
		t.Errorf("what is done shows %q", tty.String())
	}
}

func TestProgressBarIsForTerminals(t *testing.T) {
	var file bytes.Buffer
	bar := &progressBar{w: &file, began: logEpoch}
	bar.draw(logEpoch.Add(time.Hour), 1, 2)
	if bar.erase(); file.Len() > 0 {
		t.Errorf("a file gets %q", file.String())
	}
}

// While a search goes on, what was found is not held back.
func TestPrinterWritesBetweenHits(t *testing.T) {
	var out, err bytes.Buffer
	for _, live := range []bool{true, false} {
		out.Reset()
		p := newLogPrinter(&streams{&out, &err}, false, live)
		p.print(&record.Record{Message: "found"}, nil)
		if p.progress(1, 2); !strings.Contains(out.String(), "found") {
			t.Errorf("live %v: progress left %q, want the record", live, out.String())
		}
	}
}
