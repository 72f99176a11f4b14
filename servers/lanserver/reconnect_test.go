package lanserver_test

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"vitrine/core/frame"
	"vitrine/core/packet"
	"vitrine/servers/lanserver"
)

func TestReconnectAfterServerRestart(t *testing.T) {
	codec := peerCodec(t, "restarting")
	srv := listen(t, lanserver.Config{Codec: codec}, handler{recv: echo})
	joins, leaves := make(chan lanserver.ID, 10), make(chan lanserver.Reason, 10)
	echoes := make(chan uint32, 10)
	cfg := quick(srv, codec)
	c := dial(t, cfg, handler{
		join:  func(s *lanserver.Session) { joins <- s.ID() },
		recv:  func(_ *lanserver.Session, in *packet.Reader) { echoes <- in.U32() },
		leave: func(_ *lanserver.Session, reason lanserver.Reason) { leaves <- reason },
	})
	first := receive(t, joins, "join")
	for round := range uint32(3) {
		if err := c.Send(c.NewPacket().U32(round)); err != nil {
			t.Fatal(err)
		}
		if got := receive(t, echoes, "echo"); got != round {
			t.Errorf("echo %d, want %d", got, round)
		}
		stop(t, srv)
		receive(t, leaves, "leave")
		for c.ID() != 0 { // cleared before the leave
			t.Fatal("still connected")
		}
		if err := c.Send(c.NewPacket().U32(9)); !errors.Is(err, lanserver.ErrNotConnected) {
			t.Errorf("send without a connection: %v, want ErrNotConnected", err)
		}
		if _, err := c.Call(t.Context(), c.NewPacket().U32(9)); !errors.Is(err, lanserver.ErrNotConnected) {
			t.Errorf("call without a connection: %v, want ErrNotConnected", err)
		}
		srv = listen(t, lanserver.Config{Addr: cfg.Addr, Codec: codec}, handler{recv: echo})
		if again := receive(t, joins, "join after restart"); again == first || again != c.ID() {
			t.Errorf("session %v after %v, client says %v", again, first, c.ID())
		}
	}
	if st := c.Stats(); st.Connects != 4 || st.Attempts < st.Connects || st.Lost != 0 {
		t.Errorf("stats %+v, want 4 connects and nothing lost", st)
	}
}

func TestDialFailsWhenTheFirstConnectionFails(t *testing.T) {
	srv := listen(t, lanserver.Config{}, handler{})
	cfg := quick(srv, frame.Codec{})
	stop(t, srv)
	if _, err := lanserver.Dial(t.Context(), cfg, handler{}); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v, want connection refused", err)
	}
	if _, err := lanserver.Dial(t.Context(), cfg, nil); err == nil {
		t.Error("a nil handler is accepted")
	}
	joined := make(chan bool, 1)
	cfg.Background = true
	c := dial(t, cfg, handler{join: func(*lanserver.Session) { joined <- true }})
	if err := c.Send(c.NewPacket().U8(1)); !errors.Is(err, lanserver.ErrNotConnected) {
		t.Errorf("send: %v, want ErrNotConnected", err)
	}
	listen(t, lanserver.Config{Addr: cfg.Addr}, handler{})
	receive(t, joined, "join once the server is there")
}

// silent accepts connections and says nothing until the test ends.
func silent(t *testing.T) (addr string, accepted <-chan net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conns := make(chan net.Conn, 16)
	ended := make(chan struct{})
	go func() { // ends with the listener
		defer close(ended)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
			conns <- conn
		}
	}()
	t.Cleanup(func() { l.Close(); <-ended })
	return l.Addr().String(), conns
}

func TestDialEndsWithItsContext(t *testing.T) {
	addr, accepted := silent(t)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-accepted; cancel() }()
	_, err := lanserver.Dial(ctx, lanserver.ClientConfig{Config: lanserver.Config{Addr: addr, Codec: peerCodec(t, "c")}}, handler{})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}

