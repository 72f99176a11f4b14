//go:build linux

package main

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"net"

	"github.com/cloudwego/netpoll"
)

// serveNetpoll is the echo on cloudwego/netpoll with one poller: each readable
// burst is cut in place and answered with one Flush. netpoll sets TCP_NODELAY.
//
// A Runner that calls the handler on the poller would save the goroutine, but
// Flush waits for that same poller when the peer reads slowly.
func serveNetpoll(ctx context.Context, c *serveCommand, listening func(net.Addr)) error {
	if err := netpoll.Configure(netpoll.Config{PollerNum: 1, LoggerOutput: io.Discard}); err != nil {
		return fmt.Errorf("serve netpoll: %w", err)
	}
	listener, err := netpoll.CreateListener("tcp", c.Addr)
	if err != nil {
		return fmt.Errorf("serve netpoll: %w", err)
	}
	places := &door{limit: int64(c.MaxSessions)}
	loop, err := netpoll.NewEventLoop(onRequest, netpoll.WithOnPrepare(places.prepare))
	if err != nil {
		return fmt.Errorf("serve netpoll: %w", err)
	}
	failed := make(chan error, 1)
	go func() { failed <- loop.Serve(listener) }() // Ends with the process.
	listening(listener.Addr())
	select {
	case err = <-failed:
		return err
	case <-ctx.Done():
		return nil
	}
}

// prepare closes a connection that finds no place.
func (d *door) prepare(conn netpoll.Connection) context.Context {
	if !d.enter() {
		conn.Close()
		return context.Background()
	}
	_ = conn.AddCloseCallback(func(netpoll.Connection) error { d.leave(); return nil })
	return context.Background()
}

// onRequest closes the connection on an error, since netpoll calls again and
// again while bytes are left, whether or not they can ever be read.
func onRequest(_ context.Context, conn netpoll.Connection) error {
	err := echoBurst(conn.Reader(), conn.Writer())
	if err != nil {
		conn.Close()
	}
	return err
}

// echoBurst answers what one readable burst brought. A partial frame at its end
// is waited for here, for the reason given at onRequest.
func echoBurst(in netpoll.Reader, out netpoll.Writer) error {
	burst, err := in.Peek(in.Len())
	if err != nil {
		return err
	}
	whole := wholeFrames(burst, len(burst))
	if whole == 0 {
		return awaitFrame(in)
	}
	room, err := out.Malloc(whole)
	if err != nil {
		return err
	}
	copy(room, burst)
	if err = in.Skip(whole); err != nil {
		return err
	}
	if err = in.Release(); err != nil {
		return err
	}
	return out.Flush()
}

// awaitFrame blocks until the frame that has begun is there in full.
func awaitFrame(in netpoll.Reader) error {
	header, err := in.Peek(headerSize)
	if err != nil {
		return err
	}
	_, err = in.Peek(headerSize + int(binary.LittleEndian.Uint16(header)))
	return err
}
