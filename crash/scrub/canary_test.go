package scrub

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/url"
	"strconv"
	"strings"
	"testing"
)

// canaries makes secrets; the same seed makes the same.
type canaries struct{ *rand.Rand }

func newCanaries(seed uint64) canaries { return canaries{rand.New(rand.NewPCG(seed, 7))} }

const (
	lowercase = "abcdefghijklmnopqrstuvwxyz"
	uppercase = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	decimal   = "0123456789"
	alnum     = lowercase + uppercase + decimal
)

func (c canaries) text(n int, alphabet string) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[c.IntN(len(alphabet))]
	}
	return string(b)
}

func (c canaries) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(c.Uint32())
	}
	return b
}

func (c canaries) pick(all ...string) string { return all[c.IntN(len(all))] }

// free are secrets that are known by themselves.
func (c canaries) free() map[string]string {
	part := func(n int) string { return base64.RawURLEncoding.EncodeToString(c.bytes(n)) }
	claims := func(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }
	return map[string]string{
		"JWT":        claims(`{"alg":"HS256","typ":"JWT"}`) + "." + claims(`{"sub":"`+c.text(5, decimal)+`"}`) + "." + part(32),
		"e-mail":     c.text(8, lowercase) + "." + c.text(4, lowercase) + "+" + c.text(2, decimal) + "@" + c.text(6, lowercase) + c.pick(".com", ".co.uk", "-x.de"),
		"IPv4":       fmt.Sprintf("%d.%d.%d.%d", 128+c.IntN(127), c.IntN(256), c.IntN(256), 1+c.IntN(255)),
		"IPv6":       fmt.Sprintf("2001:db8:%x:%x::%x", 1+c.IntN(0xfffe), 1+c.IntN(0xfffe), 1+c.IntN(0xfffe)),
		"long IPv6":  fmt.Sprintf("fe80:%x:1:2:3:4:5:%x", 1+c.IntN(0xfffe), 1+c.IntN(0xfffe)),
		"hex":        "a7" + hex.EncodeToString(c.bytes(16+c.IntN(32))),
		"HEX":        "A7" + strings.ToUpper(hex.EncodeToString(c.bytes(16+c.IntN(32)))),
		"pairs":      strings.ReplaceAll(fmt.Sprintf("% x", c.bytes(16)), " ", ":"),
		"base64":     base64.StdEncoding.EncodeToString(append([]byte{0, 0x10, 0x83}, c.bytes(30+c.IntN(30))...)),
		"base64url":  base64.RawURLEncoding.EncodeToString(append([]byte{0, 0x10, 0x83}, c.bytes(30+c.IntN(30))...)),
		"AWS":        "AKIA" + c.text(16, uppercase+decimal),
		"GitHub":     "ghp_" + c.text(35, alnum) + "7",
		"bytes":      fmt.Sprint(c.bytes(16 + c.IntN(16))),
		"Go bytes":   strings.TrimPrefix(fmt.Sprintf("%#v", c.bytes(16+c.IntN(16))), "[]byte"),
		"bearer":     c.pick("Bearer ", "bearer ", "BEARER ") + c.text(11, alnum) + "7",
		"basic":      "Basic " + base64.StdEncoding.EncodeToString([]byte("user:"+c.text(9, alnum))),
		"private":    pemBlock("RSA PRIVATE KEY", c.bytes(120)),
		"escaped":    strings.ReplaceAll(pemBlock("PRIVATE KEY", c.bytes(120)), "\n", `\n`),
		"in a URL":   "https://" + c.text(6, lowercase) + ":" + c.text(9, alnum+"!$_-") + "@db.internal:5432/x",
		"in a DSN":   c.text(6, lowercase) + ":" + c.text(9, alnum+"!$_-/?") + "@tcp(db:3306)/game",
		"in a pair":  c.text(6, lowercase) + ":" + c.text(9, alnum+"!$_-") + "@queue:5672",
		"odd in URL": "amqp://" + c.text(6, lowercase) + ":" + "x" + c.text(9, alnum+"/?#!") + "@queue:5672",
	}
}

func pemBlock(label string, key []byte) string {
	var b strings.Builder
	b.WriteString("-----BEGIN " + label + "-----\n")
	text := base64.StdEncoding.EncodeToString(key)
	for len(text) > 64 {
		b.WriteString(text[:64] + "\n")
		text = text[64:]
	}
	return b.String() + text + "\n-----END " + label + "-----"
}

// shows are the ways in which a text shows a secret that is known by itself.
var shows = []string{
	"%s", "cannot use %s here", "(%s)", "[%s]", "<%s>", "x=%s", "x: %s", "x:%s", "\"%s\"", "'%s'", "%s, and", "\t%s\n", "at %s.", "at %s: refused",
	`{"msg":"%s","n":1}`, `a\n%s`, `a\t%s\n`, "{Name:%s N:1}", "map[a:%s b:c]", "{\"v\":[\"%s\"]}", "→%s←", "(%s)\n%[1]s", "main.T{A:\"%s\"}",
}

