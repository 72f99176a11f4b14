//go:build linux

package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"time"

	"vitrine/core/engine"
	"vitrine/core/packet"
)

// serveVitrine is the echo on our engine as an application writes it: a Send
// for each message.
func serveVitrine(ctx context.Context, c *serveCommand, listening func(net.Addr)) error {
	return serveEngine(ctx, c, &sendEach{}, listening)
}

// serveGather is the echo gathered by hand: the answers to --gather messages
// leave as the payload of one packet.
func serveGather(ctx context.Context, c *serveCommand, listening func(net.Addr)) error {
	return serveEngine(ctx, c, &sendGathered{c.Gather}, listening)
}

const engineStopLimit = time.Second

func serveEngine(ctx context.Context, c *serveCommand, h engine.Handler, listening func(net.Addr)) error {
	codec, err := newCodec(c.Codec)
	if err != nil {
		return fmt.Errorf("serve %s: %w", c.Kind, err)
	}
	server, err := engine.New(engine.Config{
		Name: "bench", Addr: c.Addr, Workers: c.Workers, MaxSessions: c.MaxSessions,
		IdleTimeout: engine.Unlimited, Codec: codec,
	}, h)
	if err != nil {
		return fmt.Errorf("serve %s: %w", c.Kind, err)
	}
	if err = server.Start(); err != nil {
		return fmt.Errorf("serve %s: %w", c.Kind, err)
	}
	addr, err := netip.ParseAddrPort(server.Addr())
	if err != nil {
		return fmt.Errorf("serve %s: %w", c.Kind, err)
	}
	listening(net.TCPAddrFromAddrPort(addr))
	<-ctx.Done()
	limited, stop := context.WithTimeout(context.Background(), engineStopLimit)
	defer stop()
	return server.Stop(limited)
}

// sendEach answers every message by itself.
type sendEach struct{}

func (*sendEach) OnClientJoin(*engine.Session)                 {}
func (*sendEach) OnClientLeave(*engine.Session, engine.Reason) {}

// An error of Send is a session that is closing; its load reports that.
func (*sendEach) OnRecv(s *engine.Session, in *packet.Reader) {
	_ = s.Send(s.NewPacket().Bytes(in.Rest()))
}

// sendGathered answers messages by the batch.
type sendGathered struct{ batch int }

// gathering is what one session has gathered; it is owned by its worker.
type gathering struct {
	packet *packet.Packet // nil when empty
	count  int
}

func (*sendGathered) OnClientJoin(s *engine.Session) { s.Data = new(gathering) }

func (*sendGathered) OnClientLeave(s *engine.Session, _ engine.Reason) {
	if g := s.Data.(*gathering); g.packet != nil {
		g.packet.Release()
	}
}

func (h *sendGathered) OnRecv(s *engine.Session, in *packet.Reader) {
	g := s.Data.(*gathering)
	if g.packet == nil {
		g.packet, g.count = s.NewPacket(), 0
	}
	g.packet.Bytes(in.Rest())
	if g.count++; g.count == h.batch {
		_ = s.Send(g.packet)
		g.packet = nil
	}
}
