package engine

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"vitrine/core/frame"
	"vitrine/core/packet"
	"vitrine/core/poller"
	"vitrine/core/simnet"
)

// newSimDialer returns a dialer on the network of a simulated server. Its handler keeps the packets that arrive.
func newSimDialer(at *sim, cfg Config) (*sim, *[][]byte) {
	at.t.Helper()
	d := &sim{t: at.t, net: at.net, addr: at.addr, ended: map[*worker]bool{}}
	d.handler = &simHandler{t: at.t, joined: map[ID]bool{}, left: map[ID]Reason{}, recv: map[ID]int{}}
	got := new([][]byte)
	d.handler.onRecv = func(_ *Session, in *packet.Reader) { *got = append(*got, bytes.Clone(in.Rest())) }
	cfg.Network, cfg.Workers = at.net, 1
	srv, err := NewDialer(cfg, d.handler)
	if err == nil {
		err = srv.prepare()
	}
	if err != nil {
		at.t.Fatal(err)
	}
	srv.state = stateRunning
	d.srv = srv
	return d, got
}

// connect begins a Connect and answers how it ended, once it has.
func (s *sim) connect() (ID, func() (error, bool)) {
	s.t.Helper()
	id, wait, err := s.srv.connect(context.Background(), s.addr)
	if err != nil {
		return 0, func() (error, bool) { return err, true }
	}
	return id, func() (error, bool) {
		select {
		case err := <-wait.done:
			return err, true
		default:
			return nil, false
		}
	}
}

// settleBoth is settle for two servers on one network.
func settleBoth(a, b *sim) {
	for range 100_000 {
		a.turn()
		b.turn()
		if next, any := a.net.Next(); any && next < time.Second {
			a.net.Step()
		} else if !a.busy() && !b.busy() {
			return
		}
	}
	a.t.Fatal("the simulation does not settle")
}

func peerCodec(t testing.TB, name string) frame.Codec {
	t.Helper()
	codec, err := frame.LAN(frame.LANConfig{Peer: &frame.PeerConfig{BootID: 1, Name: name}})
	if err != nil {
		t.Fatal(err)
	}
	return codec
}

