package cli

import (
	"strings"
	"testing"
)

// A bundle of a real death, by the whole machinery, is read like those that the other tests make up.
func TestShowOfARealDeath(t *testing.T) {
	dir := t.TempDir()
	if got := run("crash", "--dir", dir, "test", "goroutine"); got.status != statusOK {
		t.Fatalf("%+v", got)
	}
	shown := run("crash", "--dir", dir, "show")
	for _, want := range []string{"goroutine panic: ", "where     vitrine/crash/provoke.", "end       status 2", "before    never", "\ngoroutine ", " goroutines in "} {
		if shown.status != statusOK || !strings.Contains(shown.out, want) {
			t.Errorf("status %d, show does not say %q:\n%s%s", shown.status, want, shown.out, shown.err)
		}
	}
	fits(t, shown.out)
	if listed := run("crash", "--dir", dir); strings.Count(listed.out, "\n") != 2 || !strings.Contains(listed.out, "provoke.") {
		t.Errorf("list:\n%s%s", listed.out, listed.err)
	}
}
