package logx

import "encoding/json"

// json returns a compact JSON text with the values of secret keys replaced, at any depth. It returns raw itself where
// there are none.
//
// In compact JSON a string before a colon is a key and nothing else is, so keys are found without keeping track of
// where in the tree they stand.
func (m *mask) json(raw []byte) []byte {
	if m == nil {
		return raw
	}
	var out []byte
	copied := 0 // raw[:copied] is in out
	for i := 0; i < len(raw); {
		if raw[i] != '"' {
			i++
			continue
		}
		end := stringEnd(raw, i)
		if end >= len(raw) || raw[end] != ':' || !m.matchJSON(raw[i:end]) {
			i = end
			continue
		}
		out = append(append(out, raw[copied:end+1]...), `"`+maskText+`"`...)
		i = valueEnd(raw, end+1)
		copied = i
	}
	if copied == 0 {
		return raw
	}
	return append(out, raw[copied:]...)
}

// matchJSON is match for a key in its quotes. A key that hides behind escapes is read as a reader of it would.
func (m *mask) matchJSON(quoted []byte) bool {
	for _, c := range quoted {
		if c == '\\' {
			var key string
			return json.Unmarshal(quoted, &key) != nil || m.match(key)
		}
	}
	return len(quoted) >= 2 && m.match(string(quoted[1:len(quoted)-1]))
}

// stringEnd returns the offset behind the string that begins at i.
func stringEnd(raw []byte, i int) int {
	for i++; i < len(raw); i++ {
		switch raw[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(raw)
}

// valueEnd returns the offset behind the value that begins at i.
func valueEnd(raw []byte, i int) int {
	depth := 0
	for i < len(raw) {
		switch raw[i] {
		case '"':
			i = stringEnd(raw, i)
			if depth == 0 {
				return i
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i // a number or a word ended here
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',':
			if depth == 0 {
				return i
			}
		}
		i++
	}
	return len(raw)
}
