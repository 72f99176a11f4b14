package logx

import (
	"bytes"
	"encoding"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strconv"
	"time"
	"unicode/utf8"

	"vitrine/logx/record"
)

// sessionOf reads the value of a session attribute.
func sessionOf(v slog.Value) (uint64, bool) {
	switch v.Kind() {
	case slog.KindUint64:
		return v.Uint64(), true
	case slog.KindInt64:
		return uint64(v.Int64()), v.Int64() >= 0
	case slog.KindString:
		id, err := strconv.ParseUint(v.String(), 10, 64)
		return id, err == nil
	case slog.KindAny:
		if x := reflect.ValueOf(v.Any()); x.CanUint() { // a named type, such as the engine's
			return x.Uint(), true
		}
	}
	return 0, false
}

// addValue adds a field of a resolved value that is no group.
func (s *scratch) addValue(key string, v slog.Value) {
	switch v.Kind() {
	case slog.KindString:
		s.put(record.String(key, v.String()))
	case slog.KindInt64:
		s.put(record.Int(key, v.Int64()))
	case slog.KindUint64:
		s.put(record.Uint(key, v.Uint64()))
	case slog.KindFloat64:
		s.put(record.Float(key, v.Float64()))
	case slog.KindBool:
		s.put(record.Bool(key, v.Bool()))
	case slog.KindDuration:
		s.put(record.Duration(key, v.Duration()))
	case slog.KindTime:
		s.put(record.Time(key, v.Time()))
	default:
		s.put(s.anyField(key, v.Any()))
	}
}

// anyField makes a field of a value that slog does not know. It survives what the value's methods do.
func (s *scratch) anyField(key string, x any) (f record.Field) {
	defer func() {
		if p := recover(); p != nil {
			f = panicField(key, x, p)
		}
	}()
	switch x := x.(type) {
	case error:
		f = record.Err(x)
		f.Key = key
		return f
	case interface{ Redacted() string }: // a *url.URL without its password
		return record.String(key, x.Redacted())
	case *time.Time:
		return record.Time(key, *x)
	case fmt.Stringer:
		return record.String(key, x.String())
	case encoding.TextMarshaler:
		text, err := x.MarshalText()
		return textField(key, text, err)
	case json.Marshaler:
		return s.jsonField(key, x)
	}
	return s.plainField(key, x)
}

// panicField tells of a panic. As in fmt, that of a nil pointer whose method did not expect it is no news.
func panicField(key string, x, p any) record.Field {
	if v := reflect.ValueOf(x); v.Kind() == reflect.Pointer && v.IsNil() {
		return record.String(key, "<nil>")
	}
	return record.String(key, fmt.Sprintf("!PANIC: %v", p))
}

func textField(key string, text []byte, err error) record.Field {
	if err != nil {
		return record.String(key, "!ERROR: "+err.Error())
	}
	return record.String(key, string(text))
}

// plainField makes a field of a value without methods that say how it is shown.
func (s *scratch) plainField(key string, x any) record.Field {
	v := reflect.ValueOf(x)
	switch {
	case v.CanInt():
		return record.Int(key, v.Int())
	case v.CanUint():
		return record.Uint(key, v.Uint())
	case v.CanFloat():
		return record.Float(key, v.Float())
	case v.CanComplex():
		return record.String(key, strconv.FormatComplex(v.Complex(), 'g', -1, 128))
	case v.Kind() == reflect.Bool:
		return record.Bool(key, v.Bool())
	case v.Kind() == reflect.String:
		return record.String(key, v.String())
	case v.Kind() == reflect.Slice && v.Type().Elem().Kind() == reflect.Uint8:
		return record.String(key, bytesText(v.Bytes()))
	}
	return s.jsonField(key, x)
}

// bytesText shows bytes as text when they are, in hexadecimal otherwise.
func bytesText(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	return hex.EncodeToString(b)
}

// jsonField makes a field of what encoding/json makes of the value. It does not fall back to fmt, which would show
// secrets and not survive a map that holds itself.
func (s *scratch) jsonField(key string, x any) record.Field {
	var raw bytes.Buffer
	e := json.NewEncoder(&raw)
	e.SetEscapeHTML(false)
	if err := e.Encode(x); err != nil {
		return record.String(key, "!ERROR: "+err.Error())
	}
	return record.JSON(key, string(s.front.mask.json(bytes.TrimSuffix(raw.Bytes(), []byte("\n")))))
}
