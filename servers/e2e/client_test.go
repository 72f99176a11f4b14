//go:build linux

package e2e

import (
	"bufio"
	"context"
	"io"
	"net"
	"testing"
	"time"

	"vitrine/core/frame"
	"vitrine/core/packet"
	"vitrine/servers/bot"
)

// client is one connection, for tests that count every byte. Reading and writing may be on two goroutines where the codec
// keeps no state.
type client struct {
	conn  net.Conn
	in    *bufio.Reader
	codec frame.Codec
	state *frame.State
	read  int64 // bytes of whole frames
}

// connect makes a connection and its handshake.
func connect(addr string, codec frame.Codec) (*client, error) {
	return dial(context.Background(), &net.Dialer{Timeout: patience}, addr, codec)
}

func dial(ctx context.Context, dialer *net.Dialer, addr string, codec frame.Codec) (*client, error) {
	conn, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	conn.SetDeadline(time.Now().Add(2 * patience))
	c := &client{conn: conn, in: bufio.NewReaderSize(conn, 64<<10), codec: codec}
	if c.state, err = c.codec.NewState(true); err == nil && c.state != nil {
		err = c.shake()
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

func (c *client) shake() error {
	out, err := c.codec.Greet(c.state, nil)
	for done := false; err == nil; {
		if _, err := c.conn.Write(out); err != nil || done {
			return err
		}
		var whole []byte
		if whole, err = c.whole(c.codec.HandshakeSize); err == nil {
			out, done, err = c.codec.Handshake(c.state, whole, nil)
		}
	}
	return err
}

// whole reads one frame; size tells its length once enough of it is there.
func (c *client) whole(size func([]byte) (int, error)) ([]byte, error) {
	var b []byte
	for {
		n, err := size(b)
		if err != nil || n > 0 && len(b) == n {
			c.read += int64(len(b))
			return b, err
		}
		next := make([]byte, max(n, len(b)+1)-len(b))
		if _, err := io.ReadFull(c.in, next); err != nil {
			if len(b) > 0 && err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
		b = append(b, next...)
	}
}

// receive reads one packet. io.EOF is the end of the stream between two frames, frame.ErrClosed the end of a sealed one.
func (c *client) receive() ([]byte, error) {
	whole, err := c.whole(c.codec.Size)
	if err != nil {
		return nil, err
	}
	var ext packet.Ext
	return c.codec.Open(c.state, whole, &ext)
}

// seal returns the payload as a frame.
func (c *client) seal(payload []byte) []byte {
	whole, err := c.codec.Seal(c.state, nil, payload, nil)
	if err != nil {
		panic("e2e: seal: " + err.Error())
	}
	return whole
}

func (c *client) send(payload []byte) error {
	_, err := c.conn.Write(c.seal(payload))
	return err
}

// parseCodec returns the codec of a client of the server.
func parseCodec(t *testing.T, name string, of server) frame.Codec {
	t.Helper()
	codec, err := bot.ParseCodec(name, of.key)
	if err != nil {
		t.Fatal(err)
	}
	return codec
}

// swarm plays in the background until finish, and must find no fault.
type swarm struct {
	t      *testing.T
	name   string
	cancel context.CancelFunc
	bots   *bot.Swarm
	done   chan error
}

// play lets bots loose and returns when all of them are online.
func play(t *testing.T, name string, cfg bot.Config) *swarm {
	t.Helper()
	bots, err := bot.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	s := &swarm{t: t, name: name, cancel: cancel, bots: bots, done: make(chan error, 1)}
	go func() { // ends with cancel
		_, err := bots.Run(ctx)
		s.done <- err
	}()
	s.await(func(r bot.Report) bool { return r.Online == r.Bots && r.Received >= uint64(r.Bots) })
	return s
}

// await waits until the bots' report is as wanted.
func (s *swarm) await(wanted func(bot.Report) bool) {
	s.t.Helper()
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	late := time.After(patience)
	for !wanted(s.bots.Report()) {
		select {
		case <-poll.C:
		case err := <-s.done:
			s.done <- err
			s.t.Fatalf("%s: the bots ended: %v", s.name, err)
		case <-late:
			s.t.Fatalf("%s after %v: %s", s.name, patience, s.bots.Report().String())
		}
	}
}

// end stops the bots and returns what they saw.
func (s *swarm) end() bot.Report {
	s.t.Helper()
	s.cancel()
	if err := <-s.done; err != nil {
		s.t.Errorf("%s: %v", s.name, err)
	}
	return s.bots.Report()
}

// finish stops the bots, which must have found no fault.
func (s *swarm) finish() bot.Report {
	s.t.Helper()
	report := s.end()
	checkReport(s.t, s.name, report)
	return report
}

// checkReport fails unless the bots found no fault.
func checkReport(t *testing.T, name string, r bot.Report) {
	t.Helper()
	if !r.OK() {
		t.Errorf("%s: %s\n%v", name, r.String(), r.Findings)
	}
}
