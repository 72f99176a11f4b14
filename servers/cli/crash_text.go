package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// visible makes a text of a bundle harmless: one line of valid UTF-8 in which control characters, terminal escapes and marks that
// turn the direction of writing stand as escapes such as \x1b.
func visible(s string) string {
	if strings.IndexFunc(s, strange) < 0 {
		return s
	}
	b := make([]byte, 0, len(s)+16)
	for i, r := range s {
		switch {
		case r == '\n' || r == '\t' || r == '\r':
			b = append(b, ' ')
		case r == utf8.RuneError && !strings.HasPrefix(s[i:], "\ufffd"):
			b = fmt.Appendf(b, `\x%02x`, s[i])
		case strange(r):
			quoted := strconv.AppendQuoteRune(nil, r)
			b = append(b, quoted[1:len(quoted)-1]...)
		default:
			b = utf8.AppendRune(b, r)
		}
	}
	return string(b)
}

func strange(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }

// safeJSON writes what a terminal could take for a command as \u escapes, which JSON knows too.
func safeJSON(text []byte) []byte {
	b := make([]byte, 0, len(text))
	for _, r := range string(text) {
		switch {
		case r == '\n' || r < utf8.RuneSelf && unicode.IsPrint(r) || r >= utf8.RuneSelf && !strange(r):
			b = utf8.AppendRune(b, r)
		case r > 0xffff:
			b = utf8.AppendRune(b, utf8.RuneError)
		default:
			b = fmt.Appendf(b, `\u%04x`, r)
		}
	}
	return b
}

// printJSON writes a value as one line of JSON.
func printJSON(w io.Writer, v any) error {
	text, err := json.Marshal(v)
	if err == nil {
		_, err = w.Write(append(safeJSON(text), '\n'))
	}
	return err
}

// columns counts the cells that a text takes on a screen. Of letters beyond the alphabets it takes the most, two.
func columns(s string) int {
	n := 0
	for _, r := range s {
		n += cells(r)
	}
	return n
}

func cells(r rune) int {
	if r < firstWide {
		return 1
	}
	return 2
}

const firstWide = 0x1100 // Hangul; all that is wide comes behind it

// fit cuts a text to so many columns and marks the cut.
func fit(s string, most int) string {
	if columns(s) <= most {
		return s
	}
	const mark = "..."
	n := len(mark)
	for i, r := range s {
		if n += cells(r); n > most {
			return s[:i] + mark
		}
	}
	return s
}

// fitEnd cuts the beginning of a text, such as a path, whose end says more.
func fitEnd(s string, most int) string {
	if columns(s) <= most {
		return s
	}
	const mark = "..."
	n := len(mark)
	for i := len(s); i > 0; {
		r, size := utf8.DecodeLastRuneInString(s[:i])
		if n += cells(r); n > most {
			return mark + s[i:]
		}
		i -= size
	}
	return s
}

// pad fills a text up to a number of columns.
func pad(s string, to int) string { return s + strings.Repeat(" ", max(0, to-columns(s))) }

// size says a number of bytes in three digits or so.
func size(bytes int64) string {
	const units = "kMGT"
	if bytes < 1000 {
		return fmt.Sprintf("%d B", bytes)
	}
	f, i := float64(bytes)/1000, 0
	for ; f >= 999.5 && i < len(units)-1; i++ {
		f /= 1000
	}
	if f < 9.95 {
		return fmt.Sprintf("%.1f %cB", f, units[i])
	}
	return fmt.Sprintf("%.0f %cB", f, units[i])
}

// span says a duration in its one or two largest units.
func span(d time.Duration) string {
	const day = 24 * time.Hour
	switch d = max(d, 0); {
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min", d/time.Minute)
	case d < day:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%d d %d h", d/day, d%day/time.Hour)
}

// counted writes a number with commas.
func counted[T int | int64 | uint64](n T) string {
	s := strconv.FormatInt(int64(n), 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// shortFunc leaves the path of the package away but for its last element: engine.(*worker).turn.
func shortFunc(name string) string {
	head, _, _ := strings.Cut(name, "[") // type arguments have paths too
	return name[strings.LastIndexByte(head, '/')+1:]
}
