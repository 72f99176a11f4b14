package simnet_test

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"vitrine/core/poller"
	"vitrine/core/simnet"
)

// session dials and takes the server's end.
func session(t *testing.T, config simnet.Config) (*echo, *simnet.Conn, int) {
	t.Helper()
	s := newEcho(t, config, poller.ListenConfig{})
	c := s.dial()
	for s.net.Step() {
	}
	fd, _, errno := s.poller.Accept(s.listener)
	if errno != 0 {
		t.Fatal(errno)
	}
	return s, c, fd
}

func TestNothingArrivesBeforeItsTime(t *testing.T) {
	s, c, fd := session(t, simnet.Config{MinDelay: 10 * time.Millisecond})
	c.Write([]byte("x"))
	if next, ok := s.net.Next(); !ok || next != 10*time.Millisecond {
		t.Errorf("next arrival in %v, %v, want 10ms", next, ok)
	}
	b := make([]byte, 8)
	s.net.Advance(10*time.Millisecond - 1)
	if _, errno := s.poller.Read(fd, b); errno != syscall.EAGAIN {
		t.Errorf("read: %v, want EAGAIN", errno)
	}
	before := s.net.Now()
	s.net.Advance(1)
	if n, errno := s.poller.Read(fd, b); n != 1 || errno != 0 || s.net.Now() != before+1 {
		t.Errorf("read %d, %v at %d", n, errno, s.net.Now()-before)
	}
}

func TestClockBeginsAtOneSecond(t *testing.T) {
	n := simnet.New(simnet.Config{})
	if n.Step() || n.Now() != int64(time.Second) {
		t.Errorf("clock at %d with nothing to happen", n.Now())
	}
	n.Advance(-time.Hour)
	if n.Now() != int64(time.Second) {
		t.Errorf("clock went back to %d", n.Now())
	}
}

func TestBytesStayInOrderWhateverTheDelays(t *testing.T) {
	simnet.Seeds(t, 20, func(t *testing.T, seed uint64) {
		s, c, fd := session(t, simnet.Config{Seed: seed, MaxDelay: time.Second, Segment: 3})
		for _, b := range pattern(300) {
			c.Write([]byte{b})
			s.net.Advance(time.Duration(b) * time.Millisecond)
		}
		c.CloseWrite()
		for s.net.Step() {
		}
		b := make([]byte, 512)
		n, errno := s.poller.Read(fd, b)
		if errno != 0 || string(b[:n]) != string(pattern(300)) {
			t.Errorf("read %d bytes, %v, not in order", n, errno)
		}
	})
}

// Something sent at the very time at which an earlier thing is due, and has
// not happened yet, must not pass it.
func TestBytesStayInOrderWithinOneInstant(t *testing.T) {
	simnet.Seeds(t, 20, func(t *testing.T, seed uint64) {
		s, c, fd := session(t, simnet.Config{Seed: seed, MaxDelay: 1})
		for i, b := range pattern(300) {
			c.Write([]byte{b})
			if i%3 == 0 {
				s.net.Step()
			}
		}
		for s.net.Step() {
		}
		b := make([]byte, 512)
		if n, errno := s.poller.Read(fd, b); errno != 0 || string(b[:n]) != string(pattern(300)) {
			t.Errorf("read %d bytes, %v, not in order", n, errno)
		}
	})
}

func TestConnectTakesARoundTrip(t *testing.T) {
	s := newEcho(t, simnet.Config{MinDelay: 10 * time.Millisecond}, poller.ListenConfig{})
	fd, err := s.net.Connect(s.addr, "", false)
	if err != nil {
		t.Fatal(err)
	}
	s.poller.Add(fd, 2)
	events := make([]poller.Event, 4)
	for _, want := range []string{"[]", "[{0 readable}]", "[{0 readable} {2 writable}]"} {
		n, _ := s.poller.Wait(events, 0)
		if got := fmt.Sprint(events[:n]); got != want {
			t.Errorf("reported %v, want %v", got, want)
		}
		s.net.Advance(10 * time.Millisecond)
	}
}

func TestRequestComesBeforeWhatFollowsIt(t *testing.T) {
	simnet.Seeds(t, 20, func(t *testing.T, seed uint64) {
		s := newEcho(t, simnet.Config{Seed: seed, MaxDelay: time.Second}, poller.ListenConfig{})
		c := s.dial()
		c.Write([]byte("before the answer"))
		c.Close()
		for s.net.Step() {
		}
		fd, _, errno := s.poller.Accept(s.listener)
		if errno != 0 {
			t.Fatal(errno)
		}
		b := make([]byte, 64)
		if n, errno := s.poller.Read(fd, b); string(b[:n]) != "before the answer" {
			t.Errorf("read %q, %v", b[:n], errno)
		}
		if n, errno := s.poller.Read(fd, b); n != 0 || errno != 0 {
			t.Errorf("read %d, %v, want the end of the stream", n, errno)
		}
	})
}

