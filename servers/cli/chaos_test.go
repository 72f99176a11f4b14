package cli

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"vitrine/servers/demo/echo"
)

func TestChaosPanicTellsTheAnswer(t *testing.T) {
	for _, test := range []struct {
		name, body string
		code       int
		status     int
		want       string
	}{
		{"ordered", "{}", http.StatusAccepted, statusOK, "chat panics at join"},
		{"refused", `{"error":"no such seam"}`, http.StatusBadRequest, statusFailed, "no such seam"},
		{"switched off", "404 page not found", http.StatusNotFound, statusFailed, "ops.chaos=true"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var asked string
			stack := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked = r.Method + " " + r.URL.String() + " " + r.Header.Get("Vitrine-Chaos")
				w.WriteHeader(test.code)
				w.Write([]byte(test.body))
			}))
			defer stack.Close()
			got := run("chaos", "panic", "--ops-addr", stack.Listener.Addr().String(), "--server", "chat", "--seam", "join")
			if got.status != test.status || !strings.Contains(got.out+got.err, test.want) {
				t.Errorf("status %d, %s%s; want %d, %q", got.status, got.out, got.err, test.status, test.want)
			}
			if want := "POST /chaos/panic?seam=join&server=chat yes"; asked != want {
				t.Errorf("asked %q, want %q", asked, want)
			}
		})
	}
}

func TestChaosPanicNeedsAStack(t *testing.T) {
	stack := httptest.NewServer(http.NotFoundHandler())
	addr := stack.Listener.Addr().String()
	stack.Close()
	if got := run("chaos", "panic", "--ops-addr", addr); got.status != statusFailed || !strings.Contains(got.err, addr) {
		t.Errorf("status %d, %s", got.status, got.err)
	}
}

func TestSaboteurNamesEverySeam(t *testing.T) {
	s := newSaboteur("echo", echo.New(echo.Config{}))
	err := s.trip("nose")
	for _, seam := range []string{"request", "join", "recv", "send", "leave", "worker-begin", "worker-end", "post", "timer", "go", "goroutine"} {
		if err == nil || !strings.Contains(err.Error(), seam) {
			t.Errorf("%v does not name %s", err, seam)
		}
	}
	if err := s.trip("recv"); err != nil {
		t.Error(err)
	}
}
