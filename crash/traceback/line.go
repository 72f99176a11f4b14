package traceback

import (
	"bytes"
	"strconv"
)

// parseHeader reads "goroutine 7 gp=0xc0 m=nil [chan receive, 5 minutes, locked to thread labels:{...}]:". It returns
// the text of the labels apart, nil without any.
func parseHeader(line []byte) (g Goroutine, labels []byte, ok bool) {
	rest, ok := bytes.CutPrefix(line, []byte("goroutine "))
	if !ok {
		return g, nil, false
	}
	digits := rest[:countDigits(rest)]
	if g.ID, ok = parseUint(digits); !ok {
		return g, nil, false
	}
	_, body, found := bytes.Cut(rest, []byte(" ["))
	body, closed := bytes.CutSuffix(body, []byte("]:"))
	if !found || !closed {
		return g, nil, false
	}
	if state, text, ok := bytes.Cut(body, []byte(" labels:{")); ok {
		body, labels = state, bytes.TrimSuffix(text, []byte{'}'})
	}
	state, body, more := bytes.Cut(body, []byte(", "))
	g.State = string(bytes.TrimSuffix(state, []byte(" (scan)")))
	for more {
		var word []byte
		word, body, more = bytes.Cut(body, []byte(", "))
		g.note(word)
	}
	return g, labels, true
}

// note reads what stands behind the state.
func (g *Goroutine) note(word []byte) {
	if n, ok := bytes.CutSuffix(word, []byte(" minutes")); ok {
		minutes, _ := parseUint(n)
		g.Minutes = int(min(minutes, 1<<31-1))
	}
	g.Locked = g.Locked || string(word) == "locked to thread"
}

// parseLabels reads "\"session\": \"7\", \"trace\": \"4bf9\"". whole is false when some are missing.
func parseLabels(text []byte) (labels map[string]string, whole bool) {
	labels = map[string]string{}
	for len(text) > 0 {
		key, rest, ok := quoted(text)
		if !ok {
			return labels, false
		}
		value, rest, ok := quoted(bytes.TrimPrefix(rest, []byte(": ")))
		if !ok || len(labels) >= maxLabels {
			return labels, false
		}
		labels[key] = value
		text = bytes.TrimPrefix(rest, []byte(", "))
	}
	return labels, true
}

// quoted reads the string in quotes at the front of text, cut at labelBytes.
func quoted(text []byte) (value string, rest []byte, ok bool) {
	if len(text) == 0 || text[0] != '"' {
		return "", nil, false
	}
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '\\':
			i++
		case '"':
			value, err := strconv.Unquote(string(text[:i+1]))
			return value[:min(len(value), labelBytes)], text[i+1:], err == nil
		}
	}
	return "", nil, false
}

// place is the second line of a frame.
type place struct {
	file       []byte
	line       int
	offset     uint64
	fp, sp, pc uint64
	fixed      int // bytes of the line that are the same in every goroutine
}

// parsePlace reads "\t/srv/game/player.go:42 +0x1b fp=0xc0001 sp=0xc0000 pc=0x47b2a1", or that of a frame of C,
// "\tplayer.c:42 pc=0x47b2a1" and "\tpc=0x47b2a1". A path may hold anything, so it is read from its end.
func parsePlace(text []byte) (at place, ok bool) {
	rest, ok := bytes.CutPrefix(text, []byte{'\t'})
	if !ok {
		return at, false
	}
	rest, at.pc, ok = cutHex(rest, "pc=")
	if ok && len(rest) == 0 {
		at.fixed = len(text)
		return at, true
	}
	rest, at.sp, _ = cutHex(rest, "sp=")
	rest, at.fp, _ = cutHex(rest, "fp=")
	at.fixed = len(rest) + 1
	rest, at.offset, _ = cutHex(rest, "+")
	colon := bytes.LastIndexByte(rest, ':')
	if colon < 0 {
		return at, false
	}
	n, ok := parseUint(rest[colon+1:])
	at.file, at.line = rest[:colon], int(n)
	return at, ok && n < 1<<31
}

// cutHex takes "NAME0x1b" off the end of a line, and the space before it.
func cutHex(line []byte, name string) (rest []byte, n uint64, ok bool) {
	space := bytes.LastIndexByte(line, ' ')
	digits, ok := bytes.CutPrefix(line[space+1:], []byte(name))
	if !ok {
		return line, 0, false
	}
	if n, ok = parseHex(digits); !ok {
		return line, 0, false
	}
	return line[:max(space, 0)], n, true
}

// splitCall splits "main.(*player).hit(0xc000012, 0x7)". Arguments hold no parentheses.
func splitCall(line []byte) (name, args []byte) {
	open := bytes.LastIndexByte(line, '(')
	if open <= 0 || line[len(line)-1] != ')' {
		return line, nil
	}
	return line[:open], line[open+1 : len(line)-1]
}

func countDigits(b []byte) int {
	n := 0
	for n < len(b) && '0' <= b[n] && b[n] <= '9' {
		n++
	}
	return n
}

// parseUint reads decimal digits and nothing else.
func parseUint(b []byte) (uint64, bool) {
	if len(b) == 0 || len(b) > 19 || countDigits(b) != len(b) {
		return 0, false
	}
	var n uint64
	for _, c := range b {
		n = n*10 + uint64(c-'0')
	}
	return n, true
}

// parseHex reads "0x1b" and nothing else.
func parseHex(b []byte) (uint64, bool) {
	digits, ok := bytes.CutPrefix(b, []byte("0x"))
	if !ok || len(digits) == 0 || len(digits) > 16 {
		return 0, false
	}
	var n uint64
	for _, c := range digits {
		switch {
		case '0' <= c && c <= '9':
			n = n<<4 | uint64(c-'0')
		case 'a' <= c && c <= 'f':
			n = n<<4 | uint64(c-'a'+10)
		default:
			return 0, false
		}
	}
	return n, true
}
