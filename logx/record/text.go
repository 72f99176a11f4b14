package record

import (
	"encoding/hex"
	"strconv"
	"time"
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
	dst = append(dst, ']')
	if r.Message != "" {
		dst = appendMessage(append(dst, ' '), r.Message)
	}
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

// appendTime appends a time in UTC as RFC 3339, with so many digits of the second's fraction; 9 of them without the
// zeros at the end, as time.RFC3339Nano has it. The time package takes three times as long.
func appendTime(dst []byte, ns int64, digits int) []byte {
	t := time.Unix(0, ns).UTC()
	year, month, day := t.Date()
	hour, minute, second := t.Clock()
	nano := t.Nanosecond()
	var b [len("2026-11-22T22:44:10.123456789")]byte
	put2(&b, 0, year/100)
	put2(&b, 2, year%100)
	put2(&b, 5, int(month))
	put2(&b, 8, day)
	put2(&b, 11, hour)
	put2(&b, 14, minute)
	put2(&b, 17, second)
	b[4], b[7], b[10], b[13], b[16], b[19] = '-', '-', 'T', ':', ':', '.'
	put2(&b, 20, nano/10_000_000)
	put2(&b, 22, nano/100_000%100)
	put2(&b, 24, nano/1_000%100)
	put2(&b, 26, nano/10%100)
	b[28] = byte('0' + nano%10)
	end := 20 + digits
	if digits == 9 {
		for end > 20 && b[end-1] == '0' {
			end--
		}
		if end == 20 {
			end--
		}
	}
	return append(append(dst, b[:end]...), 'Z')
}

func put2(b *[29]byte, i, x int) { b[i], b[i+1] = byte('0'+x/10), byte('0'+x%10) }
