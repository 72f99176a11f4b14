package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MaxFileBytes is how long a configuration file may be.
const MaxFileBytes = 256 << 10

// DefaultPrefix begins the names of the environment variables that Load looks at.
const DefaultPrefix = "VITRINE_"

// maxShown is how many bytes of a bad value or key a problem repeats, maxDetail how many of a syntax error.
const (
	maxShown  = 48
	maxDetail = 200
)

// Options says where the values come from. The zero Options gives the defaults.
type Options struct {
	File     string            // path of the TOML file; "" = none
	Optional bool              // a File that does not exist counts as an empty one
	Env      []string          // NAME=value as os.Environ gives them; nil = no environment
	Prefix   string            // of the variables that are looked at; "" = DefaultPrefix
	Ignore   []string          // variables with the prefix that belong to others; "VITRINE_SERVICE_*" ignores all that begin so
	Flags    map[string]string // key -> text, only the flags that were given

	// FlagName gives what stands after the dashes of a flag that sets a key, such as "set KEY"; nil for the key.
	FlagName func(key string) string
}

// Load fills the struct that dst points to (see the package comment for its tags) and tells where each value came
// from. dst changes only when everything is valid; else the error is an *Error with every problem of all sources, or
// another error when dst itself is no valid schema. An environment variable that has the prefix and names no key is a
// problem like any unknown key; Options.Ignore excepts those that others set (Kubernetes sets VITRINE_SERVICE_HOST and
// VITRINE_PORT for a service called vitrine). A value that stands in dst before, other than zero, is the default
// instead of the default tag: so a program gives two servers different defaults in one type.
//
// Each table whose struct has Validate() error is asked, the inner ones first, whatever else is wrong, so that every
// problem is found at once. Where a value is bad or its key misspelt, the default stands in its place; what Validate says
// of that key, or of others compared with it (see Problem.Using), is then left out, since it is not about what the user
// wrote. So a Validate looks at each rule by itself and returns all that are broken.
//
// Load reads the file once and keeps nothing open; it blocks no longer than that. Any goroutine may call it, as long as
// nobody else uses dst meanwhile.
func Load(dst any, opts Options) (*Effective, error) {
	v := reflect.ValueOf(dst)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return nil, fmt.Errorf("config: want a pointer to a struct, got %T", dst)
	}
	if opts.Prefix == "" {
		opts.Prefix = DefaultPrefix
	}
	s, err := schemaOf(v.Elem().Type(), opts.Prefix)
	if err != nil {
		return nil, err
	}
	base := copyOf(v.Elem())
	l := newLoader(s, opts, base)
	if err := l.run(); err != nil {
		return nil, err
	}
	v.Elem().Set(l.value)
	return &Effective{schema: s, opts: opts, base: base, now: l.value, sources: l.sources}, nil
}

// loader is the state of one Load: the struct that is being filled, and what was found wrong. Owned by its caller.
type loader struct {
	*schema
	opts     Options
	value    reflect.Value // the new struct
	sources  []Source      // per field
	problems []Problem
}

func newLoader(s *schema, opts Options, base reflect.Value) *loader {
	return &loader{schema: s, opts: opts, value: copyOf(base), sources: make([]Source, len(s.fields))}
}

// run applies the sources, weakest first, and then checks the whole.
func (l *loader) run() error {
	l.defaults()
	l.file()
	l.environment()
	l.flags()
	l.validate(l.value)
	return l.asError(l.problems)
}

func (l *loader) defaults() {
	for i, f := range l.fields {
		v := l.value.FieldByIndex(f.index)
		if f.preset != "" && v.IsZero() {
			l.text(i, f.preset, Source{}, nil)
		}
	}
}

func (l *loader) file() {
	if l.opts.File == "" {
		return
	}
	text, err := readFile(l.opts.File)
	if l.opts.Optional && errors.Is(err, fs.ErrNotExist) {
		return
	}
	if err != nil {
		l.problem(Problem{Source: Source{Origin: FromFile, Name: l.opts.File}, Text: err.Error()})
		return
	}
	l.document(text)
}

// readFile reads at most MaxFileBytes. The path is not in its errors, because the source of the problem names it.
func readFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", pathless(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxFileBytes+1))
	if err != nil {
		return "", pathless(err)
	}
	if len(data) > MaxFileBytes {
		return "", fmt.Errorf("longer than %v", Bytes(MaxFileBytes))
	}
	return string(data), nil
}

func pathless(err error) error {
	if p, ok := errors.AsType[*fs.PathError](err); ok {
		return fmt.Errorf("%s: %w", p.Op, p.Err)
	}
	return err
}

func (l *loader) environment() {
	for _, entry := range l.opts.Env {
		name, text, ok := strings.Cut(entry, "=")
		if !ok || !strings.HasPrefix(name, l.opts.Prefix) || l.ignored(name) {
			continue
		}
		src := Source{Origin: FromEnv, Name: name}
		if i, ok := l.byEnv[name]; ok {
			l.text(i, text, src, &text)
			continue
		}
		src.Name = printable(name, maxShown)
		l.problem(Problem{Source: src, Text: "unknown variable", unknown: name})
	}
}

func (l *loader) ignored(name string) bool {
	for _, pattern := range l.opts.Ignore {
		start, any := strings.CutSuffix(pattern, "*")
		if name == pattern || any && strings.HasPrefix(name, start) {
			return true
		}
	}
	return false
}

func (l *loader) flags() {
	name, unknown := l.opts.FlagName, "unknown key"
	if name == nil {
		name, unknown = func(key string) string { return key }, "unknown flag"
	}
	for key, text := range l.opts.Flags {
		src := Source{Origin: FromFlag, Name: name(key)}
		if i, ok := l.byKey[key]; ok {
			l.text(i, text, src, &text)
			continue
		}
		src.Name = printable(src.Name, maxShown)
		l.problem(Problem{Source: src, Text: unknown, unknown: key})
	}
}

// text sets field i from text; shown is what a problem may repeat of it.
func (l *loader) text(i int, text string, src Source, shown *string) {
	f := &l.fields[i]
	if err := setText(l.value.FieldByIndex(f.index), text); err != nil {
		p := Problem{Source: src, Key: f.key, Text: err.Error()}
		if shown == nil {
			p.Text = "bad default tag: " + p.Text
		} else if !f.secret {
			p.Text += ", got " + excerpt(quote(*shown))
		}
		l.problem(p)
		return
	}
	l.sources[i] = src
}

func (l *loader) problem(p Problem) { l.problems = append(l.problems, p) }

// excerpt bounds what a problem repeats of a value.
func excerpt(s string) string { return printable(s, maxShown) }

// printable bounds a text in bytes and takes out what a terminal could obey.
func printable(s string, most int) string {
	end := ""
	if len(s) > most {
		s, end = s[:most], "..."
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) && r != utf8.RuneError {
			return r
		}
		return '?'
	}, s) + end
}

// copyOf gives an addressable copy of a struct value.
func copyOf(v reflect.Value) reflect.Value {
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	return c
}