// TestLossIsExact has many goroutines send to a server that reads a part and resets the connection. Each packet that Send
// accepted was taken by the kernel or is reported as lost, whatever the moment.
func TestLossIsExact(t *testing.T) {
	addr, conns := silent(t)
	losses := make(chan lanserver.Lost, 100)
	var accepted atomic.Uint64
	cfg := lanserver.ClientConfig{
		Config:     lanserver.Config{Addr: addr, SendLimitBytes: 1 << 20, SendLimitPackets: 1 << 20, QueueLimit: 1 << 10},
		BackoffMin: time.Millisecond, BackoffMax: 2 * time.Millisecond, OnLost: func(l lanserver.Lost) { losses <- l },
	}
	c := dial(t, cfg, handler{})
	const rounds, senders = 8, 4
	stopSending := make(chan struct{})
	var sending sync.WaitGroup
	for range senders {
		sending.Go(func() {
			for {
				select {
				case <-stopSending:
					return
				default:
				}
				if c.Send(c.NewPacket().Bytes(make([]byte, 500))) == nil {
					accepted.Add(1)
				}
			}
		})
	}
	var lost, unknown, calls uint64
	for range rounds {
		conn := receive(t, conns, "connection")
		io.CopyN(io.Discard, conn, 300_000)
		conn.(*net.TCPConn).SetLinger(0) // a reset
		conn.Close()
		l := receive(t, losses, "loss")
		if l.Accepted != l.Written+l.Packets || l.Unknown != l.Written || l.Written < 300_000/502 {
			t.Errorf("%+v does not add up", l)
		}
		lost += l.Packets
		unknown += l.Unknown
		calls += uint64(l.Calls)
	}
	close(stopSending)
	sending.Wait()
	last := receive(t, conns, "last connection")
	go io.Copy(io.Discard, last) // ends with the connection
	hangUp(t, c)
	close(losses)
	for l := range losses {
		lost += l.Packets
		unknown += l.Unknown
	}
	if lost == 0 {
		t.Error("no reset cost a packet that waited")
	}
	st := c.Stats()
	if st.Accepted != accepted.Load() || st.Written+st.Lost != st.Accepted || st.Lost != lost || st.Unknown != unknown || calls != 0 {
		t.Errorf("stats %+v, want %d accepted, %d lost and %d unknown", st, accepted.Load(), lost, unknown)
	}
	if got := c.Status().Packets.InUse; got != 0 {
		t.Errorf("%d packets in use, want 0", got)
	}
}

// What the kernel took and a reset may have lost is told, though nothing waited any more; after an end in good order nothing
// is.
func TestResetLeavesWhatWasWrittenInDoubt(t *testing.T) {
	const packets, size = 10, 500
	for _, reset := range []bool{true, false} {
		addr, conns := silent(t)
		losses, left := make(chan lanserver.Lost, 1), make(chan lanserver.Reason, 1)
		cfg := lanserver.ClientConfig{
			Config: lanserver.Config{Addr: addr}, BackoffMin: patience, BackoffMax: patience,
			OnLost: func(l lanserver.Lost) { losses <- l },
		}
		c := dial(t, cfg, handler{leave: func(_ *lanserver.Session, reason lanserver.Reason) { left <- reason }})
		conn := receive(t, conns, "connection")
		for range packets {
			if err := c.Send(c.NewPacket().Bytes(make([]byte, size))); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := io.CopyN(io.Discard, conn, packets*(2+size)); err != nil {
			t.Fatal(err)
		}
		if reset {
			conn.(*net.TCPConn).SetLinger(0)
		}
		conn.Close()
		reason := receive(t, left, "leave")
		want := uint64(0)
		if reset {
			want = packets
			l := receive(t, losses, "report of what is in doubt")
			if l.Unknown != packets || l.Written != packets || l.Packets != 0 || l.Reason != reason {
				t.Errorf("%+v, want %d packets unknown and none lost", l, packets)
			}
		}
		hangUp(t, c)
		if st := c.Stats(); st.Unknown != want || st.Written != packets || st.Lost != 0 {
			t.Errorf("reset %v, %v: %+v, want %d unknown", reset, reason, st, want)
		}
		if len(losses) > 0 {
			t.Errorf("reset %v: %+v more is told", reset, <-losses)
		}
	}
}

// TestCloseWritesWhatWaits has nothing lost when the server is there to take it.
func TestCloseWritesWhatWaits(t *testing.T) {
	var got atomic.Uint64
	srv := listen(t, lanserver.Config{}, handler{recv: func(*lanserver.Session, *packet.Reader) { got.Add(1) }})
	cfg := quick(srv, frame.Codec{})
	cfg.OnLost = func(l lanserver.Lost) { t.Errorf("lost %+v", l) }
	c := dial(t, cfg, handler{})
	sent := uint64(0)
	for range 2000 {
		if c.Send(c.NewPacket().Bytes(make([]byte, 100))) == nil {
			sent++
		}
	}
	hangUp(t, c)
	hangUp(t, c) // again is the same
	stop(t, srv)
	if got.Load() != sent || c.Stats().Written != sent {
		t.Errorf("server got %d, client wrote %d, want %d", got.Load(), c.Stats().Written, sent)
	}
	if err := c.Send(c.NewPacket().U8(1)); !errors.Is(err, lanserver.ErrNotConnected) {
		t.Errorf("send after Close: %v, want ErrNotConnected", err)
	}
}