// sealedCodecs returns the codecs of a sealed server and of a client that knows its key.
func sealedCodecs(t testing.TB, maxPayload int) (server, client frame.Codec) {
	t.Helper()
	private, err := frame.GenerateKey()
	public, err2 := frame.PublicKey(private)
	server, err3 := frame.Sealed(frame.SealedConfig{Private: private, MaxPayload: maxPayload})
	client, err4 := frame.Sealed(frame.SealedConfig{PublicKey: public, MaxPayload: maxPayload})
	if err := errors.Join(err, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	return server, client
}

var badNetwork = simnet.Config{
	MaxDelay: 3 * time.Millisecond, Segment: 40, ShortRead: 0.3, ShortWrite: 0.3, Interrupt: 0.1, Again: 0.1,
}

func TestConnectJoinsAndEchoesOverABadNetwork(t *testing.T) {
	for _, codec := range []string{"lan", "lan peer", "sealed"} {
		t.Run(codec, func(t *testing.T) {
			simnet.Seeds(t, 10, func(t *testing.T, seed uint64) {
				var server, client frame.Codec
				switch codec {
				case "lan peer":
					server, client = peerCodec(t, "server"), peerCodec(t, "client")
				case "sealed":
					server, client = sealedCodecs(t, 0)
				}
				network := badNetwork
				network.Seed = seed
				s := newSim(t, network, Config{Codec: server})
				d, got := newSimDialer(s, Config{Codec: client})
				id, result := d.connect()
				settleBoth(s, d)
				if err, done := result(); err != nil || !done {
					t.Fatalf("connect: done %v, %v", done, err)
				}
				for i := range 20 {
					if err := d.srv.SendPacket(id, d.srv.NewPacket().U64(uint64(i))); err != nil {
						t.Fatal(err)
					}
				}
				settleBoth(s, d)
				for i, b := range *got {
					if !bytes.Equal(b, []byte{byte(i), 0, 0, 0, 0, 0, 0, 0}) {
						t.Errorf("echo %d is % x", i, b)
					}
				}
				if len(*got) != 20 {
					t.Errorf("%d echoes, want 20", len(*got))
				}
				d.srv.Disconnect(id)
				settleBoth(s, d)
				d.checkEmpty()
				s.checkEmpty()
			})
		})
	}
}

// checkFailed fails unless the Connect ended with an error that test accepts and the dialer has nothing left of it.
func (s *sim) checkFailed(result func() (error, bool), want error, reason Reason) {
	s.t.Helper()
	err, done := result()
	var closed *ClosedError
	switch {
	case !done:
		s.t.Error("Connect has not ended")
	case want != nil && !errors.Is(err, want):
		s.t.Errorf("got %v, want %v", err, want)
	case want == nil && (!errors.As(err, &closed) || closed.Reason != reason):
		s.t.Errorf("got %v, want a ClosedError with %v", err, reason)
	}
	if len(s.srv.dials) != 0 {
		s.t.Errorf("%d dials are left", len(s.srv.dials))
	}
	if len(s.handler.joined) != 0 {
		s.t.Error("the session joined")
	}
	s.checkEmpty()
}

func TestConnectRefused(t *testing.T) {
	simnet.Seeds(t, 8, func(t *testing.T, seed uint64) { // refused at once or later, as the seed decides
		s := newSim(t, simnet.Config{Seed: seed, MinDelay: time.Millisecond}, Config{})
		d, _ := newSimDialer(s, Config{})
		d.addr = netip.MustParseAddrPort("127.0.0.1:1")
		open := s.net.Stats().Open
		_, result := d.connect()
		d.settle()
		d.checkFailed(result, syscall.ECONNREFUSED, 0)
		if got := s.net.Stats().Open; got != open {
			t.Errorf("%d sockets open, want %d", got, open)
		}
	})
}

// TestConnectTimesOut covers both phases that HandshakeTimeout bounds: the connection that is not made, because the accept
// queue is full, and the handshake that is not answered, because nobody accepts.
func TestConnectTimesOut(t *testing.T) {
	for name, waiting := range map[string]int{"connecting": 1, "handshake": 0} {
		t.Run(name, func(t *testing.T) {
			s := newSim(t, simnet.Config{}, Config{})
			fd, addr, err := s.net.Listen(poller.ListenConfig{Addr: "127.0.0.1:7000", Backlog: 1})
			if err != nil {
				t.Fatal(err)
			}
			for range waiting {
				if _, err := s.net.Dial(netip.AddrPort{}, addr); err != nil {
					t.Fatal(err)
				}
			}
			d, _ := newSimDialer(s, Config{Codec: peerCodec(t, "client"), HandshakeTimeout: 500 * time.Millisecond})
			d.addr = addr
			_, result := d.connect()
			d.wait(480*time.Millisecond, 10*time.Millisecond)
			if err, done := result(); done {
				t.Fatalf("ended early: %v", err)
			}
			d.wait(80*time.Millisecond, 10*time.Millisecond)
			d.checkFailed(result, nil, HandshakeTimeout)
			s.net.CloseListener(fd)
		})
	}
}

func TestConnectToPeerThatClosesDuringTheHandshake(t *testing.T) {
	for name, test := range map[string]struct {
		say    []byte
		reason Reason
	}{
		"silently":        {nil, PeerClosed},
		"in mid-frame":    {[]byte{48, 0, 1}, Truncated},
		"with garbage":    {[]byte{48, 0, 48: 1, 49: 2}, HandshakeFailed},
		"too long a word": {[]byte{0xff, 0xff}, HandshakeFailed},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSim(t, simnet.Config{}, Config{})
			fd, addr, err := s.net.Listen(poller.ListenConfig{Addr: "127.0.0.1:7000"})
			if err != nil {
				t.Fatal(err)
			}
			_, codec := sealedCodecs(t, 0)
			d, _ := newSimDialer(s, Config{Codec: codec})
			d.addr = addr
			_, result := d.connect()
			d.settle()
			peer, _ := s.net.NewPoller()
			conn, _, errno := peer.Accept(fd)
			if errno != 0 {
				t.Fatal(errno)
			}
			greeting := make([]byte, 100)
			if n, _ := peer.Read(conn, greeting); n != 50 {
				t.Errorf("greeting of %d bytes, want 50", n)
			}
			if test.say != nil {
				peer.Write(conn, test.say)
			}
			peer.Close(conn)
			d.settle()
			d.checkFailed(result, nil, test.reason)
		})
	}
}

func TestConnectWithTheWrongKey(t *testing.T) {
	server, _ := sealedCodecs(t, 0)
	_, client := sealedCodecs(t, 0)
	s := newSim(t, simnet.Config{}, Config{Codec: server})
	d, _ := newSimDialer(s, Config{Codec: client})
	_, result := d.connect()
	settleBoth(s, d)
	d.checkFailed(result, nil, PeerClosed)
	if got := s.srv.Status().Reasons["handshake_failed"]; got != 1 {
		t.Errorf("server's reasons %v, want one handshake_failed", s.srv.Status().Reasons)
	}
}

