package config

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"unicode"
)

// FuzzLoad gives hostile text to every source: no panic, an error that is short and names places that are there, and
// a struct that is left alone or whole. What was loaded can be printed and reloaded without a change.
func FuzzLoad(f *testing.F) {
	f.Add("net.max_sessions = 5", "VITRINE_NET_PORT=1", "net.high", "3")
	f.Add("[net]\nallow_from = [\n'10.0.0.0/8',\n12]\n[nett]", "VITRINE_X", "nope", "")
	f.Add("[[net]]\nzones = [{a = 1}]\n", "VITRINE_ZONES=a,,b", "db.password", "x")
	f.Add("a = [[[[[[[[[[[[[[[[[[", "VITRINE_LOG_LEVEL=INFO+999999999999999999999", "ratio", "1e999")
	file := write(f, "")
	f.Fuzz(func(t *testing.T, text, env, key, value string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		opts := Options{File: file, Env: []string{env}, Flags: map[string]string{key: value}}
		s := sample{Name: "before"}
		e, err := Load(&s, opts)
		if err != nil {
			checkError(t, err, file, text)
			if s.Name != "before" || s.Net.Max != 0 {
				t.Errorf("an error changed the struct: %+v", s)
			}
			return
		}
		if err := e.Print(io.Discard); err != nil {
			t.Error(err)
		}
		applied, restart, err := e.Reload(&s)
		if err != nil || len(applied)+len(restart) > 0 {
			t.Errorf("reload of the same: %v, %v, %v", applied, restart, err)
		}
	})
}

// checkError holds an error to its promises: a list, bounded, printable, and with lines that the text has.
func checkError(t *testing.T, err error, file, text string) {
	t.Helper()
	var list *Error
	if !errors.As(err, &list) || len(list.Problems) == 0 || len(list.Problems) > MaxProblems {
		t.Fatalf("got %#v", err)
	}
	for _, p := range list.Problems {
		if p.Source.Origin == FromFile && (p.Source.Line < 1 || p.Source.Line > strings.Count(text, "\n")+1) {
			t.Errorf("line %d of a text of %d: %v", p.Source.Line, strings.Count(text, "\n")+1, p)
		}
		shown := strings.ReplaceAll(p.Error(), file, "f.toml")
		if len(shown) > 600 || strings.ContainsFunc(shown, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%d bytes: %q", len(shown), shown)
		}
	}
}
