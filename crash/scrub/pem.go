package scrub

import "bytes"

const (
	pemBegin = "-----BEGIN "
	pemEnd   = "-----END "
)

// findPrivateKey finds a PEM block of a private key, whole or cut, on lines of its own or on one with \n in it.
func findPrivateKey(_ *Scrubber, in *input, at int) (from, to int, with string) {
	text := in.text
	for {
		n := bytes.Index(text[at:], []byte(pemBegin))
		if n < 0 {
			return -1, -1, ""
		}
		from = at + n
		at = from + len(pemBegin)
		label, _, _ := bytes.Cut(text[at:min(len(text), at+80)], []byte("-----"))
		if bytes.Contains(label, []byte("PRIVATE KEY")) {
			return from, blockEnd(text, at), mark
		}
	}
}

// blockEnd returns the end of the block whose label begins at i; of a cut one, the end of its last line of base64.
func blockEnd(text []byte, i int) int {
	body := text[i:min(len(text), i+spanMax)]
	if n := bytes.Index(body, []byte(pemEnd)); n >= 0 {
		label := body[n+len(pemEnd):]
		if m := bytes.Index(label, []byte("-----")); m >= 0 && m < 80 {
			return i + n + len(pemEnd) + m + len("-----")
		}
		return i + n + len(pemEnd)
	}
	end := lineEnd(text, i)
	for end < len(text) {
		next := lineEnd(text, end+1)
		if !isBlockLine(bytes.TrimSpace(text[end+1 : next])) {
			break
		}
		end = next
	}
	return end
}

// isBlockLine knows a line of base64, a header and the empty line behind headers.
func isBlockLine(line []byte) bool {
	for i, c := range line {
		if !isAlnum(c) && c != '+' && c != '/' && c != '=' {
			return c == ':' && i > 0 || c == '-' && i > 0 // Proc-Type: 4,ENCRYPTED
		}
	}
	return true
}
