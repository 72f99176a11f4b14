package echo_test

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"vitrine/core/engine"
	"vitrine/servers/demo/echo"
)

func TestGreetingComesFirstAndOnlyWhenAsked(t *testing.T) {
	for _, test := range []struct {
		greeting bool
		want     string
	}{
		{true, "\x08\x00\xff\xff\xff\xff\xff\xff\xff\x7f" + "\x02\x00hi"},
		{false, "\x02\x00hi"},
	} {
		srv, err := engine.New(engine.Config{Addr: "127.0.0.1:0"}, echo.New(echo.Config{Greeting: test.greeting}))
		if err != nil {
			t.Fatal(err)
		}
		if err := srv.Start(); err != nil {
			t.Fatal(err)
		}
		conn, err := net.Dial("tcp", srv.Addr())
		if err != nil {
			t.Fatal(err)
		}
		conn.SetDeadline(time.Now().Add(20 * time.Second))
		conn.Write([]byte("\x02\x00hi"))
		got := make([]byte, len(test.want))
		if _, err := io.ReadFull(conn, got); err != nil || string(got) != test.want {
			t.Errorf("greeting %v: got %q, %v, want %q", test.greeting, got, err, test.want)
		}
		conn.Close()
		srv.Stop(context.Background())
	}
}
