package record

import "unicode/utf8"

// maxDepth is how deep a JSON field may be nested. A deeper one is written as a string, since readers have limits of
// their own.
const maxDepth = 256

// validJSON tells whether raw is one JSON value in UTF-8, nested at most maxDepth deep. Unlike json.Valid it allocates
// nothing when it is not.
func validJSON(raw string) bool {
	c := jsonChecker{rest: raw}
	return utf8.ValidString(raw) && c.value(0) && c.rest == ""
}

// jsonChecker reads a JSON text. What it has read is gone from rest.
type jsonChecker struct{ rest string }

// value reads a value and the space around it.
func (c *jsonChecker) value(depth int) bool {
	c.space()
	return c.bareValue(depth) && c.space()
}

func (c *jsonChecker) bareValue(depth int) bool {
	switch c.peek() {
	case '{':
		return depth < maxDepth && c.list('{', '}', true, depth+1)
	case '[':
		return depth < maxDepth && c.list('[', ']', false, depth+1)
	case '"':
		return c.text()
	case 't':
		return c.word("true")
	case 'f':
		return c.word("false")
	case 'n':
		return c.word("null")
	default:
		return c.number()
	}
}

// list reads an array, or an object, whose values have keys.
func (c *jsonChecker) list(open, end byte, keys bool, depth int) bool {
	c.next(open)
	if c.space(); c.next(end) {
		return true
	}
	for {
		if keys && !(c.space() && c.text() && c.space() && c.next(':')) || !c.value(depth) {
			return false
		}
		if !c.next(',') {
			return c.next(end)
		}
	}
}

func (c *jsonChecker) text() bool {
	if !c.next('"') {
		return false
	}
	for i := 0; i < len(c.rest); i++ {
		switch b := c.rest[i]; {
		case b == '"':
			c.rest = c.rest[i+1:]
			return true
		case b < ' ':
			return false
		case b == '\\':
			n := escape(c.rest[i+1:])
			if n == 0 {
				return false
			}
			i += n
		}
	}
	return false
}

// escape gives the number of bytes of the escape that begins s, its backslash aside, 0 when there is none.
func escape(s string) int {
	if s == "" {
		return 0
	}
	switch s[0] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 1
	case 'u':
		if len(s) >= 5 && isHex(s[1]) && isHex(s[2]) && isHex(s[3]) && isHex(s[4]) {
			return 5
		}
	}
	return 0
}

func isHex(b byte) bool {
	return '0' <= b && b <= '9' || 'a' <= b|0x20 && b|0x20 <= 'f'
}

func (c *jsonChecker) number() bool {
	c.next('-')
	if !c.next('0') && !c.digits() {
		return false
	}
	if c.next('.') && !c.digits() {
		return false
	}
	if c.next('e') || c.next('E') {
		_ = c.next('+') || c.next('-')
		return c.digits()
	}
	return true
}

// digits reads at least one digit.
func (c *jsonChecker) digits() bool {
	n := 0
	for n < len(c.rest) && '0' <= c.rest[n] && c.rest[n] <= '9' {
		n++
	}
	c.rest = c.rest[n:]
	return n > 0
}

func (c *jsonChecker) word(w string) bool {
	if len(c.rest) < len(w) || c.rest[:len(w)] != w {
		return false
	}
	c.rest = c.rest[len(w):]
	return true
}

// space reads what may stand between values, nothing included.
func (c *jsonChecker) space() bool {
	n := 0
	for n < len(c.rest) && (c.rest[n] == ' ' || c.rest[n] == '\t' || c.rest[n] == '\n' || c.rest[n] == '\r') {
		n++
	}
	c.rest = c.rest[n:]
	return true
}

// peek gives the next byte, 0 at the end.
func (c *jsonChecker) peek() byte {
	if c.rest == "" {
		return 0
	}
	return c.rest[0]
}

// next reads b if it is the next byte.
func (c *jsonChecker) next(b byte) bool {
	if c.rest == "" || c.rest[0] != b {
		return false
	}
	c.rest = c.rest[1:]
	return true
}