// windows are the parts of a secret that must not be seen: an attacker can guess the rest of a longer one.
func windows(secret string) []string {
	const n = 8
	secret = strings.TrimPrefix(strings.TrimPrefix(secret, "https://"), "amqp://")
	for _, known := range []string{"@db.internal:5432/x", "@tcp(db:3306)/game", "@queue:5672"} {
		if rest, ok := strings.CutSuffix(secret, known); ok {
			_, password, _ := strings.Cut(rest, ":")
			return []string{password}
		}
	}
	if len(secret) < 2*n || strings.ContainsAny(secret, " -") || strings.Count(secret, ".") == 3 {
		return []string{secret}
	}
	var all []string
	for i := 0; i+n <= len(secret); i++ {
		all = append(all, secret[i:i+n])
	}
	return all
}

// sees tells which part of a secret is in a text.
func sees(text, secret string) string {
	for _, part := range windows(secret) {
		if strings.Contains(text, part) {
			return part
		}
	}
	return ""
}

func TestCanariesThatAreKnownByThemselves(t *testing.T) {
	for seed := range uint64(6) {
		for kind, secret := range newCanaries(seed).free() {
			for _, show := range shows {
				checkAll(t, fmt.Sprintf("seed %d: %s", seed, kind), nil, fmt.Sprintf(show, secret), secret)
			}
		}
	}
}

// checkAll checks that no function lets a secret through.
func checkAll(t *testing.T, name string, s *Scrubber, text, secret string) {
	t.Helper()
	crash := "panic: " + strings.ReplaceAll(text, "\n", "\n\t") + "\n\ngoroutine 1 [running labels:{\"note\": " + strconv.Quote(text) + "}]:\n" +
		"main.f({0xc000012345, 0x7})\n\t/srv/game/main.go:7 +0x1b\n\n"
	shown := map[string]string{
		"Text":      s.Text(text, 0),
		"cut":       s.Text(text, 40),
		"Bytes":     string(s.Bytes([]byte("2026-11-22 INFO hello\n" + text + "\n2026-11-22 INFO bye\n"))),
		"Traceback": string(s.Traceback([]byte(crash))),
		"JSON":      string(s.Bytes([]byte(`{"a":` + inJSON(text) + `,"b":{"c":` + inJSON(`{"d":`+inJSON(text)+`}`) + `}}`))),
		"Labels":    fmt.Sprint(s.Labels(map[string]string{"note": text})),
		"Env":       fmt.Sprint(s.Env([]string{"VITRINE_NOTE=" + text, "HOME=" + text})),
		"Args":      fmt.Sprint(s.Args([]string{"serve", text})),
	}
	for function, got := range shown {
		if part := sees(got, secret); part != "" {
			t.Errorf("%s: %s shows %q of %q in\n%s\nthat was\n%s", name, function, part, secret, got, text)
		}
	}
	if !strings.Contains(shown["Traceback"], "\nmain.f(...)\n\t/srv/game/main.go:7 +0x1b\n") {
		t.Errorf("%s: the stack is lost:\n%s", name, shown["Traceback"])
	}
}

// keyed are the ways in which a text shows the value of a key; K is the key, V the value.
var keyed = []string{
	"K=V", "K = V", "K: V", "K:V", "K  :  V", "a K=V b", "K=V, x=y", "K=V; x=y", "(K=V)", "{K:V N:1}", "{N:1 K:V}", "map[K:V a:b]", "&{K:V}",
	`K="V"`, `K: "V"`, `K='V'`, "K=`V`", `main.T{K:"V", N:1}`, `{"K":"V"}`, `{"K": "V", "n": 1}`, `{"n":1,"K":"V"}`, `"{\"K\":\"V\",\"n\":1}"`, `"{\"n\":\"{\\\"K\\\":\\\"V\\\"}\"}"`,
	`{"K":["V","b"]}`, "{\n  \"K\": [\n    \"a\",\n    \"V\"\n  ]\n}", `{"K":{"x":"V"}}`, `map[K:[V] a:[b]]`, `K:[]string{"a", "V"}`, `cfg["K"] = "V"`, `'K' => 'V'`, "K := V", "K := \"V\"",
	"?a=1&K=V&b=2", "?K=V#x", "https://host/path?K=V&b=2", "https://host/path?b=2&K=V", "--K V", "--K=V", "-K V", `["--K" "V"]`, `["--K","V"]`, `[serve --K V --x]`,
	"<K>V</K>", `<x K="V"/>`, "export K=V", "\tK: V", "K: V\nnext: line", "K\t=\tV", "panic: bad K=V", `{"msg":"bad K=V","n":1}`, `{"msg":"K: V","n":1}`, "error: K=V: refused", "x-K: V", "x_K=V", "x.K=V",
	`K=\"V\"`, `msg="K=V"`, `msg="K='V'"`, "K=V\r\nx=y", "K=(V)", "K=main.word(\"V\")", "K:0x1 K:V",
}

