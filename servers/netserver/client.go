package netserver

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"vitrine/core/engine"
	"vitrine/core/frame"
	"vitrine/core/packet"
)

// Client is one connection to a NetServer, with the Handler of a server: OnClientJoin when the handshake is done, OnRecv
// for each packet, OnClientLeave once; callbacks run on the client's one worker. Its methods may be called from any
// goroutine, Close not in callbacks: it blocks. It does not connect again: dial again instead.
type Client struct {
	dialer *engine.Server
	id     ID
	left   chan struct{} // closed after OnClientLeave
}

// Dial connects to the server at cfg.Addr, a name or a number, as a user would, and returns when OnClientJoin is about to
// run. cfg.Codec must be given: for a sealed server frame.Sealed with its public key. ctx and cfg.HandshakeTimeout bound the
// connecting alone. A server that ends the handshake, because the key given is not its own, is an error that says so.
//
// A client has one worker and one session; IdleTimeout is Unlimited by default, since servers may be silent, QueueLimit
// 4,096 and FlightRecords 1,024. The rest of cfg is as for New.
func Dial(ctx context.Context, cfg Config, h Handler) (*Client, error) {
	c, err := dial(ctx, clientDefaults(cfg), h)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", cfg.Addr, err)
	}
	return c, nil
}

func dial(ctx context.Context, cfg Config, h Handler) (*Client, error) {
	switch {
	case cfg.Codec.Kind() == frame.KindLAN:
		return nil, errors.New("no codec; a sealed server's client needs frame.Sealed with the server's public key")
	case h == nil:
		return nil, errors.New("handler is nil")
	}
	addr, err := engine.Resolve(ctx, cfg.Addr)
	if err != nil {
		return nil, err
	}
	c := &Client{left: make(chan struct{})}
	if c.dialer, err = engine.NewDialer(cfg, &watched{Handler: h, left: c.left}); err != nil {
		return nil, err
	}
	if err := c.dialer.Start(); err != nil {
		return nil, err
	}
	if c.id, err = c.dialer.Connect(ctx, addr); err != nil {
		c.dialer.Stop(context.WithoutCancel(ctx))
		return nil, explain(cfg.Codec.Kind(), err)
	}
	return c, nil
}

func clientDefaults(cfg Config) Config {
	cfg.Workers, cfg.MaxSessions = 1, 1
	setDefault(&cfg.Name, "net-client")
	setDefault(&cfg.IdleTimeout, engine.Unlimited)
	setDefault(&cfg.QueueLimit, 4096)
	setDefault(&cfg.FlightRecords, 1024)
	return cfg
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

// explain says what a connection that a sealed server ended in the handshake most often means. All the client sees of it is
// the end of the stream.
func explain(kind frame.Kind, err error) error {
	var closed *engine.ClosedError
	if kind != frame.KindSealed || !errors.As(err, &closed) {
		return err
	}
	switch closed.Reason {
	case engine.PeerClosed, engine.ReadError, engine.Truncated, engine.HandshakeFailed:
		return fmt.Errorf("%w; the server refused the handshake, or it has another key than the one given", err)
	}
	return err
}

// NewPacket returns an empty packet; see packet.Pool.New.
func (c *Client) NewPacket() *packet.Packet { return c.dialer.NewPacket() }

// Send queues the packet; one of another server or client is copied. It consumes one reference, even on error, and never
// blocks; see the engine's SendPacket for its errors. What was queued when the connection ended is
// in OnClientLeave's Session.Unsent.
func (c *Client) Send(p *packet.Packet) error { return c.dialer.SendPacket(c.id, p) }

// ID returns the session's id in callbacks.
func (c *Client) ID() ID { return c.id }

// Done is closed when OnClientLeave has run.
func (c *Client) Done() <-chan struct{} { return c.left }

// Status returns the figures of the client's engine, as for a server.
func (c *Client) Status() engine.Status { return c.dialer.Status() }

// Close writes what waits until ctx's deadline, closes the connection and returns when OnClientLeave has run. A client whose
// connection has ended is closed too, to end its worker. Closing twice is the same as once.
func (c *Client) Close(ctx context.Context) error {
	if err := c.dialer.Stop(ctx); err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}

// watched tells when the session has left. Its Unwrap keeps the handler's optional callbacks.
type watched struct {
	Handler
	left chan struct{}
	once sync.Once
}

// Unwrap returns the application's handler.
func (w *watched) Unwrap() Handler { return w.Handler }

// OnClientLeave closes left, even when the application's panics.
func (w *watched) OnClientLeave(s *Session, reason Reason) {
	defer w.once.Do(func() { close(w.left) })
	w.Handler.OnClientLeave(s, reason)
}
