package config

import (
	"fmt"
	"reflect"
	"slices"
)

// Change is one key whose value in the sources is not the one in use.
type Change struct {
	Key      string
	Old, New string // as TOML; secrets are masked
	Source   Source // of the new value
}

// String is `KEY: OLD -> NEW (SOURCE)`.
func (c Change) String() string {
	return fmt.Sprintf("%s: %s -> %s (%v)", c.Key, c.Old, c.New, c.Source)
}

// Reload reads the sources of Load again: the file anew, environment and flags as they were given then. dst must be of
// the type that was loaded and hold the values in use. When all sources are valid, and dst is valid with the changes
// that need no restart, those changes are made in dst and listed in applied; the changes of the other keys are listed
// in needRestart, at every Reload until the restart. On an error nothing changes.
//
// Reload writes to dst without a lock: nobody else may use dst meanwhile. A server that reads its configuration from
// several goroutines passes a copy and publishes it.
func (e *Effective) Reload(dst any) (applied, needRestart []Change, err error) {
	v := reflect.ValueOf(dst)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Type() != e.base.Type() {
		return nil, nil, fmt.Errorf("config: reload into %T, loaded was *%v", dst, e.base.Type())
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	next := newLoader(e.schema, e.opts, e.base)
	if err := next.run(); err != nil {
		return nil, nil, err
	}
	mix := newLoader(e.schema, e.opts, v.Elem())
	copy(mix.sources, e.sources)
	applied, needRestart = mix.update(next)
	if mix.validate(mix.value); len(mix.problems) > 0 {
		return nil, nil, mix.asError(mix.problems)
	}
	v.Elem().Set(mix.value)
	e.now, e.sources, e.pending = copyOf(mix.value), mix.sources, slices.Clone(needRestart)
	return applied, needRestart, nil
}

// update takes over from next what may change while the server runs, and lists that and the rest.
func (l *loader) update(next *loader) (applied, needRestart []Change) {
	for i, f := range l.fields {
		from, to := next.value.FieldByIndex(f.index), l.value.FieldByIndex(f.index)
		same := sameValue(from, to)
		c := Change{Key: f.key, Old: l.shown(i, l.value), New: l.shown(i, next.value), Source: next.sources[i]}
		switch {
		case f.reload:
			to.Set(from)
			l.sources[i] = next.sources[i]
			if !same {
				applied = append(applied, c)
			}
		case !same:
			needRestart = append(needRestart, c)
		}
	}
	return applied, needRestart
}

// sameValue compares two values of one key; an empty list is the same as none.
func sameValue(a, b reflect.Value) bool {
	if a.Kind() == reflect.Slice && a.Len() == 0 && b.Len() == 0 {
		return true
	}
	return reflect.DeepEqual(a.Interface(), b.Interface())
}
