package scrub

import "bytes"

// quoteAt tells whether a quoted string begins at i, and how many backslashes stand before its quote: 1 in a string
// within a string.
func quoteAt(text []byte, i int) (level int, ok bool) {
	for i+level < len(text) && text[i+level] == '\\' && level < 16 {
		level++
	}
	return level, i+level < len(text) && isQuote(text[i+level])
}

// closing returns where the string ends whose inside begins at i: before the backslashes of its closing quote, before
// the quote that closes a string around it, or at the end of the line, closed being false then. A quote that a letter
// follows closes nothing, since values hold quotes too.
func closing(text []byte, i int, quote byte, level int) (end int, closed bool) {
	run := 0     // of backslashes before text[j]
	around := -1 // the first quote that could close a string around
	j := i
	for ; j < len(text) && text[j] != '\n'; j++ {
		c := text[j]
		if c == '\\' {
			run++
			continue
		}
		if c == quote && (run < level || run%(2*(level+1)) == level) && (j+1 >= len(text) || !isAlnum(text[j+1])) {
			return j - min(run, level), true
		}
		if c == '"' && quote != '"' && around < 0 && endsString(text, j) {
			around = j - run
		}
		run = 0
	}
	if around >= 0 {
		return around, false
	}
	return j, false
}

// endsString tells whether a quote that nothing opened closes a string around: what follows can stand behind a string.
func endsString(text []byte, i int) bool {
	return i+1 >= len(text) || isSpace(text[i+1]) || bytes.IndexByte([]byte(",}]:;)>\\"), text[i+1]) >= 0
}

// beforeBackslashes returns the place of the backslashes before i, not before from.
func beforeBackslashes(text []byte, i, from int) int {
	for i > from && text[i-1] == '\\' {
		i--
	}
	return i
}

// bracketEnd returns the place behind the bracket that closes the one at i, over lines too, -1 where none does within
// spanMax. Where the bracket may stand in a string, it must be closed before what looks like the end of that.
func bracketEnd(text []byte, i int, inString bool) int {
	text = text[:min(len(text), i+spanMax)]
	depth, open := 0, false // open: a string of this line is not closed
	for j := i; j < len(text); j++ {
		switch c := text[j]; c {
		case '\n':
			open = false
		case '"', '`':
			if inString && endsString(text, j) {
				return -1
			}
			if open {
				continue
			}
			level := j - beforeBackslashes(text, j, i)
			end, closed := closing(text, j+1, c, level)
			if open = !closed; closed {
				j = end + level
			}
		case '[', '{', '(':
			depth++
		case ']', '}', ')':
			if depth--; depth == 0 {
				return j + 1
			}
		}
	}
	return -1
}

func lineEnd(text []byte, i int) int {
	if n := bytes.IndexByte(text[i:], '\n'); n >= 0 {
		return i + n
	}
	return len(text)
}
