package record

import (
	"math"
	"strconv"
	"time"
)

// Kind says what the value of a field is. The numbers are those of the file format.
type Kind uint8

// The kinds of fields.
const (
	KindString Kind = iota
	KindInt
	KindUint
	KindFloat
	KindBool
	KindDuration
	KindTime
	KindJSON
	KindError
	kinds // their number
)

// kindNames are the words of the kinds, by kind.
var kindNames = [kinds]string{"string", "int", "uint", "float", "bool", "duration", "time", "json", "error"}

// String gives the word of the kind, "kind(n)" when it has none.
func (k Kind) String() string {
	if k >= kinds {
		return "kind(" + strconv.Itoa(int(k)) + ")"
	}
	return kindNames[k]
}

// Field is a key and a value of one of a few kinds. It holds no pointer but its strings and is compared with ==. The
// zero Field is an empty string under an empty key.
type Field struct {
	Key  string
	text string // string, JSON, error
	num  uint64 // bits of the value of any other kind
	kind Kind
}

// String makes a field of a text.
func String(key, value string) Field { return Field{Key: key, text: value, kind: KindString} }

// Int makes a field of a signed integer.
func Int[T ~int | ~int8 | ~int16 | ~int32 | ~int64](key string, value T) Field {
	return Field{Key: key, num: uint64(value), kind: KindInt}
}

// Uint makes a field of an unsigned integer.
func Uint[T ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64](key string, value T) Field {
	return Field{Key: key, num: uint64(value), kind: KindUint}
}

// Float makes a field of a floating-point number, NaN and infinities included.
func Float(key string, value float64) Field {
	return Field{Key: key, num: math.Float64bits(value), kind: KindFloat}
}

// Bool makes a field of a truth value.
func Bool(key string, value bool) Field {
	f := Field{Key: key, kind: KindBool}
	if value {
		f.num = 1
	}
	return f
}

// Duration makes a field of a duration. Lines show it as Go writes it, 1.5s.
func Duration(key string, value time.Duration) Field {
	return Field{Key: key, num: uint64(value), kind: KindDuration}
}

// The times a field can hold: nanoseconds since 1970 in 64 bits.
const (
	minTimeSec = math.MinInt64/1_000_000_000 + 1
	maxTimeSec = math.MaxInt64/1_000_000_000 - 1
)

// Time makes a field of a moment, shown in UTC. One outside of 1677 to 2262, the zero Time among them, becomes the
// nearest moment there.
func Time(key string, value time.Time) Field {
	ns := int64(math.MinInt64)
	if sec := value.Unix(); sec > maxTimeSec {
		ns = math.MaxInt64
	} else if sec >= minTimeSec {
		ns = value.UnixNano()
	}
	return Field{Key: key, num: uint64(ns), kind: KindTime}
}

// JSON makes a field of a JSON text, which is not checked: lines of JSON show it as a string when it is none.
func JSON(key, raw string) Field { return Field{Key: key, text: raw, kind: KindJSON} }

// Err makes a field of an error's text under the key "error"; "<nil>" when there is no error.
func Err(err error) Field {
	f := Field{Key: "error", text: "<nil>", kind: KindError}
	if err != nil {
		f.text = err.Error()
	}
	return f
}

// Kind says what the value is, and so which of the methods below gives it. The others give what its bits happen to
// mean there.
func (f Field) Kind() Kind { return f.kind }

// Text gives the text of a string, a JSON text or an error.
func (f Field) Text() string { return f.text }

// Int gives a signed integer.
func (f Field) Int() int64 { return int64(f.num) }

// Uint gives an unsigned integer.
func (f Field) Uint() uint64 { return f.num }

// Float gives a floating-point number.
func (f Field) Float() float64 { return math.Float64frombits(f.num) }

// Bool gives a truth value.
func (f Field) Bool() bool { return f.num != 0 }

// Duration gives a duration.
func (f Field) Duration() time.Duration { return time.Duration(f.num) }

// Time gives a moment, in UTC.
func (f Field) Time() time.Time { return time.Unix(0, int64(f.num)).UTC() }
