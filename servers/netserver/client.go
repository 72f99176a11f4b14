package netserver

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"

	"vitrine/core/engine"
	"vitrine/core/frame"
	"vitrine/core/packet"
)

// Client is one connection to a NetServer, with the Handler of a server: OnClientJoin when the handshake is done, OnRecv
// for each packet, OnClientLeave once. Its methods may be called from any goroutine.
type Client struct {
	dialer *engine.Server
	id     engine.ID
	left   chan struct{} // closed after OnClientLeave
}

// Dial connects to the server at cfg.Addr as a user would and returns when OnClientJoin is about to run. cfg.Codec must be
// given: for a sealed server frame.Sealed with its public key. ctx bounds the connecting alone.
func Dial(ctx context.Context, cfg Config, h Handler) (*Client, error) {
	if cfg.Codec.Kind() == frame.KindLAN {
		return nil, errors.New("dial: no codec; a sealed server's client needs frame.Sealed with the server's public key")
	}
	addr, err := netip.ParseAddrPort(cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	cfg.Workers, cfg.MaxSessions = 1, 1
	c := &Client{left: make(chan struct{})}
	if c.dialer, err = engine.NewDialer(cfg, &watched{Handler: h, left: c.left}); err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	if err := c.dialer.Start(); err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	if c.id, err = c.dialer.Connect(ctx, addr); err != nil {
		c.dialer.Stop(context.WithoutCancel(ctx))
		return nil, fmt.Errorf("dial: %w", err)
	}
	return c, nil
}

// NewPacket returns an empty packet; see packet.Pool.New.
func (c *Client) NewPacket() *packet.Packet { return c.dialer.NewPacket() }

// Send queues the packet. It consumes one reference, even on error, and never blocks.
func (c *Client) Send(p *packet.Packet) error { return c.dialer.SendPacket(c.id, p) }

// ID returns the session's id in callbacks.
func (c *Client) ID() engine.ID { return c.id }

// Done is closed when OnClientLeave has run.
func (c *Client) Done() <-chan struct{} { return c.left }

// Close writes what waits until ctx's deadline, closes the connection and returns when OnClientLeave has run.
func (c *Client) Close(ctx context.Context) error { return c.dialer.Stop(ctx) }

// watched tells when the session has left. Its Unwrap keeps the handler's optional callbacks.
type watched struct {
	Handler
	left chan struct{}
	once sync.Once
}

func (w *watched) Unwrap() Handler { return w.Handler }

func (w *watched) OnClientLeave(s *Session, reason Reason) {
	w.Handler.OnClientLeave(s, reason)
	w.once.Do(func() { close(w.left) })
}