func TestConnectWhenMaxSessionsAreOpen(t *testing.T) {
	s := newSim(t, simnet.Config{}, Config{})
	d, _ := newSimDialer(s, Config{MaxSessions: 2})
	first, _ := d.connect()
	d.connect()
	settleBoth(s, d)
	open := s.net.Stats().Open
	if err, _ := second(d.connect()); !errors.Is(err, ErrFull) {
		t.Errorf("got %v, want ErrFull", err)
	}
	if got := s.net.Stats().Open; got != open {
		t.Errorf("%d sockets open, want %d", got, open)
	}
	d.srv.Disconnect(first)
	settleBoth(s, d)
	if _, result := d.connect(); result != nil {
		settleBoth(s, d)
		if err, done := result(); err != nil || !done {
			t.Errorf("after one left: done %v, %v", done, err)
		}
	}
}

func second(_ ID, result func() (error, bool)) (error, bool) { return result() }

// TestDisconnectBeforeAdoption asks for the end of a session that its worker has not seen: its command waits behind more
// than the worker takes in a turn.
func TestDisconnectBeforeAdoption(t *testing.T) {
	s := newSim(t, simnet.Config{}, Config{})
	d, _ := newSimDialer(s, Config{SendLimitPackets: 3 * commandsPerTurn})
	busy, _ := d.connect()
	settleBoth(s, d)
	for range commandsPerTurn + 100 {
		if err := d.srv.Post(busy, func(*Session) {}); err != nil {
			t.Fatal(err)
		}
	}
	id, result := d.connect()
	d.srv.Disconnect(id)
	settleBoth(s, d)
	var closed *ClosedError
	if err, done := result(); !done || !errors.As(err, &closed) || closed.Reason != Kicked {
		t.Errorf("connect: done %v, %v, want kicked", done, err)
	}
	if len(d.handler.left) != 0 {
		t.Errorf("the other session left: %v", d.handler.left)
	}
	d.srv.Disconnect(busy)
	settleBoth(s, d)
	d.checkEmpty()
}

func TestConnectWhenTheQueueIsFull(t *testing.T) {
	s := newSim(t, simnet.Config{}, Config{})
	d, _ := newSimDialer(s, Config{QueueLimit: 64})
	busy, _ := d.connect()
	settleBoth(s, d)
	open := s.net.Stats().Open
	for d.srv.Post(busy, func(*Session) {}) == nil {
	}
	if err, _ := second(d.connect()); !errors.Is(err, ErrQueueFull) {
		t.Errorf("got %v, want ErrQueueFull", err)
	}
	if got := s.net.Stats().Open; got != open || len(d.srv.dials) != 0 {
		t.Errorf("%d sockets open, want %d; %d dials left", got, open, len(d.srv.dials))
	}
	d.srv.Disconnect(busy)
	settleBoth(s, d)
	d.checkEmpty()
}

func TestConnectAndTheServersLife(t *testing.T) {
	s := newSim(t, simnet.Config{}, Config{})
	d, _ := newSimDialer(s, Config{Codec: peerCodec(t, "client")})
	d.srv.state = stateNew
	if err, _ := second(d.connect()); !errors.Is(err, ErrNotStarted) {
		t.Errorf("before Start: %v, want ErrNotStarted", err)
	}
	d.srv.state = stateRunning
	_, result := d.connect() // the server never answers the hello: it has no turn
	d.srv.state = stateStopped
	d.srv.workers[0].stop(time.Second)
	for range 3 {
		d.turn()
	}
	d.checkFailed(result, nil, ServerStopping)
	if !d.ended[d.srv.workers[0]] {
		t.Error("the worker has not ended")
	}
	if err, _ := second(d.connect()); !errors.Is(err, ErrServerClosed) {
		t.Errorf("after Stop: %v, want ErrServerClosed", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	d.srv.state = stateRunning
	if _, err := d.srv.Connect(ctx, d.addr); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that is done: %v, want context.Canceled", err)
	}
}

func TestResolve(t *testing.T) {
	for in, want := range map[string]string{"127.0.0.1:80": "127.0.0.1:80", "[::1]:80": "[::1]:80", "localhost:80": "127.0.0.1:80"} {
		got, err := Resolve(t.Context(), in)
		if err != nil || got.String() != want {
			t.Errorf("%s: got %v, %v, want %s", in, got, err, want)
		}
	}
	for _, in := range []string{"", "127.0.0.1", "127.0.0.1:x-no-such-service"} {
		if got, err := Resolve(t.Context(), in); err == nil {
			t.Errorf("%q: got %v, want an error", in, got)
		}
	}
}
