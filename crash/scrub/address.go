package scrub

import (
	"bytes"
	"net/netip"
	"unicode/utf8"
)

// maxUser is the length of the longest name and password that are found before an @.
const maxUser = 1 << 10

// maxLocal is the length of the longest part of an e-mail address before its @: twice what RFC 5321 has, for escapes.
const maxLocal = 128

// findURLUser finds the user and the password of a URL.
func findURLUser(_ *Scrubber, in *input, at int) (from, to int, with string) {
	text := in.text
	for {
		n := bytes.Index(text[at:], []byte("://"))
		if n < 0 {
			return -1, -1, ""
		}
		from = at + n + len("://")
		if n := userLength(text[from:]); n > 0 {
			return from, from + n, mark
		}
		at = from
	}
}

// userLength returns the length of what stands before the @ of an authority. Programs do not always escape what a
// password holds, so one with / or ? in it is known by the colon that no port follows.
func userLength(rest []byte) int {
	rest = rest[:min(len(rest), maxUser)]
	if bytes.IndexByte(rest, '@') < 0 {
		return 0
	}
	if n := bytes.IndexFunc(rest, endsURL); n >= 0 {
		rest = rest[:n]
	}
	authority := rest
	if n := bytes.IndexAny(rest, "/?#"); n >= 0 {
		authority = rest[:n]
	}
	if n := bytes.LastIndexByte(authority, '@'); n >= 0 {
		return n
	}
	if _, port, ok := bytes.Cut(authority, []byte{':'}); ok && len(bytes.Trim(port, "0123456789")) > 0 {
		return max(0, bytes.LastIndexByte(rest, '@'))
	}
	return 0
}

func endsURL(r rune) bool {
	return r <= ' ' || r == '"' || r == '\'' || r == '`' || r == '<' || r == '>'
}

// findUser finds the password of name:password@host and of a DSN, name:password@tcp(host).
func findUser(_ *Scrubber, in *input, at int) (from, to int, with string) {
	text := in.text
	for i := at; i < len(text); i++ {
		if text[i] != '@' || i+1 >= len(text) || !isAlnum(text[i+1]) && text[i+1] != '(' && text[i+1] != '[' || bytes.HasSuffix(text[:i], []byte(mark)) {
			continue
		}
		if bytes.IndexByte(text[max(at, i-maxUser):i], ':') < 0 {
			continue
		}
		start := i
		for start > at && !isSpace(text[start-1]) && !isQuote(text[start-1]) && i-start < maxUser {
			start--
		}
		if bytes.Contains(text[start:i], []byte("://")) {
			continue // its user was found before
		}
		if colon := bytes.IndexByte(text[start:i], ':'); colon > 0 && start+colon+1 < i {
			to = i
			if n := domainLength(text[i+1:]); n > 0 { // it may be an e-mail address
				to += 1 + n
			}
			return start + colon + 1, to, mark
		}
		if isDSN(text[i:]) { // a password with spaces in it
			line := max(at, i-maxUser)
			line += bytes.LastIndexAny(text[line:i], "\n\"") + 1
			if colon := bytes.LastIndexByte(text[line:i], ':'); colon > 0 && line+colon+1 < i {
				return line + colon + 1, i, mark
			}
		}
	}
	return -1, -1, ""
}

// isDSN knows @tcp(, @unix( and @(.
func isDSN(text []byte) bool {
	for i := 1; i < len(text) && i < 8; i++ {
		if text[i] == '(' {
			return true
		}
		if !isAlnum(text[i]) {
			return false
		}
	}
	return false
}

// findEmail finds an e-mail address, in a URL too, where its @ is %40.
func findEmail(_ *Scrubber, in *input, at int) (from, to int, with string) {
	text := in.text
	for i := at; i < len(text); i++ {
		width := 1
		if text[i] == '%' && bytes.HasPrefix(text[i:], []byte("%40")) {
			width = 3
		} else if text[i] != '@' {
			continue
		}
		from, to = i, i+width
		for from > at && i-from < maxLocal && isLocal(text[from-1]) {
			from--
		}
		from = skipEscape(text, from, i)
		to += domainLength(text[to:])
		if from < i && to > i+width {
			return from, to, mark
		}
	}
	return -1, -1, ""
}

func isLocal(c byte) bool {
	return isWord(c) || c >= utf8.RuneSelf || bytes.IndexByte([]byte(".+-%!#$&*?^|~"), c) >= 0
}

// domainLength returns the length of a domain at the front of text, 0 for none: it has a dot, and letters behind the
// last one. Versions of modules are none: compress@v1.20.3.
func domainLength(text []byte) int {
	n := 0
	for n < len(text) && n < 255 && (isAlnum(text[n]) || text[n] == '-' || text[n] == '.' || text[n] >= utf8.RuneSelf) {
		n++
	}
	for n > 0 && (text[n-1] == '.' || text[n-1] == '-') {
		n--
	}
	name := text[:n]
	dot := bytes.LastIndexByte(name, '.')
	if dot < 1 || n-dot < 3 || isVersion(name) {
		return 0
	}
	for _, c := range name[dot+1:] {
		if isDigit(c) {
			return 0
		}
	}
	return n
}

