package lanserver

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"vitrine/core/engine"
	"vitrine/core/frame"
	"vitrine/core/packet"
)

// Errors that callers branch on.
var (
	ErrNotConnected   = errors.New("not connected")                   // Send and Call between two connections
	ErrConnectionLost = errors.New("connection lost")                 // a Call whose connection ended; it may have been handled
	ErrTooManyCalls   = errors.New("too many calls in flight")        // CallLimit
	ErrNoCalls        = errors.New("the codec is not that of a peer") // Call to a classic peer; see PeerCodec
	ErrNotCall        = errors.New("the packet is not a call")        // Reply to it
)

// Client keeps one connection to a server up until Close: when it ends, the client connects again. The handler sees
// OnClientJoin and OnClientLeave of each connection; its callbacks run on the client's one worker. The client's methods may
// be called from any goroutine, Call and Close not in callbacks: they block.
//
// Packets that one goroutine sends arrive in that order, or not at all: what a connection accepted and lost is reported
// (see ClientConfig.OnLost) and never sent again on the next.
type Client struct {
	cfg     ClientConfig   // fixed after Dial
	dialer  *engine.Server // fixed after Dial
	peer    bool           // fixed after Dial: calls are possible
	current atomic.Pointer[connection]
	joined  chan *connection // each connection once, from the worker to the keeper
	cancel  context.CancelFunc
	ended   chan struct{} // closed by the keeper
	count   counts
}

// Dial connects to the server at cfg.Addr and keeps the connection up until Close. It returns when OnClientJoin has begun,
// or with an error when the first connection cannot be made; ctx bounds that alone. With cfg.Background it returns at once.
func Dial(ctx context.Context, cfg ClientConfig, h Handler) (*Client, error) {
	c, err := newClient(cfg, h)
	if err != nil {
		return nil, fmt.Errorf("dial %s: %w", cfg.Addr, err)
	}
	var first *connection
	if !cfg.Background {
		if first, err = c.connect(ctx); err != nil {
			c.dialer.Stop(context.WithoutCancel(ctx))
			return nil, fmt.Errorf("dial %s: %w", cfg.Addr, err)
		}
	}
	keeping, cancel := context.WithCancel(context.WithoutCancel(ctx))
	c.cancel = cancel
	go c.keep(keeping, first) // ended by Close
	return c, nil
}

func newClient(cfg ClientConfig, h Handler) (*Client, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	c := &Client{cfg: cfg, peer: isPeerCodec(cfg.Codec), joined: make(chan *connection, 1), ended: make(chan struct{})}
	if h == nil {
		return nil, errors.New("handler is nil")
	}
	if c.dialer, err = engine.NewDialer(cfg.Config, &watched{Handler: h, client: c}); err != nil {
		return nil, err
	}
	return c, c.dialer.Start()
}

// NewPacket returns an empty packet; see packet.Pool.New.
func (c *Client) NewPacket() *packet.Packet { return c.dialer.NewPacket() }

// Send queues the packet; one of another server or client is copied. It consumes one reference, even on error, and never
// blocks. nil means that the connection has accepted the packet. Errors: ErrNotConnected at once
// while there is none, engine.ErrQueueFull, or what is wrong with the packet.
func (c *Client) Send(p *packet.Packet) error {
	conn := c.current.Load()
	if conn == nil {
		p.Release()
		return ErrNotConnected
	}
	return c.send(conn, p)
}

func (c *Client) send(conn *connection, p *packet.Packet) error {
	if err := c.sendable(p); err != nil {
		p.Release()
		return err
	}
	err := c.dialer.SendPacket(conn.id, p)
	if errors.Is(err, engine.ErrNoSession) {
		return ErrNotConnected
	}
	return err
}

// sendable refuses what could not be sealed, so that whatever is accepted is written unless the connection ends.
func (c *Client) sendable(p *packet.Packet) error {
	switch {
	case p.Err() != nil:
		return p.Err()
	case p.Len() == 0:
		return frame.ErrBadLength
	case p.Len() > c.cfg.Codec.MaxPayload():
		return frame.ErrTooLong
	}
	return nil
}

// ID returns the id of the present connection's session, 0 while there is none.
func (c *Client) ID() ID {
	if conn := c.current.Load(); conn != nil {
		return conn.id
	}
	return 0
}

// Close stops connecting, writes what waits until ctx's deadline, closes the connection and returns when OnClientLeave has
// run. What could not be written is reported as lost. Calls in flight get ErrConnectionLost.
func (c *Client) Close(ctx context.Context) error {
	c.cancel()
	err := c.dialer.Stop(ctx)
	select {
	case <-c.ended:
	case <-ctx.Done():
		err = errors.Join(err, ctx.Err())
	}
	if err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}

// Status returns the figures of the client's engine, as for a server.
func (c *Client) Status() engine.Status { return c.dialer.Status() }

// counts are the client's figures; all atomic.
type counts struct {
	attempts, connects, accepted, written, lost, unknown, calls, late atomic.Uint64
}

// Stats are a client's figures since Dial. Accepted = Written + Lost, and Unknown <= Written.
type Stats struct {
	Attempts uint64 // connections tried
	Connects uint64 // connections made
	Accepted uint64 // packets accepted for sending by connections that have ended
	Written  uint64 // of these, taken by the kernel
	Lost     uint64 // of these, lost with their connection
	Unknown  uint64 // of those written, by connections that ended without order: they arrived or not; see Lost
	Calls    uint64 // calls begun
	Late     uint64 // answers nobody waited for any more, dropped
}

// Stats returns the figures.
func (c *Client) Stats() Stats {
	n := &c.count
	return Stats{
		Attempts: n.attempts.Load(), Connects: n.connects.Load(), Accepted: n.accepted.Load(), Written: n.written.Load(),
		Lost: n.lost.Load(), Unknown: n.unknown.Load(), Calls: n.calls.Load(), Late: n.late.Load(),
	}
}
