package scrub

import "bytes"

// findPair finds the value of a secret key: password=x, "token": "x", Key:[1 2].
func findPair(s *Scrubber, in *input, at int) (from, to int, with string) {
	text := in.text
	for i := at; i < len(text); i++ {
		if text[i] != '=' && text[i] != ':' {
			continue
		}
		key := keyBefore(text, i)
		if key.name == "" || bytes.HasPrefix(text[i:], []byte("://")) || !s.Secret(key.name) {
			continue
		}
		v := pair{text: text, key: key, colon: text[i] == ':', at: i + 1, around: in.around(key.end)}
		if v.find() && v.from >= at {
			return v.from, v.to, v.with
		}
	}
	return -1, -1, ""
}

// pair is a secret key and the search for its value.
type pair struct {
	text     []byte
	key      key
	colon    bool   // key: value
	around          // of the key
	at       int    // where the value may begin
	from, to int    // of the value
	with     string // in place of it
}

// find finds the value; false when there is none, or it tells nothing.
func (v *pair) find() bool {
	for v.at < len(v.text) && operatorAt(v.text, v.at) > 0 {
		v.at += operatorAt(v.text, v.at)
	}
	operator := v.at
	for v.at < len(v.text) && blankAt(v.text, v.at) > 0 {
		v.at += blankAt(v.text, v.at)
	}
	v.with = mark
	if v.at >= len(v.text) || v.text[v.at] == '\n' || v.text[v.at] == '\r' {
		return false
	}
	v.from = v.at
	switch level, ok := quoteAt(v.text, v.at); {
	case ok && v.closes(v.text, v.at+level):
		return false
	case ok:
		v.from = v.at + level + 1
		v.to, _ = closing(v.text, v.from, v.text[v.at+level], level, v.around)
	case v.key.isQuoted():
		v.bare()
	case v.wholeLine(operator):
		v.line()
	default:
		v.word()
	}
	return v.to > v.from && !tellsNothing(v.text[v.from:v.to])
}

// operatorAt returns the length of a sign between a key and its value, 0 for none: the rest of :=, => and the like.
func operatorAt(text []byte, i int) int {
	if text[i] == '=' || text[i] == ':' || text[i] == '~' {
		return 1
	}
	return bracketAt(text, i, '>')
}

// wholeLine tells whether the value goes to the end of the line: "Cookie: a=b; c=d", "passphrase: correct horse".
func (v *pair) wholeLine(operator int) bool { return v.colon && v.at > operator && ofLine(v.key.name) }

// bare is a value without quotes behind a key in quotes, as in JSON: it ends where JSON ends it, and the mark gets the
// quotes of the key.
func (v *pair) bare() {
	v.with = v.key.quote + mark + v.key.quote
	if c := v.text[v.at]; c == '{' || c == '[' {
		v.to, _ = bracketEnd(v.text, v.at, v.around)
		return
	}
	v.to = v.at
	for v.to < len(v.text) && !isSpace(v.text[v.to]) && bytes.IndexByte([]byte(`,}]"\`), v.text[v.to]) < 0 {
		v.to++
	}
}

// word is a value without quotes: it ends with a space, with what closes the string it stands in, and in the query of
// a URL with &. Brackets in it are followed to where they close, and the name of a scheme is followed by another word.
func (v *pair) word() {
	v.to = v.wordEnd(v.at)
	if isScheme(v.text[v.at:v.to]) && v.to+1 < len(v.text) && v.text[v.to] == ' ' {
		v.to = v.wordEnd(v.to + 1)
	}
	for v.to > v.from+1 && bytes.IndexByte([]byte(",;:)}]>"), v.text[v.to-1]) >= 0 {
		if c := v.text[v.from]; c == '[' || c == '{' || c == '(' {
			break
		}
		v.to--
	}
}

func (v *pair) wordEnd(at int) int {
	for i := at; i < len(v.text); i++ {
		switch c := v.text[i]; {
		case isSpace(c), v.key.query && (c == '&' || c == '#'):
			return i
		case v.closes(v.text, i):
			return beforeBackslashes(v.text, i, at)
		case c == '[' || c == '{' || c == '(':
			if end := v.bracket(i, at); end > i {
				i = end - 1
			}
		}
	}
	return len(v.text)
}

// maxInner is how far a bracket within a word is followed.
const maxInner = 1 << 10

// bracket returns where the bracket at i ends, 0 where it is only a sign. That which the word begins with is followed
// over lines, as far as it may reach where it is not closed; another must be closed soon.
func (v *pair) bracket(i, at int) int {
	if i == at {
		end, _ := bracketEnd(v.text, i, v.around)
		return end
	}
	end, closed := bracketEnd(v.text[:min(len(v.text), i+maxInner)], i, v.around)
	if !closed || bytes.IndexByte(v.text[i:end], '\n') >= 0 {
		return 0
	}
	return end
}

// line is a value that goes to the end of the line, or of the string that it stands in.
func (v *pair) line() {
	for v.to = v.at; v.to < len(v.text) && v.text[v.to] != '\n'; v.to++ {
		if v.closes(v.text, v.to) {
			v.to = beforeBackslashes(v.text, v.to, v.at)
			return
		}
	}
}

// tellsNothing knows values that are no secret: nil, and what was scrubbed.
func tellsNothing(value []byte) bool {
	switch string(bytes.TrimRight(value, ",;)}]")) {
	case "", "nil", "<nil", "<nil>", "null", "true", "false", mark, "[scrubbed":
		return true
	}
	return false
}

// isScheme knows the words before the secret in a header Authorization.
func isScheme(word []byte) bool {
	switch string(bytes.ToLower(word)) {
	case "bearer", "basic", "digest", "token", "negotiate", "apikey", "key":
		return true
	}
	return false
}
