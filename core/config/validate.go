package config

import (
	"errors"
	"reflect"
	"strings"
)

// validator is a schema, or a table of one, that checks its own values.
type validator interface{ Validate() error }

// validate asks every table of value that can check itself, the inner ones first. A table with a bad value in or below
// it is not asked: the value that stands there is not the one the user meant.
func (l *loader) validate(value reflect.Value) {
	for n := len(l.tables) - 1; n >= 0; n-- {
		t := l.tables[n]
		v, ok := value.FieldByIndex(t.index).Addr().Interface().(validator)
		if !ok || l.hasProblem(t.key) {
			continue
		}
		for _, err := range flatten(v.Validate()) {
			l.problem(l.place(t, err))
		}
	}
}

func (l *loader) hasProblem(table string) bool {
	for _, p := range l.problems {
		if below(p.Key, table) || p.Key == table {
			return true
		}
	}
	return false
}

// below tells whether key lies in a table, at any depth.
func below(key, table string) bool { return table == "" || strings.HasPrefix(key, table+".") }

// flatten takes apart what errors.Join joined.
func flatten(err error) []error {
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok {
		if err == nil {
			return nil
		}
		return []error{err}
	}
	var all []error
	for _, e := range joined.Unwrap() {
		all = append(all, flatten(e)...)
	}
	return all
}

// place turns what Validate said into a problem at the source of the key it names, or of the first key of the table
// that is not a default.
func (l *loader) place(t table, err error) Problem {
	p, ok := errors.AsType[Problem](err)
	if !ok {
		p = Problem{Text: err.Error()}
	}
	p.Key = strings.TrimSuffix(joinKey(t.key, p.Key), ".")
	name, _, _ := strings.Cut(p.Key, "[")
	if i, ok := l.byKey[name]; ok {
		p.Source = l.sources[i]
		return p
	}
	for i, f := range l.fields {
		if below(f.key, t.key) && p.Source == (Source{}) {
			p.Source = l.sources[i]
		}
	}
	return p
}
