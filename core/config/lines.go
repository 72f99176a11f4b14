package config

import (
	"errors"
	"strconv"
	"strings"

	"github.com/BurntSushi/toml"
)

// MaxDepth is how many parts a key may have and how deep lists and inline tables may nest.
const MaxDepth = 16

var (
	errDeep   = errors.New("nested too deep")
	errSyntax = errors.New("not understood")
)

// lineMap gives the line of every key, table and list item of a TOML text, by its path: "net.max_sessions",
// "net.allow_from[1]", "zone[0].name". What was defined more than once has the line of the first.
type lineMap map[string]int

// line finds the line of a path, else of the nearest thing around it, else 0.
func (m lineMap) line(path string) int {
	for path != "" {
		if n, ok := m[path]; ok {
			return n
		}
		path = path[:max(strings.LastIndexAny(path, ".["), 0)]
	}
	return 0
}

// scanner walks over a TOML text once and notes where things are. It accepts more than TOML does, because the
// library judges the syntax; where it understands nothing it stops with what it has. Owned by scanLines.
type scanner struct {
	text   string
	pos    int
	line   int
	lines  lineMap
	tables map[string]int // how many tables an array of tables has so far
	prefix string         // the table that keys go to
}

// scanLines maps a text. errDeep means a limit was passed, and that the text must not go to the library, whose work
// on it would not be bounded; errSyntax is only news that the map is not whole. The line is where it stopped.
func scanLines(text string) (lineMap, int, error) {
	s := &scanner{text: trimMark(text), line: 1, lines: lineMap{}, tables: map[string]int{}}
	for s.blank(true); s.pos < len(s.text); s.blank(true) {
		if err := s.statement(); err != nil {
			return s.lines, s.line, err
		}
	}
	return s.lines, s.line, nil
}

// trimMark drops the byte order mark, as the library does.
func trimMark(text string) string {
	for _, mark := range [...]string{"\xff\xfe", "\xfe\xff", "\xef\xbb\xbf"} {
		if rest, ok := strings.CutPrefix(text, mark); ok {
			return rest
		}
	}
	return text
}

// statement reads a table header or a key with its value, up to the end of the line.
func (s *scanner) statement() error {
	var err error
	if s.take("[") {
		err = s.header()
	} else {
		err = s.pair(s.prefix, 0)
	}
	if err != nil {
		return err
	}
	s.blank(false)
	if s.pos < len(s.text) && s.text[s.pos] != '\n' {
		return errSyntax
	}
	return nil
}

// header reads the rest of [a.b] or [[a.b]] and makes it the place of the keys that follow.
func (s *scanner) header() error {
	array := s.take("[")
	parts, err := s.key()
	if err != nil {
		return err
	}
	if !s.take("]") || array && !s.take("]") {
		return errSyntax
	}
	path := ""
	for i, part := range parts {
		path = join(path, part)
		s.note(path)
		if array && i == len(parts)-1 {
			s.tables[path]++
		}
		if n := s.tables[path]; n > 0 {
			path = item(path, n-1)
			s.note(path)
		}
	}
	s.prefix = path
	return nil
}

// pair reads KEY = VALUE below base.
func (s *scanner) pair(base string, depth int) error {
	parts, err := s.key()
	if err != nil {
		return err
	}
	for _, part := range parts {
		base = join(base, part)
		s.note(base)
	}
	if !s.take("=") {
		return errSyntax
	}
	s.blank(false)
	return s.value(base, depth)
}

// key reads a dotted key and the spaces around it.
func (s *scanner) key() ([]string, error) {
	var parts []string
	for len(parts) < MaxDepth {
		s.blank(false)
		part, ok := s.keyPart()
		if !ok {
			return nil, errSyntax
		}
		parts = append(parts, part)
		s.blank(false)
		if !s.take(".") {
			return parts, nil
		}
	}
	return nil, errDeep
}

// keyPart reads a bare or quoted part of a key, as the library's Key prints it.
func (s *scanner) keyPart() (string, bool) {
	from := s.pos
	if s.quoted() {
		raw := s.text[from+1 : s.pos-1]
		if s.text[from] == '"' {
			raw = unescape(raw)
		}
		return raw, true
	}
	for s.pos < len(s.text) && !strings.ContainsRune(" \t\r\n.=[]{},#\"'", rune(s.text[s.pos])) {
		s.pos++
	}
	return s.text[from:s.pos], s.pos > from
}

