package lanserver_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"vitrine/core/engine"
	"vitrine/core/frame"
	"vitrine/core/packet"
	"vitrine/servers/lanserver"
)

// TestCallsOutOfOrder has many goroutines call at once; the server keeps what it gets and answers in reverse, from another
// goroutine. Each caller gets its own answer.
func TestCallsOutOfOrder(t *testing.T) {
	type held struct {
		call lanserver.Call
		p    *packet.Packet
	}
	const callers, each, batch = 8, 200, 4
	requests := make(chan held, callers)
	codec := peerCodec(t, "server")
	srv := listen(t, lanserver.Config{Codec: codec}, handler{recv: func(s *lanserver.Session, in *packet.Reader) {
		call, ok := lanserver.CallOf(s, in)
		if !ok {
			t.Error("not a call")
			return
		}
		requests <- held{call, s.NewPacket().U32(in.U32() * 3)}
	}})
	answering := make(chan struct{})
	go func() { // ends with requests
		defer close(answering)
		var waiting []held
		answer := func() {
			for ; len(waiting) > 0; waiting = waiting[:len(waiting)-1] {
				last := waiting[len(waiting)-1]
				if err := last.call.Reply(srv, last.p); err != nil {
					t.Error(err)
				}
			}
		}
		for h := range requests {
			if waiting = append(waiting, h); len(waiting) == batch || len(requests) == 0 {
				answer()
			}
		}
	}()
	c := dial(t, quick(srv, peerCodec(t, "client")), handler{recv: func(*lanserver.Session, *packet.Reader) {
		t.Error("an answer went to the handler")
	}})
	var calling sync.WaitGroup
	for caller := range uint32(callers) {
		calling.Go(func() {
			for i := range uint32(each) {
				n := caller<<16 | i
				p, err := c.Call(context.Background(), c.NewPacket().U32(n))
				if err != nil {
					t.Error(err)
					return
				}
				if got := packet.NewReader(p.Payload()).U32(); got != n*3 {
					t.Errorf("call %d: answer %d, want %d", n, got, n*3)
				}
				p.Release()
			}
		})
	}
	calling.Wait()
	hangUp(t, c)
	stop(t, srv)
	close(requests)
	<-answering
	if got := c.Status().Packets.InUse + srv.Status().Packets.InUse; got != 0 {
		t.Errorf("%d packets in use, want 0", got)
	}
}

func TestCallErrors(t *testing.T) {
	codec := peerCodec(t, "server")
	srv := listen(t, lanserver.Config{Codec: codec}, handler{recv: func(s *lanserver.Session, in *packet.Reader) {
		switch in.U8() {
		case 'n':
			lanserver.ReplyError(s, in, "no such account")
		case 'e':
			lanserver.ReplyError(s, in, "")
		case 'd':
			call, _ := lanserver.CallOf(s, in)
			call.ReplyError(s.Server(), "later")
		case 'c':
			s.Close(engine.Kicked)
		}
	}})
	c := dial(t, quick(srv, codec), handler{})
	for letter, want := range map[byte]string{'n': "no such account", 'e': "unspecified error", 'd': "later"} {
		_, err := c.Call(t.Context(), c.NewPacket().U8(letter))
		var refused *lanserver.CallError
		if !errors.As(err, &refused) || refused.Text != want {
			t.Errorf("%c: got %v, want a CallError with %q", letter, err, want)
		}
	}
	if _, err := c.Call(t.Context(), c.NewPacket()); !errors.Is(err, frame.ErrBadLength) {
		t.Errorf("empty: %v, want ErrBadLength", err)
	}
	if _, err := c.Call(t.Context(), c.NewPacket().U8('c')); !errors.Is(err, lanserver.ErrConnectionLost) {
		t.Errorf("got %v, want ErrConnectionLost", err)
	}
}

func TestReplyToWhatIsNoCall(t *testing.T) {
	codec := peerCodec(t, "server")
	errs := make(chan error, 2)
	srv := listen(t, lanserver.Config{Codec: codec}, handler{recv: func(s *lanserver.Session, in *packet.Reader) {
		errs <- lanserver.Reply(s, in, s.NewPacket().U8(1))
		errs <- lanserver.ReplyError(s, in, "no")
	}})
	c := dial(t, quick(srv, codec), handler{})
	c.Send(c.NewPacket().U8(1))
	for range 2 {
		if err := receive(t, errs, "result"); !errors.Is(err, lanserver.ErrNotCall) {
			t.Errorf("got %v, want ErrNotCall", err)
		}
	}
}

func TestCallToClassicPeer(t *testing.T) {
	srv := listen(t, lanserver.Config{}, handler{})
	c := dial(t, quick(srv, frame.Codec{}), handler{})
	if _, err := c.Call(t.Context(), c.NewPacket().U8(1)); !errors.Is(err, lanserver.ErrNoCalls) {
		t.Errorf("got %v, want ErrNoCalls", err)
	}
}

