package config

import (
	"errors"
	"reflect"
	"slices"
	"strings"
)

// validator is a schema, or a table of one, that checks its own values.
type validator interface{ Validate() error }

// validate asks every table of value that can check itself, the inner ones first. It asks nobody when the list of problems
// is full already.
func (l *loader) validate(value reflect.Value) {
	if len(l.problems) >= MaxProblems {
		return
	}
	a := l.absent()
	for n := len(l.tables) - 1; n >= 0; n-- {
		t := l.tables[n]
		if v, ok := value.FieldByIndex(t.index).Addr().Interface().(validator); ok {
			l.ask(t, v, a)
		}
	}
}

// ask takes over what a table says of itself but for what follows from other problems: those that were there before, and of
// its own those that need no second key.
func (l *loader) ask(t table, v validator, a absent) {
	said := flatten(v.Validate())
	for _, compared := range []bool{false, true} {
		from := len(l.problems)
		for _, err := range said {
			p := l.place(t, err)
			_, oneKey := l.byKey[listOf(p.Key)]
			if compared == (len(p.uses) > 0 || !oneKey) && !a.concerns(p) {
				l.problem(p)
			}
		}
		for _, p := range l.problems[from:] {
			a.mark(p.Key)
		}
	}
}

// absent tells of each field of a schema whether the value that stands there is not the one the user meant.
type absent struct {
	*schema
	field []bool // by position
}

// absent finds the fields that the problems concern.
func (l *loader) absent() absent {
	a := absent{l.schema, make([]bool, len(l.fields))}
	for _, p := range l.problems {
		key, known := l.concerned(p)
		for i, f := range l.fields {
			if known && within(f.key, key) && !l.replaced(i, p) {
				a.field[i] = true
			}
		}
	}
	return a
}

// concerned gives the key or table whose values a problem kept away; it is known but for words that resemble no key.
func (l *loader) concerned(p Problem) (key string, known bool) {
	switch {
	case p.syntax:
		return "", true // the whole file
	case p.unknown != "":
		key = l.meant(p)
		return key, key != ""
	}
	return listOf(p.Key), true
}

// replaced tells whether field i has a value in spite of the problem: of a stronger source or, beside a misspelt key, of the
// same.
func (l *loader) replaced(i int, p Problem) bool {
	from := l.sources[i].Origin
	return from > p.Source.Origin || p.unknown != "" && from == p.Source.Origin
}

// meant gives the key or table of which an unknown word is probably a misspelling, or "".
func (l *loader) meant(p Problem) string {
	if p.Source.Origin != FromEnv {
		return nearest(p.unknown, l.keys())
	}
	if i, ok := l.byEnv[nearest(p.unknown, l.variables())]; ok {
		return l.fields[i].key
	}
	return ""
}

// concerns reports whether what a table said is about a value that is absent, or follows from one.
func (a absent) concerns(p Problem) bool {
	for i, f := range a.fields {
		if a.field[i] && (within(f.key, listOf(p.Key)) || slices.ContainsFunc(p.uses, func(key string) bool { return within(f.key, key) })) {
			return true
		}
	}
	return false
}

// mark counts the value of a key as absent, because a problem tells of it. One that tells of a table as a whole leaves open
// which key is wrong.
func (a absent) mark(key string) {
	if i, ok := a.byKey[listOf(key)]; ok {
		a.field[i] = true
	}
}

// within tells whether key is that key or lies in that table.
func within(key, table string) bool { return key == table || below(key, table) }

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
	p.uses = slices.Clone(p.uses)
	for i, key := range p.uses {
		p.uses[i] = strings.TrimSuffix(joinKey(t.key, key), ".")
	}
	if i, ok := l.byKey[listOf(p.Key)]; ok {
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
