package scrub

import "bytes"

// findTag finds the text of an XML element whose name is secret: <password>x</password>.
func findTag(s *Scrubber, in *input, at int) (from, to int, with string) {
	text := in.text
	for i := at; i < len(text); i++ {
		length := bracketAt(text, i, '>')
		if length == 0 || !s.Secret(tagBefore(text, i)) {
			continue
		}
		from = i + length
		for to = from; to < len(text) && to-from < spanMax; to++ {
			if bracketAt(text, to, '<') > 0 {
				break
			}
		}
		if to < len(text) && !tellsNothing(text[from:to]) {
			return from, to, mark
		}
	}
	return -1, -1, ""
}

// tagBefore returns the name of the element whose opening tag ends at i, "" for a closing one.
func tagBefore(text []byte, i int) string {
	tag := text[max(0, i-2*maxKey):i]
	if bytes.IndexByte(tag, '<') < 0 && !bytes.Contains(tag, []byte("u003c")) {
		return ""
	}
	for j := len(tag) - 1; j >= 0; j-- {
		if length := bracketAt(tag, j, '<'); length > 0 {
			name, _, _ := bytes.Cut(tag[j+length:], []byte{' '})
			if bytes.HasPrefix(name, []byte{'/'}) {
				return ""
			}
			return string(name)
		}
	}
	return ""
}

// findFlag finds the value of a secret flag that stands apart from it: --password x, and in lists "--password", "x".
func findFlag(s *Scrubber, in *input, at int) (from, to int, with string) {
	text := in.text
	for i := at; i < len(text); i++ {
		if text[i] != '-' || !begins(text, i) || i > 0 && text[i-1] == '-' {
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
		if from, to = in.flagValue(end); to > from {
			return from, to, mark
		}
		i = end - 1
	}
	return -1, -1, ""
}

// flagValue finds the value behind a flag that ends at i.
func (in *input) flagValue(i int) (from, to int) {
	text := in.text
	from = i
	for from < len(text) && bytes.IndexByte([]byte(` ,"'\`), text[from]) >= 0 {
		from++
	}
	switch {
	case !bytes.ContainsAny(text[i:from], " ,") || from >= len(text) || text[from] == '-' || isSpace(text[from]):
		return i, i
	case isQuote(text[from-1]):
		level := from - 1 - beforeBackslashes(text, from-1, i)
		to, _ = closing(text, from, text[from-1], level, around{})
		return from, to
	}
	v := pair{text: text, at: from, around: in.around(i)}
	return from, v.wordEnd(from)
}

// introductions stand before a secret: in headers, and in SQL.
var introductions = []string{"bearer ", "basic ", "identified by "}

// findIntroduced finds what stands behind one of the introductions and does not look like a word.
func findIntroduced(_ *Scrubber, in *input, at int) (from, to int, with string) {
	text := in.text
	for i := at; i < len(text); i++ {
		if c := text[i] | 0x20; c != 'b' && c != 'i' || !begins(text, i) {
			continue
		}
		for _, word := range introductions {
			if i+len(word) > len(text) || !bytes.EqualFold(text[i:i+len(word)], []byte(word)) {
				continue
			}
			from = i + len(word)
			for from < len(text) && text[from] == ' ' {
				from++
			}
			if level, ok := quoteAt(text, from); ok {
				from += level + 1
			}
			to = from
			for to < len(text) && !isSpace(text[to]) && !isQuote(text[to]) && bytes.IndexByte([]byte(`,;)]}\<>`), text[to]) < 0 {
				to++
			}
			quoted := from > 0 && isQuote(text[from-1]) && to > from
			if (quoted || isCredential(text[from:to])) && !tellsNothing(text[from:to]) {
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
