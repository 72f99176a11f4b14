package record

import (
	"encoding/hex"
	"math"
	"strconv"
)

// maxExact is the largest integer that every reader of JSON keeps: larger ones are written as strings.
const maxExact = 1 << 53

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
