package scrub

import (
	"bytes"
	"strings"
)

// services are what keys of well-known services begin with, and how many letters, digits, - and _ follow at least.
var services = []struct {
	head string
	tail int
}{
	{"eyJ", 16}, // the header of a JWT: {"
	{"AKIA", 16}, {"ASIA", 16}, {"AIza", 30}, {"ya29.", 20},
	{"ghp_", 16}, {"gho_", 16}, {"ghu_", 16}, {"ghs_", 16}, {"ghr_", 16}, {"github_pat_", 16}, {"glpat-", 16},
	{"xoxb-", 10}, {"xoxp-", 10}, {"xoxa-", 10}, {"xoxs-", 10}, {"xoxr-", 10}, {"xapp-", 10},
	{"sk-", 20}, {"sk_live_", 10}, {"sk_test_", 10}, {"rk_live_", 10}, {"whsec_", 16}, {"SG.", 20}, {"npm_", 20}, {"hf_", 20}, {"dop_v1_", 20},
}

// serviceLetters are what they begin with.
const serviceLetters = "eAygxsrwSnhd"

// findToken finds a JWT, and a key of a well-known service.
func findToken(_ *Scrubber, in *input, at int) (from, to int, with string) {
	text := in.text
	for i := at; i < len(text); i++ {
		if strings.IndexByte(serviceLetters, text[i]) < 0 || !begins(text, i) || i > 0 && text[i-1] == '-' {
			continue
		}
		for _, service := range services {
			if !bytes.HasPrefix(text[i:], []byte(service.head)) {
				continue
			}
			end := i + len(service.head)
			for end < len(text) && (isWord(text[end]) || text[end] == '-' || text[end] == '.' && service.head == "eyJ") {
				end++
			}
			if end-i-len(service.head) >= service.tail && hasDigitOrCapital(text[i+len(service.head):end]) {
				return i, end, mark
			}
		}
	}
	return -1, -1, ""
}

func hasDigitOrCapital(b []byte) bool {
	return bytes.ContainsAny(b, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ")
}

// minBytes is how many bytes in a list are a key.
const minBytes = 16

// findBytes finds a list of bytes as %v and %#v print it: [12 250 33 ...], []byte{0xc, 0xfa, ...}.
func findBytes(_ *Scrubber, in *input, at int) (from, to int, with string) {
	text := in.text
	for i := at; i < len(text); i++ {
		if text[i] != '[' && text[i] != '{' {
			continue
		}
		if end := bytesEnd(text, i+1, text[i] == '{'); end > 0 {
			return i, end, mark
		}
	}
	return -1, -1, ""
}

// bytesEnd returns the place behind the bracket that closes a list of at least minBytes bytes, 0 for another list.
func bytesEnd(text []byte, i int, isHex bool) int {
	for n := 1; i < len(text); n++ {
		end := i
		for end < len(text) && (isAlnum(text[end])) && end-i < 5 {
			end++
		}
		if !isByte(text[i:end], isHex) || end == len(text) {
			return 0
		}
		switch {
		case text[end] == ']' && !isHex, text[end] == '}' && isHex:
			if n < minBytes {
				return 0
			}
			return end + 1
		case text[end] == ' ' && !isHex:
			i = end + 1
		case bytes.HasPrefix(text[end:], []byte(", ")) && isHex:
			i = end + 2
		default:
			return 0
		}
	}
	return 0
}

// isByte knows 250 and 0xfa.
func isByte(b []byte, isHex bool) bool {
	if isHex {
		rest, ok := bytes.CutPrefix(b, []byte("0x"))
		return ok && 0 < len(rest) && len(rest) <= 2
	}
	n := 0
	for _, c := range b {
		if !isDigit(c) {
			return false
		}
		n = n*10 + int(c-'0')
	}
	return len(b) > 0 && n <= 255
}

// minKey is how many digits of hexadecimal or base64 are a key.
const minKey = 32

// findLongKey finds a long run of digits of hexadecimal or base64 that is no word, path or id.
func findLongKey(_ *Scrubber, in *input, at int) (from, to int, with string) {
	text := in.text
	for i := at; i < len(text); i++ {
		if !isKeyDigit(text[i]) {
			continue
		}
		if n := bundleName(text[i:]); n > 0 {
			i += n - 1
			continue
		}
		end := i + 1
		for end < len(text) && isKeyDigit(text[end]) && bundleName(text[end:]) == 0 {
			end++
		}
		from, to = skipEscape(text, i, end), end
		for from < to && !isAlnum(text[from]) {
			from++
		}
		for to < min(len(text), end+2) && text[to] == '=' {
			to++
		}
		if to-from >= minKey && looksRandom(text[from:to]) && !isNamed(text, from, to) {
			return from, to, mark
		}
		i = end - 1
	}
	return -1, -1, ""
}

// bundleShape is how the name of a bundle begins, 0 for any digit; the number of the process, a class and eight more digits follow.
const bundleShape = "00000000T000000.000Z-"

// bundleName returns how many bytes of text are the time and the process with which the name of a bundle begins, 0 when it begins
// otherwise. Reports have such names, mostly in paths.
func bundleName(text []byte) int {
	if len(text) < len(bundleShape) {
		return 0
	}
	for i, want := range []byte(bundleShape) {
		if c := text[i]; want == '0' && !isDigit(c) || want != '0' && c != want {
			return 0
		}
	}
	end := len(bundleShape)
	for end < len(text) && isDigit(text[end]) {
		end++
	}
	return end
}

func isKeyDigit(c byte) bool { return isWord(c) || c == '-' || c == '+' || c == '/' }

// isNamed tells whether hexadecimal digits stand behind a key that names what is public.
func isNamed(text []byte, from, to int) bool {
	for _, c := range text[from:to] {
		if !isHexDigit(c) && c != '-' {
			return false
		}
	}
	for from > 0 && (isQuote(text[from-1]) || text[from-1] == '\\' || text[from-1] == ' ' || text[from-1] == '[') {
		from--
	}
	if from == 0 || text[from-1] != ':' && text[from-1] != '=' {
		return false
	}
	return isPublic(keyBefore(text, from-1).name)
}

func isHexDigit(c byte) bool { return isDigit(c) || 'a' <= c|0x20 && c|0x20 <= 'f' }

// looksRandom tells digits of a key from words: hexadecimal with digits and letters, or letters and digits with few of
// them in words. A word is four letters of one case in a row; random base64 has a tenth of its digits in such rows.
func looksRandom(b []byte) bool {
	var digits, lower, upper, signs, other, inWords, run int
	for i, c := range b {
		switch {
		case isDigit(c):
			digits++
		case isLower(c):
			lower++
		case isUpper(c):
			upper++
		case c != '=':
			signs++
		}
		if !isHexDigit(c) && c != '-' {
			other++
		}
		if run++; !isLower(c) || i > 0 && !isLower(b[i-1]) {
			run = 1
		}
		if run == 4 {
			inWords += 4
		} else if run > 4 {
			inWords++
		}
	}
	letters := lower + upper
	switch {
	case digits == 0 || letters == 0:
		return digits == 0 && letters > 0 && upper > 0 && lower > 0 && inWords*4 < len(b) && signs*8 < len(b)
	case other == 0:
		return true
	case lower == 0 || upper == 0:
		return signs == 0 && digits >= 3 && inWords*5 < len(b)*2
	default:
		return inWords*5 < len(b)*2
	}
}
