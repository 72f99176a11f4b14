package sentry

import (
	"bytes"
	"encoding/json"
	"regexp"
	"slices"
	"strings"

	sentrygo "github.com/getsentry/sentry-go"

	"vitrine/crash/scrub"
)

// The limits of texts that leave the machine.
const (
	maxReasonBytes = 1024 // of a panic's value, and of any other text
	maxTagBytes    = 200  // of a tag's value, as Sentry takes it
	maxNameBytes   = 512  // of a function, of a file
	maxCleaned     = 4096 // texts whose cleaned form is remembered
)

// masked stands for the value of a secret key.
const masked = "[scrubbed]"

// hexKeys are the keys whose values may be long hex numbers. Elsewhere those look like keys and are scrubbed.
var hexKeys = []string{"event", "trace", "trace_id", "span", "span_id", "fingerprint", "sha256", "revision"}

// bundleName is the name of a bundle's directory, which looks like a key too.
var bundleName = regexp.MustCompile(`^\d{8}T\d{6}\.\d{3}Z-\d+-[a-z]+-[0-9a-f]{1,16}(-\d+)?$`)

// cleaner takes secrets out of all that goes into one envelope. One goroutine uses it.
type cleaner struct {
	scrub *scrub.Scrubber
	seen  map[string]string // cleaned texts: files and functions come again and again
}

func newCleaner(s *scrub.Scrubber) *cleaner { return &cleaner{s, map[string]string{}} }

// text cleans a text, and cuts it.
func (x *cleaner) text(text string, limit int) string {
	if clean, ok := x.seen[text]; ok && len(clean) <= limit {
		return clean
	}
	clean := x.scrub.Text(text, limit)
	if len(x.seen) < maxCleaned && len(text) <= limit {
		x.seen[text] = clean
	}
	return clean
}

// tag cleans the value of a tag, which is one line.
func (x *cleaner) tag(text string) string {
	return x.text(strings.Join(strings.Fields(text), " "), maxTagBytes)
}

// value cleans the text that stands under a key.
func (x *cleaner) value(key, text string) string {
	switch {
	case slices.Contains(hexKeys, key) && isHex(text) && len(text) <= 64, bundleName.MatchString(text):
		return text
	case x.scrub.Secret(key):
		return masked
	}
	return x.text(text, maxReasonBytes)
}

// json cleans every text in a JSON value, keys included, and masks what stands under a secret key, whatever it is.
//
// In compact JSON a string before a colon is a key, and nothing else is.
func (x *cleaner) json(raw []byte) ([]byte, error) {
	var b bytes.Buffer
	if err := json.Compact(&b, raw); err != nil {
		return nil, err
	}
	in := b.Bytes()
	out := make([]byte, 0, len(in))
	key := ""
	for i := 0; i < len(in); {
		if in[i] != '"' {
			if in[i] != ':' {
				key = "" // of a number or a list, which has been looked at
			}
			out = append(out, in[i])
			i++
			continue
		}
		end := i + quoted(in[i:])
		text := unquote(in[i:end])
		if end == len(in) || in[end] != ':' {
			out = appendQuoted(out, x.value(key, text))
			key, i = "", end
			continue
		}
		key = text
		out = append(appendQuoted(out, x.text(key, maxReasonBytes)), ':')
		i = end + 1
		if in[i] != '"' && x.scrub.Secret(key) {
			out = appendQuoted(out, masked)
			i += valueBytes(in[i:])
		}
	}
	return out, nil
}

// quoted gives the length of the string at the front, its quotes included.
func quoted(in []byte) int {
	for i := 1; i < len(in); i++ {
		switch in[i] {
		case '\\':
			i++
		case '"':
			return i + 1
		}
	}
	return len(in)
}

// valueBytes gives the length of the value at the front. The input is valid.
func valueBytes(in []byte) int {
	var v json.RawMessage
	dec := json.NewDecoder(bytes.NewReader(in))
	if dec.Decode(&v) != nil {
		return len(in)
	}
	return int(dec.InputOffset())
}

func unquote(in []byte) string {
	if bytes.IndexByte(in, '\\') < 0 {
		return string(in[1 : len(in)-1])
	}
	var text string
	if json.Unmarshal(in, &text) != nil {
		return masked
	}
	return text
}

func appendQuoted(out []byte, text string) []byte {
	q, _ := json.Marshal(text)
	return append(out, q...)
}

// context makes a context of an event from anything with a JSON form that is an object. Empty ones are nil.
func (x *cleaner) context(v any) sentrygo.Context {
	raw, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	if raw, err = x.json(raw); err != nil {
		return nil
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var c sentrygo.Context
	if dec.Decode(&c) != nil || len(c) == 0 {
		return nil
	}
	return c
}
