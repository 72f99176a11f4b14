package record

import (
	"encoding/hex"
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"
	"unsafe"
)

const (
	// maxExact is the largest integer that every reader of JSON keeps: larger
	// ones are written as strings.
	maxExact = 1 << 53

	// maxDepth is how deep a JSON field may be nested. A deeper one is
	// written as a string, since readers have limits of their own.
	maxDepth = 256
)

// AppendJSON appends the record as one line of JSON, the newline included:
//
//	{"index":"1","time":"..","level":"WARN","type":"chat","session":"1","trace":"hex","span":"hex","flags":"cut","msg":"..","fields":{..}}
//
// What the record does not have is left out, but msg and fields. Index and session are always strings, other integers
// beyond 2^53 too, and so are durations (1.5s), times, NaN and infinities. Bytes that are not UTF-8 become U+FFFD. A
// JSON field stands as it is, newlines aside; one that is no JSON is a string.
func AppendJSON(dst []byte, r *Record, t *Types) []byte {
	dst = strconv.AppendUint(append(dst, `{"index":"`...), r.Index, 10)
	dst = appendTime(append(dst, `","time":"`...), r.Time, 9)
	dst = append(append(dst, `","level":"`...), r.Level.String()...)
	dst = t.appendName(append(dst, `","type":"`...), r.Type)
	if r.Session != 0 {
		dst = strconv.AppendUint(append(dst, `","session":"`...), r.Session, 10)
	}
	if r.Trace != [16]byte{} {
		dst = hex.AppendEncode(append(dst, `","trace":"`...), r.Trace[:])
	}
	if r.Span != [8]byte{} {
		dst = hex.AppendEncode(append(dst, `","span":"`...), r.Span[:])
	}
	if f := r.Flags &^ FlagTrace; f != 0 {
		dst = f.append(append(dst, `","flags":"`...))
	}
	dst = appendJSONString(append(dst, `","msg":`...), r.Message)
	dst = append(dst, `,"fields":{`...)
	for i := range r.Fields {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = appendJSONString(dst, r.Fields[i].Key)
		dst = r.Fields[i].appendJSON(append(dst, ':'))
	}
	return append(dst, "}}\n"...)
}

func (f *Field) appendJSON(dst []byte) []byte {
	quoted := false
	switch f.kind {
	case KindInt:
		quoted = f.Int() > maxExact || f.Int() < -maxExact
	case KindUint:
		quoted = f.num > maxExact
	case KindDuration, KindTime:
		quoted = true
	case KindFloat:
		return appendJSONFloat(dst, f.Float())
	case KindJSON:
		return appendJSONText(dst, f.text)
	}
	if !quoted {
		return f.appendValue(dst, appendJSONString)
	}
	return append(f.appendValue(append(dst, '"'), appendJSONString), '"')
}

func appendJSONFloat(dst []byte, x float64) []byte {
	if !math.IsNaN(x) && !math.IsInf(x, 0) {
		return strconv.AppendFloat(dst, x, 'g', -1, 64)
	}
	return append(strconv.AppendFloat(append(dst, '"'), x, 'g', -1, 64), '"')
}

// appendJSONText appends a JSON text without its newlines, or as a string when it is none. Within the strings of a JSON
// text there are no newlines, and between two of its values there is more than them.
func appendJSONText(dst []byte, raw string) []byte {
	if !validJSON(raw) {
		return appendJSONString(dst, raw)
	}
	for i := range len(raw) {
		if c := raw[i]; c != '\n' && c != '\r' {
			dst = append(dst, c)
		}
	}
	return dst
}

func validJSON(raw string) bool {
	b := unsafe.Slice(unsafe.StringData(raw), len(raw))
	return depth(raw) <= maxDepth && utf8.ValidString(raw) && json.Valid(b)
}

// depth gives how deep a JSON text is nested.
func depth(raw string) int {
	now, most, inString := 0, 0, false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '[' || c == '{':
			now++
			most = max(most, now)
		case c == ']' || c == '}':
			now--
		}
	}
	return most
}

// appendJSONString appends s as a JSON string.
func appendJSONString(dst []byte, s string) []byte {
	const digits = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		n := 1
		var r rune = rune(c)
		if c >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(s[i:])
			if (r != utf8.RuneError || n > 1) && r != '\u2028' && r != '\u2029' {
				i += n
				continue
			}
		}
		dst = append(dst, s[from:i]...)
		switch r {
		case '"', '\\':
			dst = append(dst, '\\', byte(r))
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\r':
			dst = append(dst, '\\', 'r')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', digits[r>>12&15], digits[r>>8&15], digits[r>>4&15], digits[r&15])
		}
		i += n
		from = i
	}
	return append(append(dst, s[from:]...), '"')
}
