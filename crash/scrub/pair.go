package scrub

import "bytes"

// findPair finds the value of a secret key: password=x, "token": "x", Key:[1 2].
func findPair(s *Scrubber, text []byte, at int) (from, to int, with string) {
	for i := at; i < len(text); i++ {
		if text[i] != '=' && text[i] != ':' {
			continue
		}
		key, quote := keyBefore(text, i)
		if len(key) == 0 || bytes.HasPrefix(text[i:], []byte("://")) || !s.Secret(key) {
			continue
		}
		v := pair{text: text, key: key, quote: quote, colon: text[i] == ':', at: i + 1}
		before := i - len(key) - 1
		v.query = before >= 0 && (text[before] == '?' || text[before] == '&')
		if v.find() && v.from >= at {
			return v.from, v.to, v.with
		}
	}
	return -1, -1, ""
}

// pair is a secret key and the search for its value.
type pair struct {
	text     []byte
	key      string
	quote    string // around the key, with its backslashes
	colon    bool   // key: value
	query    bool   // ?key=value or &key=value
	at       int    // where the value may begin
	from, to int    // of the value
	with     string // in place of it
}

// find finds the value; false when there is none, or it tells nothing.
func (v *pair) find() bool {
	for v.at < len(v.text) && bytes.IndexByte([]byte("=:>~"), v.text[v.at]) >= 0 {
		v.at++
	}
	operator := v.at
	for v.at < len(v.text) && (v.text[v.at] == ' ' || v.text[v.at] == '\t') {
		v.at++
	}
	v.with = mark
	if v.at >= len(v.text) || v.text[v.at] == '\n' || v.text[v.at] == '\r' {
		return false
	}
	v.from = v.at
	switch level, ok := quoteAt(v.text, v.at); {
	case ok:
		v.from = v.at + level + 1
		v.to, _ = closing(v.text, v.from, v.text[v.at+level], level)
	case v.quote != "" && isQuote(v.quote[len(v.quote)-1]):
		v.bare()
	case v.wholeLine(operator):
		v.line()
	default:
		v.word()
	}
	return v.to > v.from && !tellsNothing(v.text[v.from:v.to])
}

// wholeLine tells whether the value goes to the end of the line: "Cookie: a=b; c=d", "passphrase: correct horse".
func (v *pair) wholeLine(operator int) bool { return v.colon && v.at > operator && ofLine(v.key) }

// bare is a value without quotes behind a key in quotes, as in JSON: it ends where JSON ends it, and the mark gets the
// quotes of the key.
func (v *pair) bare() {
	v.with = v.quote + mark + v.quote
	if c := v.text[v.at]; c == '{' || c == '[' {
		if v.to = bracketEnd(v.text, v.at, false); v.to < 0 {
			v.to = lineEnd(v.text, v.at)
		}
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
	hopeless := false // a bracket of this word is never closed
	for i := at; i < len(v.text); i++ {
		switch c := v.text[i]; {
		case isSpace(c), v.query && (c == '&' || c == '#'):
			return i
		case isQuote(c) && endsString(v.text, i):
			return beforeBackslashes(v.text, i, at)
		case !hopeless && (c == '[' || c == '{' || c == '('):
			end := bracketEnd(v.text, i, true)
			if hopeless = end < 0 || i > at && bytes.IndexByte(v.text[i:end], '\n') >= 0; !hopeless {
				i = end - 1
			}
		}
	}
	return len(v.text)
}

// line is a value that goes to the end of the line, or of the string that it stands in.
func (v *pair) line() {
	for v.to = v.at; v.to < len(v.text) && v.text[v.to] != '\n'; v.to++ {
		if v.text[v.to] == '"' && endsString(v.text, v.to) {
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
