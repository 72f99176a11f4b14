package logx

import (
	"errors"
	"log/slog"
	"net/url"
	"testing"
)

func TestRedactorTellsNoMoreThanTheLog(t *testing.T) {
	r := NewRedactor(nil)
	address := &url.URL{Scheme: "http", Host: "db", User: url.UserPassword("ann", "hunter2")}
	for _, test := range []struct {
		attr   slog.Attr
		secret bool
		want   string
	}{
		{slog.String("user.password", "hunter2"), false, "user.password=***"},
		{slog.String("name", "ann"), true, "name=***"},
		{slog.Int("n", 7), false, "n=7"},
		{slog.Any("url", address), false, "url=http://ann:xxxxx@db"},
		{slog.Any("error", errors.New("bad")), false, "error=bad"},
		{slog.Any("login", map[string]any{"name": "ann", "api-key": "hunter2"}), false, `login={"api-key":"***","name":"ann"}`},
		{slog.Group("auth", "token", "hunter2", "user", "ann"), false, "auth=[token=*** user=ann]"},
		{slog.Group("client_secret", "plain", "hunter2"), false, "client_secret=***"},
	} {
		if got := r.Attr(test.attr, test.secret).String(); got != test.want {
			t.Errorf("got %s, want %s", got, test.want)
		}
	}
}
