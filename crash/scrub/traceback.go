package scrub

import "bytes"

// Traceback is Bytes for the text of a crash: panic values, labels and all that is not a stack are scrubbed, the
// arguments of calls and the contents of registers and of the stack are dropped. The headers of goroutines, the names of
// functions, files and lines stay as they are.
func (s *Scrubber) Traceback(b []byte) []byte {
	s = s.orStandard()
	b = []byte(s.verbatim(string(b)))
	out := make([]byte, 0, len(b))
	free := 0 // b[free:at] is no part of a stack
	for at := 0; at < len(b); {
		end := lineEnd(b, at)
		line := b[at:end]
		next := min(end+1, len(b))
		nextEnd := lineEnd(b, next)
		kept, isCall := call(line)
		isCall = isCall && isPlace(b[next:nextEnd])
		if !isCall && !isRegister(line) {
			at = min(end+1, len(b))
			continue
		}
		out = s.appendClean(out, b[free:at])
		if isCall {
			out = append(append(out, kept...), b[end:nextEnd]...)
			end = nextEnd
		} else {
			out = append(append(out, registerName(line)...), mark...)
		}
		free, at = end, end
	}
	return s.appendClean(out, b[free:])
}

// appendClean appends a part that is no stack.
func (s *Scrubber) appendClean(out, part []byte) []byte {
	if len(bytes.TrimSpace(part)) == 0 {
		return append(out, part...)
	}
	return append(out, s.clean(part)...)
}

// call returns the line of a call or of a go statement without arguments. A panic value holds no such line: each of its
// lines but the first begins with a tab, and that one with "panic: ".
func call(line []byte) (kept []byte, ok bool) {
	if len(line) == 0 || isSpace(line[0]) {
		return nil, false
	}
	if bytes.HasPrefix(line, []byte("created by ")) {
		return line, true
	}
	open := bytes.LastIndexByte(line, '(')
	if open < 1 || line[len(line)-1] != ')' || bytes.IndexByte(line, ' ') >= 0 && bytes.IndexByte(line, ' ') < open {
		return nil, false
	}
	args := line[open+1 : len(line)-1]
	for _, c := range args {
		if !isHexDigit(c) && bytes.IndexByte([]byte("x{}, ?._"), c) < 0 {
			return nil, false
		}
	}
	kept = append([]byte(nil), line[:open]...)
	if len(args) == 0 {
		return append(kept, "()"...), true
	}
	return append(kept, "(...)"...), true
}

// isPlace knows "\t/srv/player.go:42 +0x1b fp=0xc0001 sp=0xc0000 pc=0x47b2a1".
func isPlace(line []byte) bool {
	if len(line) == 0 || line[0] != '\t' {
		return false
	}
	colon := bytes.LastIndexByte(line, ':')
	if colon < 1 || colon+1 >= len(line) || !isDigit(line[colon+1]) {
		return false
	}
	rest := bytes.TrimLeft(line[colon:], ":0123456789")
	for _, word := range bytes.Fields(rest) {
		value, ok := bytes.CutPrefix(word, []byte("+0x"))
		if !ok {
			_, value, ok = bytes.Cut(word, []byte("=0x"))
		}
		if !ok || len(bytes.Trim(value, "0123456789abcdef")) > 0 {
			return false
		}
	}
	return true
}

// isRegister knows "rax    0x1b", and a line of the stack's contents, "000000c000100f50: 0x...".
func isRegister(line []byte) bool {
	name := registerName(line)
	if len(name) == 0 {
		return false
	}
	return bytes.HasPrefix(line[len(name):], []byte("0x")) && len(bytes.TrimLeft(line[len(name)+2:], "0123456789abcdef")) == 0 || bytes.IndexByte(name, ':') > 0
}

// registerName returns the name of a register and the spaces behind it, or the address of a line of the stack.
func registerName(line []byte) []byte {
	n := 0
	for n < len(line) && (isLower(line[n]) || isDigit(line[n])) {
		n++
	}
	spaces := n
	if isDump := n >= 8 && n <= 18 && n+1 < len(line) && line[n] == ':' && len(bytes.TrimLeft(bytes.TrimPrefix(line[:n], []byte("0x")), "0123456789abcdef")) == 0; isDump {
		spaces++
	} else if n == 0 || n > 6 {
		return nil
	}
	end := spaces
	for end < len(line) && line[end] == ' ' {
		end++
	}
	if end == spaces {
		return nil
	}
	return line[:end]
}
