package config

import (
	"encoding"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// masked stands for the value of a secret that is set.
const masked = `"***"`

// show gives a value as TOML would have it, on one line and safe to print on a terminal. It takes the values of a
// schema and those of the TOML library.
func show(value any) string {
	switch x := value.(type) {
	case time.Time:
		return x.Format(time.RFC3339)
	case time.Duration:
		return quote(shortDuration(x))
	case encoding.TextMarshaler:
		text, err := x.MarshalText()
		if err != nil {
			return quote(err.Error())
		}
		return quote(string(text))
	}
	v := reflect.ValueOf(value)
	switch k := v.Kind(); {
	case k == reflect.String:
		return quote(v.String())
	case k == reflect.Slice:
		return showList(v)
	case k == reflect.Map:
		return "a table"
	case v.CanFloat():
		return strconv.FormatFloat(v.Float(), 'g', -1, v.Type().Bits())
	default:
		return fmt.Sprint(value)
	}
}

func showList(v reflect.Value) string {
	if v.Type().Elem().Kind() == reflect.Map {
		return "a list of tables"
	}
	items := make([]string, v.Len())
	for i := range items {
		items[i] = show(v.Index(i).Interface())
	}
	return "[" + strings.Join(items, ", ") + "]"
}

// shortDuration leaves out the zeros that Duration.String appends: "1m" for "1m0s".
func shortDuration(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = s[:len(s)-2]
	}
	if strings.HasSuffix(s, "h0m") {
		s = s[:len(s)-2]
	}
	return s
}

// quote gives a TOML basic string.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case !unicode.IsPrint(r):
			fmt.Fprintf(&b, `\U%08X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