// isVersion knows v1.20.
func isVersion(name []byte) bool {
	if len(name) < 4 || name[0] != 'v' || !isDigit(name[1]) {
		return false
	}
	dot := bytes.IndexByte(name, '.')
	return len(bytes.Trim(name[1:dot], "0123456789")) == 0 && isDigit(name[dot+1])
}

// findAddress finds an IP address that is neither loopback nor unspecified.
func findAddress(_ *Scrubber, in *input, at int) (from, to int, with string) {
	text := in.text
	for i := at; i < len(text); i++ {
		if !isAddressByte(text[i]) {
			continue
		}
		end := i
		for end < len(text) && isAddressByte(text[end]) {
			end++
		}
		i = skipDigits(text, i, end)
		if bytes.Count(text[i:end], []byte{':'}) >= 2 {
			from, to = ip6(text, i, end)
		} else {
			from, to = ip4(text, i, end)
		}
		if to > from {
			return from, to, mark
		}
		i = end - 1
	}
	return -1, -1, ""
}

func isAddressByte(c byte) bool { return isHexDigit(c) || c == ':' || c == '.' }

// skipDigits returns the place behind the digits of an escape, \u003c or \x0a, whose letter stands before i.
func skipDigits(text []byte, i, to int) int {
	if i < 2 || text[i-2] != '\\' || text[i-1] != 'u' && text[i-1] != 'x' {
		return i
	}
	return skipEscape(text, i-1, to)
}

// ip4 finds an IPv4 address in a run of digits, letters, dots and colons: 203.0.113.7, with a port behind a colon or, as
// tcpdump prints it, behind a dot. What follows a v is a version.
func ip4(text []byte, from, to int) (int, int) {
	for i := from; i < to; i++ {
		if !isDigit(text[i]) {
			continue
		}
		end := i
		for end < to && (isDigit(text[end]) || text[end] == '.') {
			end++
		}
		version := i > 0 && text[i-1]|0x20 == 'v' && !escapeEnds(text, i)
		for _, start := range []int{i, skipEscape(text, i, end)} { // %20 may belong to the address or not
			groups := bytes.Split(bytes.TrimRight(text[start:end], "."), []byte{'.'})
			if n := quad(groups); n > 0 && !version {
				return start, start + n
			}
		}
		i = end
	}
	return 0, 0
}

// quad returns the length of the address that the groups are, 0 for none and for one that stays.
func quad(groups [][]byte) int {
	if len(groups) != 4 && len(groups) != 5 {
		return 0
	}
	length := 3
	for _, g := range groups[:4] {
		if n := number(g); n < 0 || n > 255 {
			return 0
		}
		length += len(g)
	}
	if len(groups) == 5 && number(groups[4]) < 0 || number(groups[0]) == 127 {
		return 0
	}
	if number(groups[0])+number(groups[1])+number(groups[2])+number(groups[3]) == 0 {
		return 0
	}
	return length
}

// number reads at most five digits, -1 for anything else.
func number(b []byte) int {
	if len(b) == 0 || len(b) > 5 {
		return -1
	}
	n := 0
	for _, c := range b {
		if !isDigit(c) {
			return -1
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// minPairs is how many bytes in hexadecimal with colons between them are a key.
const minPairs = 16

// ip6 finds an IPv6 address in a run of hexadecimal digits, dots and colons, behind a name and a colon too, or a key
// written as bytes with colons between them. Where the run is neither, an IPv4 address may stand in it.
func ip6(text []byte, from, to int) (int, int) {
	end := to
	for end > from && (text[end-1] == '.' || text[end-1] == ':' && (end < 2 || text[end-2] != ':')) {
		end--
	}
	if to-from > maxUser {
		return ip4(text, from, to)
	}
	closed := to >= len(text) || !isWord(text[to]) || end < to
	for start := from; start < end && closed; {
		if run := text[start:end]; begins(text, start) && len(run) > 2 {
			if a, err := netip.ParseAddr(string(run[:min(len(run), 64)])); err == nil && len(run) <= 64 {
				if a = a.Unmap(); a.IsLoopback() || a.IsUnspecified() {
					return 0, 0
				}
				return start, end
			}
			if isPairs(run) {
				return start, end
			}
		}
		n := bytes.IndexByte(text[start:end], ':')
		if n < 0 {
			break
		}
		start += n + 1
	}
	return ip4(text, from, to)
}

// isPairs knows 0c:fa:21:...
func isPairs(run []byte) bool {
	for i, c := range run {
		if (c == ':') != (i%3 == 2) || c == '.' {
			return false
		}
	}
	return len(run) >= 3*minPairs-1
}
