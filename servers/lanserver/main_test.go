package lanserver_test

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"

	"vitrine/core/frame"
	"vitrine/core/packet"
	"vitrine/servers/lanserver"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// handler lets a test say what happens in each callback.
type handler struct {
	join  func(*lanserver.Session)
	recv  func(*lanserver.Session, *packet.Reader)
	leave func(*lanserver.Session, lanserver.Reason)
}

func (h handler) OnClientJoin(s *lanserver.Session) {
	if h.join != nil {
		h.join(s)
	}
}

func (h handler) OnRecv(s *lanserver.Session, in *packet.Reader) {
	if h.recv != nil {
		h.recv(s, in)
	}
}

func (h handler) OnClientLeave(s *lanserver.Session, reason lanserver.Reason) {
	if h.leave != nil {
		h.leave(s, reason)
	}
}

// echo answers packets with themselves and calls with an answer.
func echo(s *lanserver.Session, in *packet.Reader) {
	if lanserver.IsCall(in) {
		lanserver.Reply(s, in, s.NewPacket().Bytes(in.Rest()))
		return
	}
	s.Send(s.NewPacket().Bytes(in.Rest()))
}

func peerCodec(t testing.TB, name string) frame.Codec {
	t.Helper()
	codec, err := lanserver.PeerCodec(7, name, 0)
	if err != nil {
		t.Fatal(err)
	}
	return codec
}

// listen starts a server that the test's end stops, if nobody has.
func listen(t testing.TB, cfg lanserver.Config, h handler) *lanserver.Server {
	t.Helper()
	if cfg.Addr == "" {
		cfg.Addr = "127.0.0.1:0"
	}
	cfg.Workers = 1
	srv, err := lanserver.New(cfg, h)
	if err == nil {
		err = srv.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stop(t, srv) })
	return srv
}

func stop(t testing.TB, srv *lanserver.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := srv.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// quick is a client's configuration that does not keep a test waiting.
func quick(srv *lanserver.Server, codec frame.Codec) lanserver.ClientConfig {
	return lanserver.ClientConfig{
		Config:     lanserver.Config{Addr: srv.Addr(), Codec: codec},
		BackoffMin: time.Millisecond, BackoffMax: 5 * time.Millisecond, CallTimeout: patience, Seed: 1,
	}
}

func dial(t testing.TB, cfg lanserver.ClientConfig, h handler) *lanserver.Client {
	t.Helper()
	c, err := lanserver.Dial(t.Context(), cfg, h)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { hangUp(t, c) })
	return c
}

func hangUp(t testing.TB, c *lanserver.Client) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := c.Close(ctx); err != nil {
		t.Error(err)
	}
}

// receive waits for the next value.
func receive[T any](t testing.TB, from <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(patience):
		t.Fatalf("no %s", what)
		panic("unreachable")
	}
}
