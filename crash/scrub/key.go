package scrub

import (
	"bytes"
	"strings"
	"unicode"
)

// maxKey is the length of the longest key that is looked at.
const maxKey = 128

// secretWords make a key secret where they stand in it as a whole word.
const secretWords = "password passwords passwd passphrase passphrases passcode pwd pass secret secrets token tokens key keys" +
	" private credential credentials cred creds auth authorization oauth cookie cookies dsn jwt bearer" +
	" apikey apikeys accesskey secretkey sessionkey privatekey signingkey encryptionkey authtoken passkey"

// secretEnds make a key secret where its last part ends with them, written in one.
const secretEnds = "password passwd passphrase passcode pwd secret credential credentials token jwt bearer authorization" +
	" cookie cookies apikey accesskey secretkey sessionkey privatekey signingkey encryptionkey dsn connectionstring"

// lineWords are those whose value may be more than one word: it goes to the end of the line.
const lineWords = " password passwords passwd passphrase passphrases passcode pwd secret secrets credential credentials authorization cookie cookies "

// publicKeys name what is no secret though it looks like a key: ids and sums.
const publicKeys = " trace traceid traceparent span spanid event eventid id sha1 sha256 sha512 sum checksum digest crc revision vcsrevision commit" +
	" build buildid fingerprint release version executable store "

func (s *Scrubber) addKeys(more []string) {
	for word := range strings.FieldsSeq(secretWords) {
		s.words[word] = true
	}
	s.ends = strings.Fields(secretEnds)
	for _, key := range more {
		if p := plain(key); p != "" {
			s.words[p] = true
			s.ends = append(s.ends, p)
		}
	}
}

// Secret tells whether what stands under a key is secret: whether the key has one of the words password, passwd, secret,
// token, key, private, credential, auth, cookie, dsn and their like in it, written snake_case, kebab-case, camelCase or
// with.dots, or ends with one of them, as in dbpassword.
func (s *Scrubber) Secret(key string) bool {
	s = s.orStandard()
	if len(key) > maxKey {
		key = key[len(key)-maxKey:]
	}
	for _, word := range words(key) {
		if s.words[word] {
			return true
		}
	}
	last := plain(key[strings.LastIndexByte(strings.TrimRight(key, "."), '.')+1:])
	for _, end := range s.ends {
		if strings.HasSuffix(last, end) {
			return true
		}
	}
	return false
}

// words splits a key in small letters, without the digits at the end of each: APIKey2 is api and key.
func words(key string) []string {
	var all []string
	start := 0
	runes := []rune(key)
	add := func(end int) {
		if word := strings.TrimRightFunc(string(runes[start:end]), unicode.IsDigit); word != "" {
			all = append(all, strings.ToLower(word))
		}
		start = end
	}
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			add(i)
			start = i + 1
		case i > start && unicode.IsUpper(r) && (!unicode.IsUpper(runes[i-1]) || i+1 < len(runes) && unicode.IsLower(runes[i+1])):
			add(i)
		}
	}
	add(len(runes))
	return all
}

// plain returns a key's letters and digits, small.
func plain(key string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, key)
}

// ofLine tells whether the value of a secret key may be more than one word.
func ofLine(key string) bool {
	for _, word := range words(key) {
		if strings.Contains(lineWords, " "+word+" ") {
			return true
		}
	}
	return false
}

// isPublic tells whether hexadecimal digits under the key are no secret.
func isPublic(key string) bool {
	p := plain(key)
	last := plain(key[strings.LastIndexByte(key, '.')+1:])
	return p != "" && (strings.Contains(publicKeys, " "+p+" ") || last != "" && strings.Contains(publicKeys, " "+last+" "))
}

// key is what stands before a = or a colon.
type key struct {
	name  string
	quote string // behind it, with the backslashes before the quote; "]" may stand behind that
	end   int    // behind it and its quote
	query bool   // it stands behind ? or &
}

func (k *key) isQuoted() bool { return k.quote != "" && isQuote(k.quote[len(k.quote)-1]) }

// keyBefore returns the key that ends right before at, spaces and closing quotes passed over.
func keyBefore(text []byte, at int) key {
	end := at
	for n := blankBefore(text, end); n > 0 && at-end < 32; n = blankBefore(text, end) {
		end -= n
	}
	if end > 0 && text[end-1] == ']' { // cfg["password"] = ...
		end--
	}
	word := end
	if word > 0 && isQuote(text[word-1]) {
		word = beforeBackslashes(text, word-1, max(0, word-maxLevel))
	}
	start := nameStart(text, word, text[word:end])
	k := key{name: string(text[start:word]), quote: string(text[word:end]), end: end}
	k.query = start > 0 && (text[start-1] == '?' || text[start-1] == '&')
	return k
}

// nameStart returns where the name of a key begins that ends at end: behind its opening quote, where it has one on its
// line, else with the first of its letters.
func nameStart(text []byte, end int, quote []byte) int {
	before := text[max(0, end-maxKey):end]
	if n := bytes.LastIndexByte(before, '\n'); n >= 0 {
		before = before[n+1:]
	}
	if len(quote) > 0 && quote[len(quote)-1] != ']' {
		if n := bytes.LastIndex(before, quote); n >= 0 {
			return end - len(before) + n + len(quote)
		}
	}
	start := end
	for start > 0 && end-start < len(before) && isKeyByte(text[start-1]) {
		start--
	}
	return skipEscape(text, start, end)
}

func isQuote(c byte) bool { return c == '"' || c == '\'' || c == '`' }

func isKeyByte(c byte) bool { return isWord(c) || c == '-' || c == '.' || c == '$' || c >= 0x80 }

// isWord tells letters, digits and _.
func isWord(c byte) bool { return isAlnum(c) || c == '_' }

func isAlnum(c byte) bool { return isDigit(c) || isLower(c) || isUpper(c) }
func isDigit(c byte) bool { return '0' <= c && c <= '9' }
func isLower(c byte) bool { return 'a' <= c && c <= 'z' }
func isUpper(c byte) bool { return 'A' <= c && c <= 'Z' }
func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }
