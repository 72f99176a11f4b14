package scrub

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// FuzzText puts a password between any two texts.
func FuzzText(f *testing.F) {
	f.Add("", "", uint64(0))
	f.Add(`{"a":"`, `","b":1}`, uint64(1))
	f.Add("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----", uint64(2))
	f.Add("key=[", "]", uint64(3))
	f.Add("https://a:", "@b/c", uint64(4))
	f.Add("goroutine 1 [running]:\nmain.f(0x1)\n\t/a.go:1\n", "\nrax 0x1\n", uint64(5))
	f.Add("<token>", "</token>", uint64(6))
	f.Add("ann@example.com 10.0.0.1 ::1 Bearer abc123def --key", "[1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16]", uint64(7))
	for _, show := range append(append([]string{}, shows...), keyed...) {
		before, after, _ := strings.Cut(strings.ReplaceAll(show, "V", "%s"), "%s")
		f.Add(before, after, uint64(8))
	}
	f.Fuzz(func(t *testing.T, before, after string, seed uint64) {
		c := newCanaries(seed)
		secret := c.text(20, alnum)
		if strings.Contains(before+after, secret) {
			t.Skip("the secret stands there too")
		}
		text := before + "\n password=" + secret + " " + after
		for _, max := range []int{0, int(seed % 200)} {
			got := (*Scrubber)(nil).Text(text, max)
			if strings.Contains(got, secret) || !utf8.ValidString(got) || max > 0 && len(got) > max {
				t.Fatalf("%d bytes of %d: %q", len(got), max, got)
			}
		}
		if got := (*Scrubber)(nil).Traceback([]byte(text)); bytes.Contains(got, []byte(secret)) || !utf8.Valid(got) {
			t.Fatalf("%q", got)
		}
		configured := New(Config{Secrets: []string{secret}})
		if got := configured.Bytes([]byte(before + secret + after)); bytes.Contains(got, []byte(secret)) {
			t.Fatalf("%q", got)
		}
	})
}

// FuzzJSON checks that what is JSON stays JSON, and that a secret value in it goes wherever it stands.
func FuzzJSON(f *testing.F) {
	f.Add(`{"msg":"password=hunter2","n":1,"token":[1,"]"],"a":{"key":{"b":"}"}}}`)
	f.Add(`{"a":"\u003c10.1.2.3\u003e","b":"-----BEGIN PRIVATE KEY-----\nAA\n-----END PRIVATE KEY-----","c":"<token>x</token>"}`)
	f.Add(`["--token","x","Bearer abc123def","https://a:b@c/","a:b@tcp(c)"]`)
	f.Fuzz(func(t *testing.T, text string) {
		var value any
		if json.Unmarshal([]byte(text), &value) != nil {
			return
		}
		const secret = "q7Zp3Xw9Lk2VbN5t"
		doc, err := json.Marshal(map[string]any{"a": value, "token": []any{secret, value}, "z": map[string]any{"password": secret}})
		if err != nil || strings.Count(string(doc), secret) != 2 {
			t.Skip("no JSON, or the secret stands there too")
		}
		got := (*Scrubber)(nil).Bytes(doc)
		if bytes.Contains(got, []byte(secret)) {
			t.Fatalf("%s\nbecame %s", doc, got)
		}
		if !json.Valid(got) && isPlain(text) {
			t.Fatalf("%s\nbecame %s", doc, got)
		}
	})
}

// isPlain tells texts without what can hide where a string ends: quotes and brackets in strings, and escapes.
func isPlain(text string) bool {
	var value any
	return !strings.ContainsAny(text, `\'<>`+"`") && json.Unmarshal([]byte(text), &value) == nil && !strings.Contains(text, "-----")
}