func TestClientThatDoesNotReadFillsTheWindow(t *testing.T) {
	const window = 900
	s, c, fd := session(t, simnet.Config{Window: window})
	s.poller.Add(fd, 1)
	s.poller.Wait(make([]poller.Event, 4), 0)
	c.SetReading(false)
	if n, errno := s.poller.Write(fd, pattern(2*window)); n != window || errno != 0 {
		t.Fatalf("wrote %d, %v, want %d", n, errno, window)
	}
	if _, errno := s.poller.Write(fd, pattern(1)); errno != syscall.EAGAIN {
		t.Errorf("write: %v, want EAGAIN", errno)
	}
	if got := c.Read(); got != nil || s.net.Ready() {
		t.Errorf("client read %d bytes, ready %v", len(got), s.net.Ready())
	}
	c.SetReading(true)
	if got := c.Read(); len(got) != window || !s.net.Ready() {
		t.Errorf("client read %d bytes, ready %v", len(got), s.net.Ready())
	}
}

// TestWritableComesAtAThird pins when the edge comes: not for a little room.
func TestWritableComesAtAThird(t *testing.T) {
	const window = 900
	s, c, fd := session(t, simnet.Config{Window: window})
	events, b := make([]poller.Event, 4), make([]byte, window)
	s.poller.Add(fd, 1)
	s.poller.Wait(events, 0)
	if n := c.Write(pattern(2 * window)); n != window {
		t.Fatalf("client wrote %d, want %d", n, window)
	}
	s.poller.Wait(events, 0)
	peer := connectedPeer(t, s)
	s.poller.Write(peer.near, pattern(2*window))
	for _, c := range []struct {
		read   int
		events int
	}{{window/3 - 1, 0}, {1, 1}, {window / 3, 0}} {
		s.poller.Read(peer.far, b[:c.read])
		if n, _ := s.poller.Wait(events, 0); n != c.events {
			t.Errorf("after %d more bytes were read %d events, want %d", c.read, n, c.events)
		}
	}
}

type peers struct{ near, far int }

// connectedPeer is a connection with both ends on descriptors, the near one
// watched as 2 with its first edge taken.
func connectedPeer(t *testing.T, s *echo) peers {
	t.Helper()
	near, err := s.net.Connect(s.addr, "", false)
	if err != nil {
		t.Fatal(err)
	}
	far, _, errno := s.poller.Accept(s.listener)
	if errno != 0 {
		t.Fatal(errno)
	}
	s.poller.Add(near, 2)
	s.poller.Wait(make([]poller.Event, 4), 0)
	return peers{near, far}
}

// A Wait that found the buffer too full to report promises the edge, although
// no Write was ever cut short.
func TestWaitThatFindsNoRoomPromisesTheEdge(t *testing.T) {
	const window = 900
	s := newEcho(t, simnet.Config{Window: window}, poller.ListenConfig{})
	p := connectedPeer(t, s)
	events := make([]poller.Event, 4)
	s.poller.Write(p.near, pattern(window-100))
	s.poller.Write(p.far, pattern(1))
	if n, _ := s.poller.Wait(events, 0); n != 1 || events[0].Ready != readable {
		t.Fatalf("reported %v, want readable", events[:n])
	}
	s.poller.Read(p.far, make([]byte, window))
	if n, _ := s.poller.Wait(events, 0); n != 1 || events[0].Ready&writable == 0 {
		t.Errorf("reported %v, want writable", events[:n])
	}
}

func TestHowAConnectionEnds(t *testing.T) {
	for _, c := range []struct {
		name  string
		act   func(*echo, *simnet.Conn, int)
		errno syscall.Errno // of the server's read
		err   error         // of the client
	}{
		{"nothing", func(*echo, *simnet.Conn, int) {}, syscall.EAGAIN, nil},
		{"client closes", func(_ *echo, c *simnet.Conn, _ int) { c.Close() }, 0, nil},
		{"client closes its side", func(_ *echo, c *simnet.Conn, _ int) { c.CloseWrite() }, 0, nil},
		{"client resets", func(_ *echo, c *simnet.Conn, _ int) { c.Reset() }, syscall.ECONNRESET, nil},
		{"client closes over unread bytes", func(s *echo, c *simnet.Conn, fd int) {
			c.SetReading(false)
			s.poller.Write(fd, []byte("x"))
			c.Close()
		}, syscall.ECONNRESET, nil},
		{"server closes", func(s *echo, _ *simnet.Conn, fd int) { s.poller.Close(fd) }, syscall.EBADF, io.EOF},
		{"server ends its side", func(s *echo, _ *simnet.Conn, fd int) { s.poller.Shutdown(fd) }, syscall.EAGAIN, io.EOF},
		{"server closes over unread bytes", func(s *echo, c *simnet.Conn, fd int) {
			c.Write([]byte("x"))
			s.poller.Close(fd)
		}, syscall.EBADF, syscall.ECONNRESET},
		{"client writes to a closed server", func(s *echo, c *simnet.Conn, fd int) {
			s.poller.Close(fd)
			c.Write([]byte("x"))
		}, syscall.EBADF, io.EOF},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, client, fd := session(t, simnet.Config{})
			c.act(s, client, fd)
			if _, errno := s.poller.Read(fd, make([]byte, 8)); errno != c.errno {
				t.Errorf("server reads %v, want %v", errno, c.errno)
			}
			if err := client.Err(); !errors.Is(err, c.err) || client.Closed() != (c.err != nil) {
				t.Errorf("client ended with %v, want %v", err, c.err)
			}
		})
	}
}

