package netserver_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"syscall"
	"testing"

	"vitrine/core/engine"
	"vitrine/core/frame"
	"vitrine/core/packet"
	"vitrine/servers/netserver"
)

func classic(t testing.TB, of func(frame.ClassicConfig) (frame.Codec, error)) frame.Codec {
	t.Helper()
	codec, err := of(frame.ClassicConfig{})
	if err != nil {
		t.Fatal(err)
	}
	return codec
}

func TestDialEchoesInOrder(t *testing.T) {
	sealedServer, sealedClient := sealed(t)
	a, b := classic(t, frame.ClassicA), classic(t, frame.ClassicB)
	for name, codecs := range map[string][2]frame.Codec{
		"sealed": {sealedServer, sealedClient}, "classic a": {a, a}, "classic b": {b, b},
	} {
		t.Run(name, func(t *testing.T) {
			srv := listen(t, netserver.Config{Codec: codecs[0]}, handler{recv: echo})
			const packets = 2000
			done, joined, next := make(chan bool), make(chan netserver.ID, 1), uint32(0)
			left := make(chan netserver.Reason, 1)
			c, err := netserver.Dial(t.Context(), netserver.Config{Addr: srv.Addr(), Codec: codecs[1]}, handler{
				join: func(s *netserver.Session) { joined <- s.ID() },
				recv: func(_ *netserver.Session, in *packet.Reader) {
					if got := in.U32(); got != next {
						t.Errorf("got %d, want %d", got, next)
					}
					if next++; next == packets {
						close(done)
					}
				},
				leave: func(s *netserver.Session, reason netserver.Reason) {
					if s.Unsent() != 0 || s.Written() != packets {
						t.Errorf("written %d, unsent %d, want all %d written", s.Written(), s.Unsent(), packets)
					}
					left <- reason
				},
			})
			if err != nil {
				t.Fatal(err)
			}
			if id := receive(t, joined, "join"); id != c.ID() {
				t.Errorf("joined as %v, client is %v", id, c.ID())
			}
			for i := range uint32(packets) {
				for c.Send(c.NewPacket().U32(i)) != nil { // its queue is full
				}
			}
			receive(t, done, "last echo")
			within(t, c.Close)
			within(t, c.Close)
			if reason := receive(t, left, "leave"); reason != engine.ServerStopping {
				t.Errorf("left with %v, want server_stopping", reason)
			}
			receive(t, c.Done(), "end of Done")
			if err := c.Send(c.NewPacket().U8(1)); !errors.Is(err, engine.ErrNoSession) {
				t.Errorf("send after Close: %v, want ErrNoSession", err)
			}
			within(t, srv.Stop)
			if got := srv.Status().Reasons; got["peer_closed"] != 1 || len(got) != 1 {
				t.Errorf("server's reasons %v, want one peer_closed", got)
			}
		})
	}
}

func TestCloseDrains(t *testing.T) {
	server, client := sealed(t)
	got := 0
	srv := listen(t, netserver.Config{Codec: server}, handler{recv: func(*netserver.Session, *packet.Reader) { got++ }})
	c, err := netserver.Dial(t.Context(), netserver.Config{Addr: srv.Addr(), Codec: client}, handler{})
	if err != nil {
		t.Fatal(err)
	}
	sent := 0
	for range 1000 {
		if c.Send(c.NewPacket().Bytes(make([]byte, 200))) == nil {
			sent++
		}
	}
	within(t, c.Close)
	within(t, srv.Stop)
	if got != sent || sent == 0 {
		t.Errorf("server got %d packets, want %d", got, sent)
	}
}

func TestDialWithTheWrongKey(t *testing.T) {
	server, _ := sealed(t)
	_, stranger := sealed(t)
	left := make(chan netserver.Reason, 1)
	srv := listen(t, netserver.Config{Codec: server, Observer: engine.Observer{
		SessionClosed: func(_ *netserver.Session, reason netserver.Reason) { left <- reason },
	}}, handler{})
	_, err := netserver.Dial(t.Context(), netserver.Config{Addr: srv.Addr(), Codec: stranger}, handler{
		join: func(*netserver.Session) { t.Error("joined") },
	})
	if err == nil || !strings.Contains(err.Error(), "another key") {
		t.Errorf("got %v, want an error that speaks of the key", err)
	}
	if reason := receive(t, left, "end of the server's session"); reason != engine.HandshakeFailed {
		t.Errorf("server's reason %v, want handshake_failed", reason)
	}
}

