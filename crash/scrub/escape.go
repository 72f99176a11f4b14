package scrub

import "bytes"

// begins tells whether a word can begin at i: behind no letter, digit or _, or behind one that belongs to an escape, as
// in \nword, \u003cword and %3Dword.
func begins(text []byte, i int) bool {
	return i == 0 || !isWord(text[i-1]) || escapeEnds(text, i)
}

// escapeEnds tells whether \n, \x0a, \u003c or %3D ends right before i.
func escapeEnds(text []byte, i int) bool {
	return i >= 2 && text[i-2] == '\\' || i >= 4 && text[i-4] == '\\' && text[i-3] == 'x' ||
		i >= 6 && text[i-6] == '\\' && text[i-5] == 'u' || i >= 3 && text[i-3] == '%'
}

// skipEscape returns the place behind the escape whose backslash or % stands right before i, or i, and not more than to.
func skipEscape(text []byte, i, to int) int {
	if i == 0 || i >= to || text[i-1] != '\\' && text[i-1] != '%' {
		return i
	}
	length := 1
	switch {
	case text[i-1] == '%':
		length = 2
	case text[i] == 'x':
		length = 3
	case text[i] == 'u':
		length = 5
	}
	return min(i+length, to)
}

// escapedAt returns the length of the backslashes at i and the letters of an escape behind them, 0 where the letters
// are others. A string within a string doubles its backslashes.
func escapedAt(text []byte, i int, letters string) int {
	n := 0
	for i+n < len(text) && text[i+n] == '\\' && n < 16 {
		n++
	}
	if n == 0 || !bytes.HasPrefix(text[i+n:], []byte(letters)) {
		return 0
	}
	return n + len(letters)
}

// bracketAt returns the length of an angle bracket at i, which is < or > or as JSON escapes it, 0 for another thing.
func bracketAt(text []byte, i int, bracket byte) int {
	switch {
	case text[i] == bracket:
		return 1
	case bracket == '>':
		return escapedAt(text, i, "u003e")
	default:
		return escapedAt(text, i, "u003c")
	}
}

// blankAt returns the length of a space or a tab at i, which may be escaped, 0 for another thing.
func blankAt(text []byte, i int) int {
	if text[i] == ' ' || text[i] == '\t' {
		return 1
	}
	return escapedAt(text, i, "t")
}

// blankBefore is blankAt for what ends at i.
func blankBefore(text []byte, i int) int {
	switch {
	case i >= 1 && (text[i-1] == ' ' || text[i-1] == '\t'):
		return 1
	case bytes.HasSuffix(text[:i], []byte(`\t`)):
		return i - beforeBackslashes(text, i-1, max(0, i-16))
	}
	return 0
}
