package cli

import (
	"strings"
	"testing"
)

func TestErrorsNameTheFlagThatWasTyped(t *testing.T) {
	inTempDir(t)
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"check", "config", "--set", "foo=1"}, "flag --set foo: unknown key"},
		{[]string{"check", "config", "--set", "chat.max_sesions=1"}, "did you mean --set chat.max_sessions?"},
		{[]string{"check", "config", "--set", "chat.workers=x"}, "flag --set chat.workers: chat.workers: want a whole number"},
		{[]string{"check", "config", "--ops-addr", "x"}, "flag --ops-addr: ops.addr: "},
		{[]string{"serve", "echo", "--max-sessions=-1"}, "flag --max-sessions: echo.lan.max_sessions: "},
		{[]string{"serve", "chat", "--addr", "x"}, "flag --addr: chat.addr: "},
	} {
		if got := run(test.args...); got.status != statusUsage || !strings.Contains(got.err, test.want) {
			t.Errorf("%v: exit status %d and %q, want %d and %q", test.args, got.status, got.err, statusUsage, test.want)
		}
	}
}

// A rule that looks at a value that is not there says nothing: the list of allowed peers is misspelt, not left out.
func TestNoMistakeFollowsFromAnother(t *testing.T) {
	inTempDir(t)
	path := write(t, "bad.toml", "[echo.lan]\naddr = \":6000\"\nallow_from = [\"ten\"]\nworkers = -1\n")
	got := run("check", "config", "--config", path)
	if got.status != statusUsage || strings.Count(got.err, "\n") != 2 || !strings.Contains(got.err, "allow_from[0]") || !strings.Contains(got.err, "workers") {
		t.Errorf("exit status %d and\n%s\nwant %d and two mistakes, of allow_from and workers", got.status, got.err, statusUsage)
	}
}
