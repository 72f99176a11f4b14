//go:build !race

// One goroutine alone works here, and the race detector makes it ten times slower.

package scrub

import (
	"strings"
	"testing"
	"time"
)

// Texts that could make a finder look at the same bytes again and again. The bound is wide for slow machines: what is
// quadratic takes minutes.
func TestHostileTextsTakeTheTimeOfOthers(t *testing.T) {
	const size = 64 << 10
	s := New(Config{Secrets: []string{"open sesame"}})
	for _, unit := range []string{
		"key=[", "\"key\":[\n", "\"key\":[\n ", "key=[\n ", "key=a[\n ", "key=a[ ", "key=a[", "key=\"", "key='", "key: ", "key: \"", "k=\"a\"", "key=[] ", "`a", "\"", "[", "{\"", "://", "://a:b", "@a", "@a(", "%40", "a@a.", "a:b@", "<key>", ">", "\\u003e", "--key ", "--key", "basic ", "bearer \\",
		"sk-", "eyJ.", "eyJ", "eyJ_", "1.", "a:", "aa:", "[1 ", "[1", "{0x1, ", "-----BEGIN PRIVATE KEY-----", "-----BEGIN ", "=", ":", " ", "\\", "\\\\\"", "A1b2", "a", "main.f(0x1)\n", "\t/a.go:1\n", "rax ", "goroutine 1 [running]:\n", "\xff", "ü", "open ", "open sesam",
	} {
		text := []byte(strings.Repeat(unit, size/len(unit)))
		start := time.Now()
		s.Bytes(text)
		s.Traceback(text)
		s.Text(string(text), 1000)
		if took := time.Since(start); took > 10*time.Second {
			t.Errorf("%q takes %v", unit, took)
		} else if took > time.Second/4 {
			t.Logf("%q takes %v", unit, took)
		}
	}
}