func TestWriteAfterTheEndTakesNothing(t *testing.T) {
	_, c, _ := session(t, simnet.Config{})
	c.Close()
	c.Close()
	if n := c.Write([]byte("x")); n != 0 {
		t.Errorf("wrote %d bytes after close", n)
	}
}

func TestFullAcceptQueueIsTriedAgain(t *testing.T) {
	s := newEcho(t, simnet.Config{}, poller.ListenConfig{Backlog: 1})
	s.dial()
	second := s.dial()
	second.Write([]byte("x"))
	third := s.dial()
	if got := s.net.Stats().Dropped; got != 2 {
		t.Errorf("%d requests dropped, want 2", got)
	}
	first, _, errno := s.poller.Accept(s.listener)
	if errno != 0 {
		t.Fatal(errno)
	}
	defer s.poller.Close(first)
	s.net.Advance(time.Second)
	fd, _, errno := s.poller.Accept(s.listener)
	if errno != 0 {
		t.Fatal(errno)
	}
	if n, errno := s.poller.Read(fd, make([]byte, 8)); n != 1 || errno != 0 {
		t.Errorf("read %d, %v, want the byte sent behind the request", n, errno)
	}
	s.dial() // Takes the queue's only place, for good.
	s.net.Advance(61 * time.Second)
	if third.Closed() {
		t.Error("gave up early")
	}
	s.net.Advance(2 * time.Second)
	if err := third.Err(); err != syscall.ETIMEDOUT {
		t.Errorf("client ended with %v, want ETIMEDOUT", err)
	}
}

func TestRequestToAListenerClosedMeanwhileIsRefused(t *testing.T) {
	s := newEcho(t, simnet.Config{MinDelay: time.Millisecond}, poller.ListenConfig{})
	c := s.dial()
	s.net.CloseListener(s.listener)
	s.settle()
	if err := c.Err(); err != syscall.ECONNREFUSED {
		t.Errorf("client ended with %v, want ECONNREFUSED", err)
	}
	if _, err := s.net.Dial(netip.AddrPort{}, s.addr); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial: %v, want ECONNREFUSED", err)
	}
}

func TestAddressesAreMatchedAsTheKernelDoes(t *testing.T) {
	local := netip.MustParseAddrPort("203.0.113.9:1234")
	for _, c := range []struct {
		listen, dial string
		ok           bool
	}{
		{"127.0.0.1:80", "127.0.0.1:80", true},
		{"127.0.0.1:80", "127.0.0.1:81", false},
		{"127.0.0.1:80", "10.0.0.1:80", false},
		{"0.0.0.0:80", "10.0.0.1:80", true},
		{"0.0.0.0:80", "[::1]:80", false},
		{":80", "10.0.0.1:80", true},
		{"[::]:80", "[2001:db8::1]:80", true},
		{"localhost:80", "[::ffff:127.0.0.1]:80", true},
	} {
		s := newEcho(t, simnet.Config{}, poller.ListenConfig{Addr: c.listen})
		client, err := s.net.Dial(local, netip.MustParseAddrPort(c.dial))
		if (err == nil) != c.ok {
			t.Errorf("dial %s at %s: %v", c.dial, c.listen, err)
		}
		if err != nil {
			continue
		}
		_, peer, _ := s.poller.Accept(s.listener)
		if peer != local || client.LocalAddr() != local {
			t.Errorf("peer %v, client %v, want %v", peer, client.LocalAddr(), local)
		}
	}
}

func TestMisuseIsCounted(t *testing.T) {
	s, _, fd := session(t, simnet.Config{})
	s.poller.Close(fd)
	s.poller.Close(fd)
	s.poller.Shutdown(fd)
	if got := s.net.Stats().BadDescriptors; got != 2 {
		t.Errorf("%d calls on closed descriptors, want 2", got)
	}
	for name, call := range map[string]func(){
		"Read":  func() { s.poller.Read(fd, nil) },
		"Write": func() { s.poller.Write(fd, nil) },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s of nothing did not panic", name)
				}
			}()
			call()
		}()
	}
}

func TestWakeMakesTheNetReadyOnce(t *testing.T) {
	s := newEcho(t, simnet.Config{}, poller.ListenConfig{})
	s.turn()
	if s.net.Ready() {
		t.Error("ready with nothing to do")
	}
	s.poller.Wake()
	s.poller.Wake()
	if !s.net.Ready() {
		t.Error("not ready after a wake")
	}
	s.turn()
	if s.net.Ready() || s.net.Stats().Wakes != 1 {
		t.Errorf("ready %v after %d wakes", s.net.Ready(), s.net.Stats().Wakes)
	}
}