// TestCallsAreBoundedInTimeAndNumber calls a server that holds its answers back until the callers have given up.
func TestCallsAreBoundedInTimeAndNumber(t *testing.T) {
	codec := peerCodec(t, "server")
	held := make(chan lanserver.Call, 10)
	srv := listen(t, lanserver.Config{Codec: codec}, handler{recv: func(s *lanserver.Session, in *packet.Reader) {
		if call, ok := lanserver.CallOf(s, in); ok {
			held <- call
			return
		}
		s.Send(s.NewPacket().U8(0))
	}})
	echoes := make(chan bool, 1)
	cfg := quick(srv, codec)
	cfg.CallLimit, cfg.CallTimeout = 2, 20*time.Millisecond
	c := dial(t, cfg, handler{recv: func(*lanserver.Session, *packet.Reader) { echoes <- true }})
	if _, err := c.Call(t.Context(), c.NewPacket().U8(1)); !errors.Is(err, context.DeadlineExceeded) { // t.Context has no deadline
		t.Errorf("got %v, want DeadlineExceeded by CallTimeout", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	deadline, cancelDeadline := context.WithTimeout(ctx, patience)
	defer cancelDeadline()
	ends := make(chan error, 2)
	for range 2 {
		go func() { // ends with cancel
			_, err := c.Call(deadline, c.NewPacket().U8(1))
			ends <- err
		}()
	}
	for range 3 {
		call := receive(t, held, "request")
		if err := call.Reply(srv, srv.NewPacket().U8(2)); err != nil && call.Request == 1 {
			t.Error(err)
		}
		if call.Request == 1 {
			continue // its caller has given up: the answer is late
		}
		if err := receive(t, ends, "end of call"); err != nil {
			t.Error(err)
		}
	}
	for range 2 {
		go func() { // ends with cancel
			_, err := c.Call(deadline, c.NewPacket().U8(1))
			ends <- err
		}()
	}
	calls := []lanserver.Call{receive(t, held, "request"), receive(t, held, "request")}
	if _, err := c.Call(deadline, c.NewPacket().U8(1)); !errors.Is(err, lanserver.ErrTooManyCalls) {
		t.Errorf("got %v, want ErrTooManyCalls", err)
	}
	cancel()
	for range 2 {
		if err := receive(t, ends, "end of call"); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want Canceled", err)
		}
	}
	if _, err := c.Call(ctx, c.NewPacket().U8(1)); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that is done: %v, want Canceled", err)
	}
	for _, call := range calls {
		call.Reply(srv, srv.NewPacket().U8(2))
	}
	c.Send(c.NewPacket().U8(1)) // its echo comes after the late answers
	receive(t, echoes, "echo")
	if got := c.Stats().Late; got != 3 {
		t.Errorf("%d late answers, want 3", got)
	}
	if got := c.Stats().Calls; got != 5 {
		t.Errorf("%d calls, want 5", got)
	}
}

// TestCallsFailWithTheConnection resets the connection under calls in flight, whose callers then go on with the next one.
func TestCallsFailWithTheConnection(t *testing.T) {
	codec := peerCodec(t, "server")
	got := make(chan lanserver.ID, 64)
	srv := listen(t, lanserver.Config{Codec: codec}, handler{recv: func(s *lanserver.Session, in *packet.Reader) { got <- s.ID() }})
	joined := make(chan bool, 10)
	c := dial(t, quick(srv, codec), handler{join: func(*lanserver.Session) { joined <- true }})
	for range 3 {
		receive(t, joined, "join")
		ends := make(chan error, 5)
		for range cap(ends) {
			go func() { // ends with the connection
				_, err := c.Call(context.Background(), c.NewPacket().U8(1))
				ends <- err
			}()
		}
		var id lanserver.ID
		for range cap(ends) {
			id = receive(t, got, "request")
		}
		srv.Disconnect(id)
		for range cap(ends) {
			if err := receive(t, ends, "end of call"); !errors.Is(err, lanserver.ErrConnectionLost) {
				t.Errorf("got %v, want ErrConnectionLost", err)
			}
		}
	}
}

// TestHostileAnswers sends a client answers to calls that it never made.
func TestHostileAnswers(t *testing.T) {
	codec := peerCodec(t, "server")
	srv := listen(t, lanserver.Config{Codec: codec}, handler{join: func(s *lanserver.Session) {
		for i := range uint32(100) {
			lanserver.Call{Session: s.ID(), Request: i}.Reply(s.Server(), s.Server().NewPacket().U8(1))
			lanserver.Call{Session: s.ID(), Request: ^i}.ReplyError(s.Server(), fmt.Sprint(i))
		}
	}, recv: echo})
	c := dial(t, quick(srv, codec), handler{})
	p, err := c.Call(t.Context(), c.NewPacket().U8(5))
	for err == nil && c.Stats().Late < 200 { // an answer that met a call makes the true one late
		p.Release()
		p, err = c.Call(t.Context(), c.NewPacket().U8(5))
	}
	if err == nil {
		p.Release()
	}
}
