package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"
)

// field is one key of a schema: where it lies in the struct and what its tags say. Fixed after schemaOf.
type field struct {
	key    string // dotted: "net.max_sessions"
	env    string // "VITRINE_NET_MAX_SESSIONS"
	help   string
	preset string // the default tag
	index  []int  // the way from the root struct, for FieldByIndex
	reload bool
	secret bool
}

// table is a nested struct of a schema.
type table struct {
	key   string // "" for the root
	help  string
	index []int
}

// schema is what the tags of a struct say. Fixed after schemaOf, so that any goroutine may read it.
type schema struct {
	fields []field        // in the order of the struct
	tables []table        // the root first, then in the order of the struct
	byKey  map[string]int // key -> position in fields
	byEnv  map[string]int // environment variable -> position in fields
	table  map[string]int // key -> position in tables
	errs   []error        // what is wrong with the struct itself
}

// inherited is what a nested struct hands down to the fields below it.
type inherited struct {
	key            string
	index          []int
	reload, secret bool
}

// schemaOf reads the tags of a struct type. Its errors are mistakes of the program, never of its user.
func schemaOf(t reflect.Type, prefix string) (*schema, error) {
	s := &schema{byKey: map[string]int{}, byEnv: map[string]int{}, table: map[string]int{"": 0}}
	s.tables = append(s.tables, table{})
	s.walk(t, prefix, inherited{})
	if len(s.errs) > 0 {
		return nil, fmt.Errorf("config type %v: %w", t, errors.Join(s.errs...))
	}
	return s, nil
}

func (s *schema) walk(t reflect.Type, prefix string, from inherited) {
	for i := range t.NumField() {
		f := t.Field(i)
		name, tagged := f.Tag.Lookup("toml")
		below := from
		below.index = append(append([]int(nil), from.index...), i)
		switch {
		case name == "-" || !f.IsExported() && !f.Anonymous:
		case f.Anonymous && !tagged && f.Type.Kind() == reflect.Struct:
			s.walk(f.Type, prefix, below)
		case !validKey(name):
			s.errs = append(s.errs, fmt.Errorf(`field %s: tag toml:%q is not a key of [a-z0-9_] (toml:"-" leaves a field out)`, f.Name, name))
		default:
			below.key = joinKey(from.key, name)
			below.reload = from.reload || f.Tag.Get("reload") == "true"
			below.secret = from.secret || f.Tag.Get("secret") == "true"
			s.add(f, prefix, below)
		}
	}
}

// add takes a tagged field into the schema: a struct without a text form is a table, all else is a key.
func (s *schema) add(f reflect.StructField, prefix string, at inherited) {
	if _, twice := s.byKey[at.key]; twice || s.isTable(at.key) {
		s.errs = append(s.errs, fmt.Errorf("field %s: key %s is there twice", f.Name, at.key))
		return
	}
	if f.Type.Kind() == reflect.Struct && !hasText(f.Type) {
		s.table[at.key] = len(s.tables)
		s.tables = append(s.tables, table{key: at.key, help: f.Tag.Get("help"), index: at.index})
		s.walk(f.Type, prefix, at)
		return
	}
	if !supported(f.Type) {
		s.errs = append(s.errs, fmt.Errorf("field %s: type %v is not supported", f.Name, f.Type))
		return
	}
	env := prefix + strings.ToUpper(strings.ReplaceAll(at.key, ".", "_"))
	if other, twice := s.byEnv[env]; twice {
		s.errs = append(s.errs, fmt.Errorf("keys %s and %s share the environment variable %s", s.fields[other].key, at.key, env))
		return
	}
	s.byKey[at.key], s.byEnv[env] = len(s.fields), len(s.fields)
	s.fields = append(s.fields, field{
		key: at.key, env: env, index: at.index, reload: at.reload, secret: at.secret,
		help: f.Tag.Get("help"), preset: f.Tag.Get("default"),
	})
}

func (s *schema) isTable(key string) bool { _, ok := s.table[key]; return ok }

// keys lists every table and key, for suggestions.
func (s *schema) keys() []string {
	out := make([]string, 0, len(s.fields)+len(s.tables))
	for _, t := range s.tables[1:] {
		out = append(out, t.key)
	}
	for _, f := range s.fields {
		out = append(out, f.key)
	}
	return out
}

// variables lists the environment variable of every key, for suggestions.
func (s *schema) variables() []string {
	out := make([]string, len(s.fields))
	for i, f := range s.fields {
		out[i] = f.env
	}
	return out
}

func validKey(name string) bool {
	return name != "" && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == ""
}

func joinKey(base, name string) string {
	if base == "" {
		return name
	}
	return base + "." + name
}

var (
	durationType = reflect.TypeFor[time.Duration]()
	bytesType    = reflect.TypeFor[Bytes]()
	timeoutType  = reflect.TypeFor[Timeout]()
	textType     = reflect.TypeFor[encoding.TextUnmarshaler]()
)

func hasText(t reflect.Type) bool { return reflect.PointerTo(t).Implements(textType) }

// supported tells whether values of t can be read: the scalars, and lists of them.
func supported(t reflect.Type) bool {
	if hasText(t) {
		return true
	}
	switch k := t.Kind(); {
	case k == reflect.Slice:
		return t.Elem().Kind() != reflect.Slice && supported(t.Elem())
	case k == reflect.Uintptr:
		return false
	default:
		return k == reflect.String || k >= reflect.Bool && k <= reflect.Float64
	}
}
