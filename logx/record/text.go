package record

import (
	"encoding/hex"
	"strconv"
	"time"
	"unicode/utf8"
)

// AppendText appends the record as one line of text, the newline included:
//
//	[type] [time / LEVEL / index] message key=value ... session=1 trace=hex span=hex flags=cut
//
// The time is UTC with microseconds. What the record does not have is left out. A message stands bare unless it holds
// something that is not printable, or begins with a quote; a key or value is quoted as well when it is empty or holds a
// space, a quote or '='. A quoted text is a Go string literal.
func AppendText(dst []byte, r *Record, t *Types) []byte {
	dst = t.appendName(append(dst, '['), r.Type)
	dst = appendTime(append(dst, "] ["...), r.Time, 6)
	dst = append(append(dst, " / "...), r.Level.String()...)
	dst = strconv.AppendUint(append(dst, " / "...), r.Index, 10)
	dst = appendMessage(append(dst, "] "...), r.Message)
	for i := range r.Fields {
		dst = r.Fields[i].AppendText(append(dst, ' '))
	}
	if r.Session != 0 {
		dst = strconv.AppendUint(append(dst, " session="...), r.Session, 10)
	}
	if r.Trace != [16]byte{} {
		dst = hex.AppendEncode(append(dst, " trace="...), r.Trace[:])
	}
	if r.Span != [8]byte{} {
		dst = hex.AppendEncode(append(dst, " span="...), r.Span[:])
	}
	if f := r.Flags &^ FlagTrace; f != 0 {
		dst = f.append(append(dst, " flags="...))
	}
	return append(dst, '\n')
}

// AppendText appends the field as key=value, quoted where needed: what AppendText of a record writes of it.
func (f *Field) AppendText(dst []byte) []byte {
	dst = append(appendWord(dst, f.Key), '=')
	if f.kind == KindFloat {
		return strconv.AppendFloat(dst, f.Float(), 'g', -1, 64)
	}
	return f.appendValue(dst, appendWord)
}

// appendValue appends the value of any kind but float, texts as text says.
func (f *Field) appendValue(dst []byte, text func([]byte, string) []byte) []byte {
	switch f.kind {
	case KindInt:
		return strconv.AppendInt(dst, f.Int(), 10)
	case KindUint:
		return strconv.AppendUint(dst, f.num, 10)
	case KindBool:
		return strconv.AppendBool(dst, f.Bool())
	case KindDuration:
		return append(dst, f.Duration().String()...)
	case KindTime:
		return appendTime(dst, int64(f.num), 9)
	default:
		return text(dst, f.text)
	}
}

// flagNames are the words of the flags, by bit.
var flagNames = [...]string{"trace", "tombstone", "dropped", "cut"}

// String gives the words of the flags, joined with '|'.
func (f Flags) String() string { return string(f.append(nil)) }

func (f Flags) append(dst []byte) []byte {
	sep := ""
	for i, name := range flagNames {
		if f>>i&1 != 0 {
			dst = append(append(dst, sep...), name...)
			sep = "|"
		}
	}
	return dst
}

func appendMessage(dst []byte, s string) []byte {
	if s == "" || s[0] != '"' && printable(s) {
		return append(dst, s...)
	}
	return strconv.AppendQuote(dst, s)
}

func appendWord(dst []byte, s string) []byte {
	if s == "" || !word(s) {
		return strconv.AppendQuote(dst, s)
	}
	return append(dst, s...)
}

// word tells whether s can stand as a key or a value without quotes.
func word(s string) bool {
	for i := range len(s) {
		if c := s[i]; c <= ' ' || c == '"' || c == '=' || c >= 0x7F {
			return c >= 0x80 && printable(s) && !spoiled(s)
		}
	}
	return true
}

// spoiled tells whether s holds a character that would end a word.
func spoiled(s string) bool {
	for i := range len(s) {
		if c := s[i]; c == ' ' || c == '"' || c == '=' {
			return true
		}
	}
	return false
}

// printable tells whether s is valid UTF-8 that shows as one line: no control characters, line separators or marks
// that change the direction of writing.
func printable(s string) bool {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c < ' ' || c == 0x7F {
				return false
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 || !strconv.IsPrint(r) {
			return false
		}
		i += n
	}
	return true
}

// appendTime appends a time in UTC as RFC 3339, with so many digits of the second's fraction, or with those there are
// when digits is 9.
func appendTime(dst []byte, ns int64, digits int) []byte {
	layout := time.RFC3339Nano
	if digits == 6 {
		layout = "2006-01-02T15:04:05.000000Z07:00"
	}
	return time.Unix(0, ns).UTC().AppendFormat(dst, layout)
}
