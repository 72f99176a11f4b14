package scrub

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

const (
	mark    = "[scrubbed]" // in place of a secret
	cutMark = "[cut]"      // at the end of a text that was cut
	spanMax = 16 << 10     // bytes of one secret that is followed over lines
)

// Config adds to what a Scrubber knows by itself. The zero value adds nothing.
type Config struct {
	Secrets  []string // values to take out wherever they stand; those under 4 bytes are ignored
	Keys     []string // more words that make a key secret, in any spelling: pin, cardNumber
	EnvAllow []string // more names of the environment that may be shown; their values are scrubbed
}

// Scrubber takes secrets out. It is fixed after New and holds no lock: any goroutine may use it. A nil one is that of
// the zero Config.
type Scrubber struct {
	secrets *strings.Replacer // nil: none
	longest int               // bytes of the longest form of a secret
	words   map[string]bool   // make a key secret as a whole word
	ends    []string          // make a key secret as its end, in small letters alone
	env     map[string]bool
}

// standard is the Scrubber of the zero Config; fixed.
var standard = New(Config{})

// New returns a Scrubber. The Config's slices are the caller's again afterwards.
func New(c Config) *Scrubber {
	s := &Scrubber{words: map[string]bool{}, env: map[string]bool{}}
	s.secrets, s.longest = replacer(c.Secrets)
	s.addKeys(c.Keys)
	for _, name := range append(strings.Fields(shownVariables), c.EnvAllow...) {
		s.env[name] = true
	}
	return s
}

func (s *Scrubber) orStandard() *Scrubber {
	if s == nil {
		return standard
	}
	return s
}

// Text returns text without its secrets, in valid UTF-8. With max above 0 it has at most max bytes; what was cut ends
// with a mark that says so. A text much longer than max is not read to its end.
func (s *Scrubber) Text(text string, max int) string {
	s = s.orStandard()
	cut := false
	if max > 0 && len(text) > 4*max+spanMax {
		text, cut = s.head(text, 4*max+spanMax), true
	}
	clean := string(s.clean([]byte(s.verbatim(text))))
	if max <= 0 || !cut && len(clean) <= max {
		return clean
	}
	return shorten(clean, max)
}

// head returns the first n bytes without the last word and without what could be the beginning of a secret.
func (s *Scrubber) head(text string, n int) string {
	text = text[:n-min(s.longest, n/2)]
	if space := strings.LastIndexAny(text, " \t\n"); space > len(text)-spanMax/2 {
		text = text[:space]
	}
	return text
}

// shorten returns at most max bytes with the mark of a cut, where there is room for it.
func shorten(text string, max int) string {
	end := ""
	if max > 2*len(cutMark) {
		end = cutMark
	}
	text = text[:min(len(text), max-len(end))]
	for len(text) > 0 {
		if r, size := utf8.DecodeLastRuneInString(text); r != utf8.RuneError || size > 1 {
			break
		}
		text = text[:len(text)-1]
	}
	return text + end
}

// Bytes returns a file's text without its secrets, in valid UTF-8. It does not change b, and may return it.
func (s *Scrubber) Bytes(b []byte) []byte {
	s = s.orStandard()
	if s.secrets != nil {
		b = []byte(s.verbatim(string(b)))
	}
	return s.clean(b)
}

// verbatim takes out the configured secrets.
func (s *Scrubber) verbatim(text string) string {
	text = strings.ToValidUTF8(text, "\uFFFD")
	if s.secrets == nil {
		return text
	}
	return s.secrets.Replace(text)
}

// finder returns the next thing to take out, at or behind at, and what comes in its place; from is -1 when there is
// none. at grows from call to call.
type finder func(s *Scrubber, in *input, at int) (from, to int, with string)

// passes are the finders in order: what is recognized by what surrounds it comes before what is recognized by itself.
func passes() []finder {
	return []finder{
		findPrivateKey, findURLUser, findUser, findPair, findTag, findFlag, findIntroduced, findToken,
		findEmail, findAddress, findBytes, findLongKey,
	}
}

// clean runs the passes over a text.
func (s *Scrubber) clean(text []byte) []byte {
	text = bytes.ToValidUTF8(text, []byte("\uFFFD"))
	var spare []byte
	ours := false // text is not the caller's
	for _, find := range passes() {
		clean := s.pass(spare, text, find)
		if clean == nil {
			continue
		}
		spare = nil
		if ours {
			spare = text[:0]
		}
		text, ours = clean, true
	}
	return text
}

// pass appends the text without what find finds; nil when it finds nothing.
func (s *Scrubber) pass(dst, text []byte, find finder) []byte {
	in := &input{text: text, nearest: -1}
	from, to, with := find(s, in, 0)
	if from < 0 {
		return nil
	}
	at := 0
	for from >= 0 {
		dst = append(append(dst, text[at:from]...), with...)
		at = to
		from, to, with = find(s, in, at)
	}
	return append(dst, text[at:]...)
}
