package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/BurntSushi/toml"
)

// document takes the values of a TOML text.
func (l *loader) document(text string) {
	lines, at, err := scanLines(text)
	if errors.Is(err, errDeep) {
		l.problem(Problem{Source: l.inFile(at), Text: fmt.Sprintf("keys and values nest more than %d deep", MaxDepth)})
		return
	}
	tree, err := parse(text)
	if err != nil {
		l.problem(l.syntax(err, at))
		return
	}
	d := document{l, lines}
	d.table("", tree)
}

// parse runs the TOML library. A panic inside it is taken for a syntax error that it did not foresee.
func parse(text string) (tree map[string]any, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = errSyntax
		}
	}()
	_, err = toml.Decode(text, &tree)
	return tree, err
}

// syntax describes why the text is no TOML. The library's message may hold a piece of the line, so it is left out on
// the lines of secrets.
func (l *loader) syntax(err error, at int) Problem {
	p := Problem{Source: l.inFile(at), Text: "syntax error", syntax: true}
	detail, ok := errors.AsType[toml.ParseError](err)
	if !ok {
		return p
	}
	if detail.Position.Line > 0 { // it is not known of every bad escape
		p.Source.Line = detail.Position.Line
	}
	p.Key = excerpt(detail.LastKey)
	if i, ok := l.byKey[detail.LastKey]; !ok || !l.fields[i].secret {
		p.Text += ": " + printable(strings.ToLower(detail.Message[:1])+detail.Message[1:], maxDetail)
	}
	return p
}

func (l *loader) inFile(line int) Source {
	return Source{Origin: FromFile, Name: l.opts.File, Line: line}
}

// document is a file that was parsed: the loader it feeds, and the lines of its keys.
type document struct {
	*loader
	lines lineMap
}

// table takes the keys of one table of the file.
func (d document) table(base string, keys map[string]any) {
	for name, raw := range keys {
		path := join(base, name)
		inner, isTable := raw.(map[string]any)
		switch i, known := d.byKey[path]; {
		case known:
			d.set(i, raw)
		case !d.isTable(path):
			d.unknown(path, isTable)
		case isTable:
			d.table(path, inner)
		default:
			d.problem(Problem{Source: d.at(path), Key: path, Text: "want a table, got " + excerpt(show(raw))})
		}
	}
}

// set converts the value of a known key; each bad item of a list is a problem on its own line.
func (d document) set(i int, raw any) {
	f, good := &d.fields[i], true
	setTOML(d.value.FieldByIndex(f.index), raw, func(index int, piece any, err error) {
		good = false
		path, text := f.key, err.Error()
		if index >= 0 {
			path = item(path, index)
		}
		if !f.secret {
			text += ", got " + excerpt(show(piece))
		}
		d.problem(Problem{Source: d.at(path), Key: path, Text: text})
	})
	if good {
		d.sources[i] = d.at(f.key)
	}
}

func (d document) at(path string) Source { return d.inFile(d.lines.line(path)) }

func (d document) unknown(path string, isTable bool) {
	text := "unknown key"
	if isTable {
		text = "unknown table"
	}
	d.problem(Problem{Source: d.at(path), Key: excerpt(path), Text: text, unknown: path})
}
