package config

import (
	"bufio"
	"fmt"
	"io"
	"reflect"
	"strings"
)

// exampleWidth is where the comments of the example file wrap.
const exampleWidth = 100

// WriteExample writes a TOML file with every key of the struct that src points to: its help, where else it can be set,
// and its default, commented out, so that the file as it is changes nothing. Defaults are found as in Load, and those
// of secrets are masked. prefix is that of the environment variables; "" = DefaultPrefix. src is not changed.
func WriteExample(w io.Writer, src any, prefix string) error {
	v := reflect.ValueOf(src)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return fmt.Errorf("config: want a pointer to a struct, got %T", src)
	}
	e, err := Load(copyOf(v.Elem()).Addr().Interface(), Options{Prefix: prefix})
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "# Every key with its default. Remove the # before a key to change it.\n")
	for _, t := range e.schema.tables {
		e.exampleTable(out, t)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write example configuration: %w", err)
	}
	return nil
}

// exampleTable writes the keys that lie directly in a table.
func (e *Effective) exampleTable(out *bufio.Writer, t table) {
	if t.key != "" {
		fmt.Fprintf(out, "\n")
		comment(out, t.help)
		fmt.Fprintf(out, "[%s]\n", t.key)
	}
	for i, f := range e.schema.fields {
		if !below(f.key, t.key) || strings.Contains(strings.TrimPrefix(f.key[len(t.key):], "."), ".") {
			continue
		}
		fmt.Fprintf(out, "\n")
		comment(out, f.help)
		note := "Environment: " + f.env
		if f.reload {
			note += ". Reloadable"
		}
		comment(out, note+".")
		fmt.Fprintf(out, "#%s = %s\n", leaf(f.key), e.schema.shown(i, e.now))
	}
}

// comment writes text as comment lines of at most exampleWidth bytes, where the words allow it.
func comment(out *bufio.Writer, text string) {
	line := "#"
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > exampleWidth {
			fmt.Fprintln(out, line)
			line = "#"
		}
		line += " " + word
	}
	if line != "#" {
		fmt.Fprintln(out, line)
	}
}
