package scrub

import "bytes"

// findTag finds the text of an XML element whose name is secret: <password>x</password>.
func findTag(s *Scrubber, text []byte, at int) (from, to int, with string) {
	for i := at; i < len(text); i++ {
		if text[i] != '>' {
			continue
		}
		before := max(0, i-2*maxKey)
		open := bytes.LastIndexByte(text[before:i], '<')
		if open < 0 {
			continue
		}
		name := text[before+open+1 : i]
		if n := bytes.IndexByte(name, ' '); n >= 0 {
			name = name[:n]
		}
		end := bytes.IndexByte(text[i:min(len(text), i+spanMax)], '<')
		if len(name) == 0 || name[0] == '/' || end <= 1 || !s.Secret(string(name)) || tellsNothing(text[i+1:i+end]) {
			continue
		}
		return i + 1, i + end, mark
	}
	return -1, -1, ""
}

// findFlag finds the value of a secret flag that stands apart from it: --password x, and in lists "--password", "x".
func findFlag(s *Scrubber, text []byte, at int) (from, to int, with string) {
	for i := at; i < len(text); i++ {
		if text[i] != '-' || i > 0 && (isWord(text[i-1]) || text[i-1] == '-') {
			continue
		}
		key := i
		for key < len(text) && text[key] == '-' {
			key++
		}
		end := key
		for end < len(text) && (isWord(text[end]) || text[end] == '-') && end-key <= maxKey {
			end++
		}
		if end == key || !s.Secret(string(text[key:end])) {
			continue
		}
		if from, to = flagValue(text, end); to > from {
			return from, to, mark
		}
		i = end - 1
	}
	return -1, -1, ""
}

// flagValue finds the value behind a flag that ends at i.
func flagValue(text []byte, i int) (from, to int) {
	from = i
	for from < len(text) && bytes.IndexByte([]byte(` ,"'\`), text[from]) >= 0 {
		from++
	}
	switch {
	case from == i || from >= len(text) || text[from] == '-' || isSpace(text[from]):
		return i, i
	case isQuote(text[from-1]):
		level := from - 1 - beforeBackslashes(text, from-1, i)
		to, _ = closing(text, from, text[from-1], level)
		return from, to
	}
	v := pair{text: text, at: from}
	return from, v.wordEnd(from)
}

// introductions stand before a secret: in headers, and in SQL.
var introductions = []string{"bearer ", "basic ", "identified by "}

// findIntroduced finds what stands behind one of the introductions and does not look like a word.
func findIntroduced(_ *Scrubber, text []byte, at int) (from, to int, with string) {
	for i := at; i < len(text); i++ {
		if c := text[i] | 0x20; c != 'b' && c != 'i' || i > 0 && isAlnum(text[i-1]) && (i < 2 || text[i-2] != '\\') {
			continue
		}
		for _, word := range introductions {
			if i+len(word) > len(text) || !bytes.EqualFold(text[i:i+len(word)], []byte(word)) {
				continue
			}
			from = i + len(word)
			for from < len(text) && (text[from] == ' ' || text[from] == '\\' || isQuote(text[from])) {
				from++
			}
			to = from
			for to < len(text) && !isSpace(text[to]) && !isQuote(text[to]) && bytes.IndexByte([]byte(`,;)]}\<>`), text[to]) < 0 {
				to++
			}
			if from > i+len(word) && to > from || isCredential(text[from:to]) {
				return from, to, mark
			}
		}
	}
	return -1, -1, ""
}

// isCredential tells a credential from a word: it has a digit, a sign of base64, or a capital letter in it.
func isCredential(b []byte) bool {
	for i, c := range b {
		if len(b) >= 4 && (isDigit(c) || c == '=' || c == '+' || c == '/' || i > 0 && isUpper(c)) {
			return true
		}
	}
	return len(b) >= 24
}