// value reads a value; path is what its items and keys are noted under.
func (s *scanner) value(path string, depth int) error {
	switch {
	case depth > MaxDepth:
		return errDeep
	case s.take("["):
		return s.list(path, depth)
	case s.take("{"):
		return s.inline(path, depth)
	case s.quoted():
		return nil
	case s.peek() == '"' || s.peek() == '\'':
		return errSyntax
	}
	from := s.pos
	for s.pos < len(s.text) && !strings.ContainsRune("\r\n#,]}", rune(s.text[s.pos])) {
		s.pos++
	}
	if s.pos == from {
		return errSyntax
	}
	return nil
}

// list reads the rest of [ VALUE, ... ].
func (s *scanner) list(path string, depth int) error {
	for i := 0; ; i++ {
		s.blank(true)
		if s.take("]") {
			return nil
		}
		at := item(path, i)
		s.note(at)
		if err := s.value(at, depth+1); err != nil {
			return err
		}
		s.blank(true)
		if !s.take(",") && s.peek() != ']' {
			return errSyntax
		}
	}
}

// inline reads the rest of { KEY = VALUE, ... }.
func (s *scanner) inline(path string, depth int) error {
	for {
		s.blank(true)
		if s.take("}") {
			return nil
		}
		if err := s.pair(path, depth+1); err != nil {
			return err
		}
		s.blank(true)
		if !s.take(",") && s.peek() != '}' {
			return errSyntax
		}
	}
}

// quoted skips a string of any of the four kinds, and reports false where none begins or none ends.
func (s *scanner) quoted() bool {
	c := s.peek()
	if c != '"' && c != '\'' {
		return false
	}
	end, long := string(c), strings.Repeat(string(c), 3)
	if strings.HasPrefix(s.text[s.pos:], long) {
		end = long
	}
	i := s.pos + len(end)
	for ; i < len(s.text) && !strings.HasPrefix(s.text[i:], end); i++ {
		if c == '"' && s.text[i] == '\\' {
			i++
		} else if s.text[i] == '\n' && len(end) == 1 {
			return false
		}
	}
	if i >= len(s.text) {
		return false
	}
	i += len(end)
	for extra := 0; len(end) == 3 && extra < 2 && i < len(s.text) && s.text[i] == c; extra++ {
		i++ // up to two quotes may stand before the three that end it
	}
	s.line += strings.Count(s.text[s.pos:i], "\n")
	s.pos = i
	return true
}

// blank skips spaces, and line ends and comments too when it may leave the line; else only a comment's line end stays.
func (s *scanner) blank(lines bool) {
	for ; s.pos < len(s.text); s.pos++ {
		switch s.text[s.pos] {
		case ' ', '\t', '\r':
		case '#':
			s.pos += max(strings.IndexByte(s.text[s.pos:], '\n'), 0)
			if s.text[s.pos] == '#' {
				s.pos = len(s.text)
				return
			}
			s.pos--
		case '\n':
			if !lines {
				return
			}
			s.line++
		default:
			return
		}
	}
}

// peek gives the next byte, 0 at the end.
func (s *scanner) peek() byte {
	if s.pos == len(s.text) {
		return 0
	}
	return s.text[s.pos]
}

func (s *scanner) take(word string) bool {
	ok := strings.HasPrefix(s.text[s.pos:], word)
	if ok {
		s.pos += len(word)
	}
	return ok
}

func (s *scanner) note(path string) {
	if _, ok := s.lines[path]; !ok {
		s.lines[path] = s.line
	}
}

// join extends a path by the part of a key, quoted as TOML would have it.
func join(base, part string) string { return joinKey(base, toml.Key{part}.String()) }

// item extends a path by the index of a list item.
func item(base string, i int) string { return base + "[" + strconv.Itoa(i) + "]" }

// unescape resolves the escapes of a quoted key where Go and TOML agree on them.
func unescape(raw string) string {
	if text, err := strconv.Unquote(`"` + raw + `"`); err == nil {
		return text
	}
	return raw
}