// secretKeys are keys of many spellings.
var secretKeys = []string{"password", "PASSWORD", "DB_PASS", "dbPassword", "token", "accessToken", "api-key", "API_KEY", "apiKey", "key", "client_secret", "private_key", "auth",
	"credential", "cookie", "dsn", "Authorization", "passwd", "PIN", "card-number"}

func TestCanariesBehindSecretKeys(t *testing.T) {
	s := New(Config{Keys: []string{"pin", "cardNumber"}})
	for seed := range uint64(2) {
		c := newCanaries(seed)
		for _, key := range secretKeys {
			for _, shape := range keyed {
				secret := c.text(1, alnum) + c.text(9+c.IntN(8), alnum+"!$%^*-_+~./@:") + c.text(1, alnum)
				if strings.Contains(shape, "?") {
					secret = url.QueryEscape(secret)
				}
				text := strings.ReplaceAll(strings.ReplaceAll(shape, "K", key), "V", secret)
				checkAll(t, fmt.Sprintf("seed %d: %s", seed, shape), s, text, secret)
			}
		}
	}
}

// A value between quotes may hold anything but the quote, and that too behind a backslash.
func TestQuotedCanariesWithSpacesAndBrackets(t *testing.T) {
	for seed := range uint64(20) {
		c := newCanaries(seed)
		secret := c.text(2, alnum) + c.text(20, alnum+` {}[](),;:&=<>'`) + c.text(2, alnum) + `\"` + c.text(12, alnum)
		for _, shape := range []string{`K="V"`, `{"K":"V"}`, `{"K": "V", "n": 1}`, `main.T{K:"V", N:1}`, `{"n":{"K":"V"}}`} {
			text := strings.ReplaceAll(strings.ReplaceAll(shape, "K", "password"), "V", secret)
			checkAll(t, fmt.Sprintf("seed %d: %s", seed, shape), nil, text, secret)
		}
	}
}

func TestConfiguredCanariesInEveryForm(t *testing.T) {
	for seed := range uint64(20) {
		c := newCanaries(seed)
		secret := c.text(4+c.IntN(4), lowercase) + c.pick("", " ", "\n", "\"", "ü", "<&>", "/+=", "\\", "\t\x01") + c.text(4+c.IntN(30), lowercase)
		s := New(Config{Secrets: []string{secret, "abc", "", c.text(6, lowercase)}})
		b := []byte(secret)
		indented, _ := json.MarshalIndent(map[string]string{"a": secret}, "", "  ")
		for form, text := range map[string]string{
			"plain": secret, "%q": strconv.Quote(secret), "%+q": strconv.QuoteToASCII(secret), "JSON": string(indented), "JSON in JSON": inJSON(inJSON(secret)),
			"query": url.QueryEscape(secret), "path": url.PathEscape(secret), "base64": base64.StdEncoding.EncodeToString(b), "base64url": base64.URLEncoding.EncodeToString(b),
			"%x": hex.EncodeToString(b), "%X": fmt.Sprintf("%X", b), "% x": fmt.Sprintf("% x", b), "%v": fmt.Sprint(b), "%#v": fmt.Sprintf("%#v", b),
		} {
			for _, show := range []string{"%s", "a%sb", "x %s y", "/srv/%s/main.go", "\"%s\": 1"} {
				text := fmt.Sprintf(show, text)
				for function, got := range map[string]string{
					"Text": s.Text(text, 0), "cut": s.Text(text+strings.Repeat(" x", 10), 10), "Bytes": string(s.Bytes([]byte(text))),
					"Traceback": string(s.Traceback([]byte("main.f()\n\t" + text + ":7 +0x1\n"))), "Labels": fmt.Sprint(s.Labels(map[string]string{text: text})), "Env": fmt.Sprint(s.Env([]string{"TZ=" + text})),
				} {
					if part := secretForm(got, secret); part != "" {
						t.Errorf("seed %d, %s: %s shows %q in %q that was %q", seed, form, function, part, got, text)
					}
				}
			}
		}
	}
}

// secretForm tells which form of a secret is in a text, and whether two halves of it are.
func secretForm(text, secret string) string {
	for _, form := range append(forms(secret), secret[:len(secret)*3/4]) {
		if form != "" && strings.Contains(text, form) {
			return form
		}
	}
	return ""
}

func TestSecretFlagsAmongArguments(t *testing.T) {
	got := (*Scrubber)(nil).Args([]string{"vitrine", "serve", "--auth-token", "hunter2", "--port", "7001", "--key=abc", "-password", "", "--secret", "--for", "1m", "--dsn", "a:b@tcp(db)/x"})
	want := "[vitrine serve --auth-token [scrubbed] --port 7001 --key=[scrubbed] -password  --secret --for 1m --dsn [scrubbed]]"
	if fmt.Sprint(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}
