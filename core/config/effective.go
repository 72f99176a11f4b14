package config

import (
	"fmt"
	"io"
	"reflect"
	"sync"
)

// Effective is what Load found: each key, its value and where that came from. Every method may be called from any
// goroutine; none blocks longer than the Reload of another one.
type Effective struct {
	schema *schema       // fixed after Load
	opts   Options       // fixed after Load
	base   reflect.Value // what dst held before Load, fixed

	mu      sync.Mutex
	now     reflect.Value // guarded by mu: the values in use
	sources []Source      // guarded by mu: per field
	pending []Change      // guarded by mu: what waits for a restart, in the order of the fields
}

// Setting is one key of an Effective.
type Setting struct {
	Key     string
	Value   string // as TOML; the value of a secret is masked
	Source  Source
	Help    string
	Reload  bool   // Reload may change it
	Pending string // what the next start would use, where that differs; masked like Value
}

// Settings lists every key in the order of the struct.
func (e *Effective) Settings() []Setting {
	e.mu.Lock()
	defer e.mu.Unlock()
	out := make([]Setting, len(e.schema.fields))
	for i, f := range e.schema.fields {
		out[i] = Setting{Key: f.key, Value: e.schema.shown(i, e.now), Source: e.sources[i], Help: f.help, Reload: f.reload}
	}
	for _, c := range e.pending {
		out[e.schema.byKey[c.Key]].Pending = c.New
	}
	return out
}

// Print writes a table of key, value and source; secrets are masked. Keys that Reload may change are marked, and so is a value
// that waits for a restart.
func (e *Effective) Print(w io.Writer) error {
	settings := e.Settings()
	keyWidth, valueWidth := 0, 0
	for _, s := range settings {
		keyWidth, valueWidth = max(keyWidth, len(s.Key)), max(valueWidth, min(len(s.Value), maxShown))
	}
	for _, s := range settings {
		note := ""
		if s.Reload {
			note = "  (reloadable)"
		}
		if s.Pending != "" {
			note = "  (after a restart: " + s.Pending + ")"
		}
		if _, err := fmt.Fprintf(w, "%-*s  %-*s  %v%s\n", keyWidth, s.Key, valueWidth, s.Value, s.Source, note); err != nil {
			return fmt.Errorf("print configuration: %w", err)
		}
	}
	return nil
}

// shown gives the value of field i in a struct as TOML, or a mask for a secret that is set.
func (s *schema) shown(i int, in reflect.Value) string {
	v := in.FieldByIndex(s.fields[i].index)
	if s.fields[i].secret && !v.IsZero() && !(v.Kind() == reflect.Slice && v.Len() == 0) {
		return masked
	}
	return show(v.Interface())
}
