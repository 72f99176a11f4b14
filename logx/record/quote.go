package record

import (
	"strconv"
	"unicode/utf8"
)

// class is a set of the places where a byte cannot stand as it is.
type class uint8

const (
	inMessage class = 1 << iota // not within a bare message
	inWord                      // not within a bare key or value
	inJSON                      // not within a JSON string
)

// classes says of each byte where it cannot stand, or only after a look at the rune it is part of.
var classes = makeClasses()

func makeClasses() (table [256]class) {
	for c := range table {
		if c < ' ' || c >= 0x7F {
			table[c] = inMessage | inWord
		}
		if c < ' ' || c >= utf8.RuneSelf {
			table[c] |= inJSON
		}
	}
	table[' '] |= inWord
	table['='] |= inWord
	table['"'] |= inWord | inJSON
	table['\\'] |= inJSON
	return table
}

// bare tells whether s can stand as it is in such a place: it is valid UTF-8 that shows as one line, without control
// characters, line separators and marks that change the direction of writing.
func bare(s string, place class) bool {
	for i := 0; i < len(s); {
		if classes[s[i]]&place == 0 {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r < utf8.RuneSelf || r == utf8.RuneError && n == 1 || !strconv.IsPrint(r) {
			return false
		}
		i += n
	}
	return true
}

// appendMessage appends a message that is not empty. One that begins with a quote is quoted, so that a quote there always means that.
func appendMessage(dst []byte, s string) []byte {
	if s[0] != '"' && bare(s, inMessage) {
		return append(dst, s...)
	}
	return strconv.AppendQuote(dst, s)
}

// appendWord appends a key or a text value.
func appendWord(dst []byte, s string) []byte {
	if s != "" && bare(s, inWord) {
		return append(dst, s...)
	}
	return strconv.AppendQuote(dst, s)
}

// appendJSONString appends s as a JSON string.
func appendJSONString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	from := 0 // what is before it is appended
	for i := 0; i < len(s); {
		if classes[s[i]]&inJSON == 0 {
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r < utf8.RuneSelf || r == utf8.RuneError && n == 1 || r == lineSeparator || r == paragraphSeparator {
			dst = appendJSONEscape(append(dst, s[from:i]...), r)
			from = i + n
		}
		i += n
	}
	return append(append(dst, s[from:]...), '"')
}

// Characters that end a line for some readers of JSON.
const (
	lineSeparator      = '\u2028'
	paragraphSeparator = '\u2029'
)

func appendJSONEscape(dst []byte, r rune) []byte {
	const digits = "0123456789abcdef"
	switch r {
	case '"', '\\':
		return append(dst, '\\', byte(r))
	case '\n':
		return append(dst, `\n`...)
	case '\r':
		return append(dst, `\r`...)
	case '\t':
		return append(dst, `\t`...)
	default:
		return append(dst, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
	}
}
