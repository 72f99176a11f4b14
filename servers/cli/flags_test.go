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
