package scrub

import "bytes"

// maxLevel is how many backslashes before a quote are counted: strings in strings in strings in a string have 15.
const maxLevel = 16

// quoteAt tells whether a quoted string begins at i, and how many backslashes stand before its quote: 1 in a string
// within a string.
func quoteAt(text []byte, i int) (level int, ok bool) {
	for i+level < len(text) && text[i+level] == '\\' && level < maxLevel {
		level++
	}
	return level, i+level < len(text) && isQuote(text[i+level])
}

// around is the string in double quotes that a place stands in.
type around struct {
	inside bool
	level  int // backslashes before its quotes
}

// input is the text of one pass, and the quotes of the line that it has come to.
type input struct {
	text    []byte
	at      int           // quotes before it are counted
	quotes  [maxLevel]int // of the line, by the backslashes before them
	nearest int           // backslashes before the last of them, -1: there is none
	run     int           // backslashes right before at
}

// around tells by the quotes before i on its line in which string it stands. It counts on from the last call.
func (in *input) around(i int) around {
	if i < in.at {
		*in = input{text: in.text, at: bytes.LastIndexByte(in.text[:i], '\n') + 1, nearest: -1}
	}
	for ; in.at < i; in.at++ {
		in.count(in.text[in.at])
	}
	for level := in.nearest; level >= 0; level-- {
		if in.quotes[level]%2 == 1 {
			return around{true, level}
		}
	}
	return around{}
}

func (in *input) count(c byte) {
	switch c {
	case '\\':
		in.run++
		return
	case '"':
		in.nearest = min(in.run, maxLevel-1)
		in.quotes[in.nearest]++
	case '\n':
		in.quotes, in.nearest = [maxLevel]int{}, -1
	}
	in.run = 0
}

// closes tells whether the quote at i closes the string.
func (a around) closes(text []byte, i int) bool {
	run := i - beforeBackslashes(text, i, 0)
	return a.inside && text[i] == '"' && endsAt(run, a.level) && endsString(text, i)
}

// endsAt tells whether a quote behind so many backslashes closes a string whose quotes have level backslashes, or one
// around that. Others belong to strings in it.
func endsAt(run, level int) bool { return run < level || run%(2*(level+1)) == level }

// closing returns where the string ends whose inside begins at i: before the backslashes of its closing quote, before
// the quote that closes the string around, or at the end of the line, closed being false then. A quote that a letter
// follows closes nothing, since values hold quotes too.
func closing(text []byte, i int, quote byte, level int, a around) (end int, closed bool) {
	run := 0   // of backslashes before text[j]
	last := -1 // where the string around ends
	j := i
	for ; j < len(text) && text[j] != '\n'; j++ {
		c := text[j]
		if c == '\\' {
			run++
			continue
		}
		if c == quote && endsAt(run, level) && (j+1 >= len(text) || !isAlnum(text[j+1])) {
			return j - min(run, level), true
		}
		if last < 0 && c == '"' && a.inside && endsAt(run, a.level) && endsString(text, j) {
			last = j - min(run, a.level)
		}
		run = 0
	}
	if last >= 0 {
		return last, false
	}
	return j, false
}

// endsString tells whether what follows a quote can stand behind a string.
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

// bracketEnd returns the place behind the bracket that closes the one at i, over lines too. Where none does within the
// string around, closed is false and end is where the search ended: before a line that is not indented and closes
// nothing.
func bracketEnd(text []byte, i int, a around) (end int, closed bool) {
	depth, open := 0, false // open: a string of this line is not closed
	for j := i; j < len(text); j++ {
		switch c := text[j]; c {
		case '\n':
			if open = false; j+1 < len(text) && bytes.IndexByte([]byte(" \t\r\n]})"), text[j+1]) < 0 {
				return j, false
			}
		case '"', '`':
			if a.closes(text, j) {
				return beforeBackslashes(text, j, i), false
			}
			if open {
				continue
			}
			level := j - beforeBackslashes(text, j, i)
			after, ok := closing(text, j+1, c, level, a)
			if open = !ok; ok {
				j = after + level
			}
		case '[', '{', '(':
			depth++
		case ']', '}', ')':
			if depth--; depth == 0 {
				return j + 1, true
			}
		}
	}
	return len(text), false
}

func lineEnd(text []byte, i int) int {
	if n := bytes.IndexByte(text[i:], '\n'); n >= 0 {
		return i + n
	}
	return len(text)
}
