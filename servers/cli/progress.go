package cli

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// progressBar shows on a terminal how far a long work is. Owned by one goroutine.
type progressBar struct {
	w     io.Writer
	unit  string // of a million
	on    bool   // w is a terminal
	began time.Time
	drawn time.Time // when it was last drawn
	shown bool      // it stands on the screen
}

const (
	barCells = 30
	barAfter = 300 * time.Millisecond // shorter works show none
	barEvery = 100 * time.Millisecond
)

// draw shows the bar, unless that is too early or too soon again, or the work is done.
func (b *progressBar) draw(now time.Time, done, total int64) {
	if !b.on || done >= total || now.Sub(b.began) < barAfter || now.Sub(b.drawn) < barEvery {
		return
	}
	b.drawn, b.shown = now, true
	cells := int(barCells * float64(done) / float64(total))
	overwrite(b.w, fmt.Sprintf("[%s%s] %3.0f %%  %.1f of %.1f %s", strings.Repeat("#", cells), strings.Repeat(".", barCells-cells),
		100*float64(done)/float64(total), float64(done)/1e6, float64(total)/1e6, b.unit))
}

// erase takes the bar off the screen.
func (b *progressBar) erase() {
	if b.shown {
		overwrite(b.w, "")
	}
	b.shown = false
}
