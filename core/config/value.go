package config

import (
	"encoding"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// errValue is the cause of a bad value where no parser gives one.
var errValue = errors.New("bad value")

// setText reads text, the form of defaults, environment variables and flags, into v. The items of a list are
// separated by commas; an empty text is an empty list.
func setText(v reflect.Value, text string) error {
	if v.Kind() != reflect.Slice || hasText(v.Type()) {
		return setScalar(v, strings.TrimSpace(text))
	}
	list := reflect.MakeSlice(v.Type(), 0, 0)
	for item := range strings.SplitSeq(text, ",") {
		if item = strings.TrimSpace(item); item == "" {
			continue
		}
		one := reflect.New(v.Type().Elem()).Elem()
		if err := setScalar(one, item); err != nil {
			return err
		}
		list = reflect.Append(list, one)
	}
	v.Set(list)
	return nil
}

// setScalar reads one value from text; v is unchanged on an error.
func setScalar(v reflect.Value, text string) error {
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return wantErr(v.Type(), u.UnmarshalText([]byte(text)))
	}
	var err error
	switch k := v.Kind(); {
	case v.Type() == durationType:
		var d time.Duration
		if d, err = time.ParseDuration(text); err == nil {
			v.SetInt(int64(d))
		}
	case k == reflect.String:
		v.SetString(text)
	case k == reflect.Bool:
		var b bool
		if b, err = strconv.ParseBool(text); err == nil {
			v.SetBool(b)
		}
	case v.CanInt():
		var n int64
		if n, err = strconv.ParseInt(text, 10, v.Type().Bits()); err == nil {
			v.SetInt(n)
		}
	case v.CanUint():
		var n uint64
		if n, err = strconv.ParseUint(text, 10, v.Type().Bits()); err == nil {
			v.SetUint(n)
		}
	default:
		err = setFloat(v, text)
	}
	return wantErr(v.Type(), err)
}

func setFloat(v reflect.Value, text string) error {
	f, err := strconv.ParseFloat(text, v.Type().Bits())
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return errValue
	}
	v.SetFloat(f)
	return nil
}

// setTOML converts what the TOML parser made of a value into v. It calls bad for each problem, with the piece of raw
// that is wrong and its index in a list, or -1 for the whole; v is unchanged when there was one.
func setTOML(v reflect.Value, raw any, bad func(index int, piece any, err error)) {
	if v.Kind() != reflect.Slice || hasText(v.Type()) {
		if err := setOne(v, raw); err != nil {
			bad(-1, raw, err)
		}
		return
	}
	items, ok := raw.([]any)
	if !ok {
		bad(-1, raw, wantErr(v.Type(), errValue))
		return
	}
	list, good := reflect.MakeSlice(v.Type(), len(items), len(items)), true
	for i, piece := range items {
		if err := setOne(list.Index(i), piece); err != nil {
			bad(i, piece, err)
			good = false
		}
	}
	if good {
		v.Set(list)
	}
}

// setOne converts a scalar. The type in the file must be the type of the field: a number in quotes is no number, and
// a duration needs its unit. A whole number stands for a float and for a byte size too.
func setOne(v reflect.Value, raw any) error {
	t := v.Type()
	switch x := raw.(type) {
	case string:
		if t.Kind() == reflect.String && !hasText(t) {
			v.SetString(x)
			return nil
		}
		if t == durationType || hasText(t) {
			return setScalar(v, x)
		}
	case int64:
		if t == bytesType || !hasText(t) && t != durationType && isNumber(t.Kind()) {
			return setScalar(v, strconv.FormatInt(x, 10))
		}
	case float64:
		if !hasText(t) && (t.Kind() == reflect.Float64 || t.Kind() == reflect.Float32) {
			return wantErr(t, setFloat(v, strconv.FormatFloat(x, 'g', -1, 64)))
		}
	case bool:
		if t.Kind() == reflect.Bool && !hasText(t) {
			v.SetBool(x)
			return nil
		}
	}
	return wantErr(t, errValue)
}

func isNumber(k reflect.Kind) bool { return k >= reflect.Int && k <= reflect.Float64 }

// wantErr turns the cause into what the user should have written; nil stays nil. It never repeats the value.
func wantErr(t reflect.Type, cause error) error {
	if cause == nil {
		return nil
	}
	return errors.New("want " + want(t))
}

// want says in words which values t takes.
func want(t reflect.Type) string {
	switch t {
	case durationType:
		return `a duration such as "30s"`
	case bytesType:
		return `a byte size such as "64KiB"`
	case timeoutType:
		return `a time limit above zero such as "30s", or "unlimited"`
	case reflect.TypeFor[netip.Prefix]():
		return `an address prefix such as "10.0.0.0/8"`
	case reflect.TypeFor[netip.AddrPort]():
		return `an address and port such as "127.0.0.1:7001"`
	case reflect.TypeFor[netip.Addr]():
		return `an address such as "127.0.0.1"`
	}
	switch k := t.Kind(); {
	case hasText(t):
		return "a " + strings.ToLower(t.Name()) + " in quotes"
	case k == reflect.Slice:
		return "a list, each item " + want(t.Elem())
	case k == reflect.Bool:
		return "true or false"
	case k == reflect.String:
		return "a string in quotes"
	case k == reflect.Float32 || k == reflect.Float64:
		return "a finite number"
	default:
		return "a whole number" + numberRange(t)
	}
}

// numberRange gives the limits of an integer type; those of 64 bits are left out.
func numberRange(t reflect.Type) string {
	bits, unsigned := t.Bits(), t.Kind() >= reflect.Uint && t.Kind() <= reflect.Uint64
	switch {
	case unsigned && bits == 64:
		return " from 0"
	case unsigned:
		return fmt.Sprintf(" from 0 to %d", uint64(1)<<bits-1)
	case bits == 64:
		return ""
	default:
		return fmt.Sprintf(" from %d to %d", -int64(1)<<(bits-1), int64(1)<<(bits-1)-1)
	}
}