func TestDialErrors(t *testing.T) {
	_, client := sealed(t)
	nobody, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gone := nobody.Addr().String()
	nobody.Close()
	for name, test := range map[string]struct {
		cfg  netserver.Config
		h    netserver.Handler
		want string
	}{
		"no codec":     {netserver.Config{Addr: gone}, handler{}, "no codec"},
		"no handler":   {netserver.Config{Addr: gone, Codec: client}, nil, "handler is nil"},
		"no address":   {netserver.Config{Codec: client}, handler{}, "missing port"},
		"bad limits":   {netserver.Config{Addr: gone, Codec: client, QueueLimit: 3}, handler{}, "queue limit"},
		"nobody there": {netserver.Config{Addr: gone, Codec: client}, handler{}, syscall.ECONNREFUSED.Error()},
	} {
		if _, err := netserver.Dial(t.Context(), test.cfg, test.h); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, test.want)
		}
	}
}

// TestDialEndsWithItsContext connects to a server that accepts and never answers.
func TestDialEndsWithItsContext(t *testing.T) {
	_, client := sealed(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	ctx, cancel := context.WithCancel(t.Context())
	closed := make(chan error, 1)
	go func() { // ends when the client has closed
		conn, err := l.Accept()
		if err != nil {
			closed <- err
			return
		}
		defer conn.Close()
		greeting := make([]byte, 50)
		conn.Read(greeting)
		cancel()
		_, err = conn.Read(greeting)
		closed <- err
	}()
	_, err = netserver.Dial(ctx, netserver.Config{Addr: l.Addr().String(), Codec: client}, handler{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want Canceled", err)
	}
	if err := receive(t, closed, "end of the connection"); err == nil {
		t.Error("the connection was not closed")
	}
}

func TestServerGone(t *testing.T) {
	server, client := sealed(t)
	srv := listen(t, netserver.Config{Codec: server}, handler{})
	left := make(chan netserver.Reason, 1)
	c, err := netserver.Dial(t.Context(), netserver.Config{Addr: srv.Addr(), Codec: client}, handler{
		leave: func(_ *netserver.Session, reason netserver.Reason) {
			left <- reason
			panic("the client's own")
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	within(t, srv.Stop)
	if reason := receive(t, left, "leave"); reason != engine.PeerClosed {
		t.Errorf("left with %v, want peer_closed", reason)
	}
	receive(t, c.Done(), "end of Done")
	if err := c.Send(c.NewPacket().U8(1)); !errors.Is(err, engine.ErrNoSession) {
		t.Errorf("send: %v, want ErrNoSession", err)
	}
	within(t, c.Close)
}

// requests counts what optional callbacks of a wrapped handler hear.
type requests struct {
	handler
	bytes chan int
}

func (r requests) OnSend(_ *netserver.Session, bytes int) { r.bytes <- bytes }

func TestDialKeepsOptionalCallbacks(t *testing.T) {
	b := classic(t, frame.ClassicB)
	srv := listen(t, netserver.Config{Codec: b}, handler{})
	r := requests{bytes: make(chan int, 10)}
	c, err := netserver.Dial(t.Context(), netserver.Config{Addr: srv.Addr(), Codec: b}, r)
	if err != nil {
		t.Fatal(err)
	}
	c.Send(c.NewPacket().U64(1))
	if got := receive(t, r.bytes, "OnSend"); got != 13 {
		t.Errorf("OnSend of %d bytes, want 13", got)
	}
	within(t, c.Close)
}

func TestNewIsSealedByDefault(t *testing.T) {
	t.Chdir(t.TempDir())
	srv := listen(t, netserver.Config{}, handler{recv: echo})
	_, public, err := netserver.SealedFromFile(netserver.DefaultKeyFile, 0)
	if err != nil {
		t.Fatal(err)
	}
	echoed := make(chan string, 1)
	c, err := netserver.Dial(t.Context(), netserver.Config{Addr: srv.Addr(), Codec: clientOf(t, public)}, handler{
		recv: func(_ *netserver.Session, in *packet.Reader) { echoed <- string(in.Rest()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	c.Send(c.NewPacket().UTF8("hello"))
	if got := receive(t, echoed, "echo"); got != "hello" {
		t.Errorf("got %q", got)
	}
	within(t, c.Close)
}
