package bundle

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// What a meta.json may hold. The text of a crash is in crash.txt in full; here it is for reading at a glance. The
// limits together stay below MaxMetaBytes.
const (
	maxText  = 4 << 10 // bytes of a text
	maxEntry = 1 << 10 // bytes of a text in a list or a map
	maxList  = 64      // entries of a list or a map
)

const cutMark = "…"

// encode gives meta.json. What is too long in m is cut, and what must not be in a name is left out, with a problem told.
func (m *Meta) encode() ([]byte, error) {
	m.tidy()
	m.Problems = append(m.Problems, m.unfit()...)
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(m); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// decode reads meta.json. Whatever it returns without an error can be printed, and its names lead nowhere else.
func decode(text []byte) (*Meta, error) {
	if len(text) > MaxMetaBytes {
		return nil, fmt.Errorf("%w: %s has more than %d bytes", ErrCorrupt, metaName, MaxMetaBytes)
	}
	m := &Meta{}
	if err := json.Unmarshal(text, m); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrCorrupt, metaName, err)
	}
	switch {
	case m.Schema > Schema:
		return nil, fmt.Errorf("%w: %s has schema %d, this program knows %d", ErrCorrupt, metaName, m.Schema, Schema)
	case m.Schema < 1:
		return nil, fmt.Errorf("%w: %s has no schema", ErrCorrupt, metaName)
	case !m.Class.Known():
		return nil, fmt.Errorf("%w: %s has class %.40q", ErrCorrupt, metaName, m.Class)
	}
	m.tidy()
	if unfit := m.unfit(); len(unfit) > 0 {
		return nil, fmt.Errorf("%w: %s: %s", ErrCorrupt, metaName, unfit[0])
	}
	return m, nil
}

// unfit empties the fields that others make paths and requests of, when they are not what they must be, and says which.
func (m *Meta) unfit() []string {
	var unfit []string
	token := func(name string, v *string, least, most int) {
		if *v != "" && (!isHex(*v) || len(*v) < least || len(*v) > most) {
			unfit = append(unfit, fmt.Sprintf("%s is %.40q", name, *v))
			*v = ""
		}
	}
	token("event", &m.Event, 32, 32)
	token("trace", &m.Trace, 32, 32)
	token("span", &m.Span, 16, 16)
	token("fingerprint", &m.Fingerprint, 1, 32)
	token("core sha256", &m.Core.SHA256, 64, 64)
	if m.Core.File != "" && !plainName(m.Core.File) {
		unfit, m.Core.File = append(unfit, fmt.Sprintf("core file is %.40q", m.Core.File)), ""
	}
	m.Files = slices.DeleteFunc(m.Files, func(f File) bool {
		if plainName(f.Name) && f.Bytes >= 0 {
			return false
		}
		unfit = append(unfit, fmt.Sprintf("file is %.40q", f.Name))
		return true
	})
	return unfit
}

// tidy cuts what is too long and takes out what would steer a terminal.
func (m *Meta) tidy() { tidy(reflect.ValueOf(m).Elem(), maxText) }

func tidy(v reflect.Value, most int) {
	switch v.Kind() {
	case reflect.String:
		v.SetString(printable(v.String(), most))
	case reflect.Pointer:
		if !v.IsNil() {
			tidy(v.Elem(), most)
		}
	case reflect.Struct:
		if t, ok := v.Interface().(time.Time); ok {
			v.Set(reflect.ValueOf(tidyTime(t)))
			return
		}
		for i := range v.NumField() {
			tidy(v.Field(i), most)
		}
	case reflect.Slice:
		if v.IsNil() {
			return
		}
		kept := reflect.MakeSlice(v.Type(), min(v.Len(), maxList), min(v.Len(), maxList))
		reflect.Copy(kept, v) // the old one may be somebody else's
		v.Set(kept)
		for i := range v.Len() {
			tidy(v.Index(i), maxEntry)
		}
	case reflect.Map:
		tidyMap(v)
	}
}

// tidyTime gives a time that has a form in JSON.
func tidyTime(t time.Time) time.Time {
	if t.IsZero() || t.Year() < 1970 || t.Year() > 9998 {
		return time.Time{}
	}
	return t.UTC().Round(0)
}

// tidyMap does it to a map from texts, in a new map.
func tidyMap(v reflect.Value) {
	if v.IsNil() {
		return
	}
	keys := v.MapKeys()
	slices.SortFunc(keys, func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) })
	kept := reflect.MakeMap(v.Type())
	for _, key := range keys[:min(len(keys), maxList)] {
		value := reflect.New(v.Type().Elem()).Elem()
		value.Set(v.MapIndex(key))
		tidy(value, maxEntry)
		kept.SetMapIndex(reflect.ValueOf(printable(key.String(), maxEntry)), value)
	}
	v.Set(kept)
}

// printable gives a text of at most so many bytes, in which every rune can be shown: lines and tabs stay.
func printable(s string, most int) string {
	s = strings.ToValidUTF8(s[:min(len(s), most+utf8.UTFMax)], "\uFFFD")
	s = strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
	if len(s) <= most {
		return s
	}
	at := most - len(cutMark)
	for at > 0 && !utf8.RuneStart(s[at]) {
		at--
	}
	return s[:at] + cutMark
}

// dropCore says that the core is gone, and why.
func (m *Meta) dropCore(why string) {
	m.Core = Core{State: CoreNone, Why: why, Apparent: m.Core.Apparent, Thread: m.Core.Thread, Executable: m.Core.Executable}
	m.Files = slices.DeleteFunc(m.Files, func(f File) bool { return f.Name == coreName })
}
