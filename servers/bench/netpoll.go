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

// serveNetpoll is the echo on cloudwego/netpoll as an application writes it: each
// message is taken from the reader and answered by itself, each readable burst
// leaves with one Flush.
func serveNetpoll(ctx context.Context, c *serveCommand, listening func(net.Addr)) error {
	return serveEventLoop(ctx, c, echoMessages, listening)
}

// serveNetpollBurst knows that it is an echo: it only counts the frames of a
// burst and copies them all at once.
func serveNetpollBurst(ctx context.Context, c *serveCommand, listening func(net.Addr)) error {
	return serveEventLoop(ctx, c, echoBurst, listening)
}

// serveEventLoop runs netpoll with one poller; it sets TCP_NODELAY.
//
// A Runner that calls the handler on the poller would save the goroutine, but
// Flush waits for that same poller when the peer reads slowly.
func serveEventLoop(ctx context.Context, c *serveCommand, answer answerFunc, listening func(net.Addr)) error {
	if err := netpoll.Configure(netpoll.Config{PollerNum: 1, LoggerOutput: io.Discard}); err != nil {
		return fmt.Errorf("serve netpoll: %w", err)
	}
	listener, err := netpoll.CreateListener("tcp", c.Addr)
	if err != nil {
		return fmt.Errorf("serve netpoll: %w", err)
	}
	places := &door{limit: int64(c.MaxSessions)}
	loop, err := netpoll.NewEventLoop(answer.onRequest, netpoll.WithOnPrepare(places.prepare))
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

// answerFunc answers what one readable burst brought. It returns when the burst
// is used up but for a partial frame; when there is nothing else, it waits for
// that frame's rest, for the reason given at onRequest.
type answerFunc func(in netpoll.Reader, out netpoll.Writer) error

// onRequest closes the connection on an error, since netpoll calls again and
// again while bytes are left, whether or not they can ever be read.
func (answer answerFunc) onRequest(_ context.Context, conn netpoll.Connection) error {
	err := answer(conn.Reader(), conn.Writer())
	if err != nil {
		conn.Close()
	}
	return err
}

func echoMessages(in netpoll.Reader, out netpoll.Writer) error {
	for waiting := 0; in.Len() > 0; waiting++ {
		whole, err := frameHeld(in)
		if err != nil {
			return err
		}
		if !whole && waiting > 0 {
			break
		}
		if err = echoMessage(in, out); err != nil {
			return err
		}
	}
	if err := in.Release(); err != nil {
		return err
	}
	return out.Flush()
}

// frameHeld reports whether the reader holds the whole frame at its front.
func frameHeld(in netpoll.Reader) (bool, error) {
	if in.Len() < headerSize {
		return false, nil
	}
	header, err := in.Peek(headerSize)
	if err != nil {
		return false, err
	}
	return in.Len() >= headerSize+int(binary.LittleEndian.Uint16(header)), nil
}

// echoMessage takes one frame from in, waiting for its rest, and copies it to out.
func echoMessage(in netpoll.Reader, out netpoll.Writer) error {
	header, err := in.Peek(headerSize)
	if err != nil {
		return err
	}
	frame, err := in.Next(headerSize + int(binary.LittleEndian.Uint16(header)))
	if err != nil {
		return err
	}
	room, err := out.Malloc(len(frame))
	if err != nil {
		return err
	}
	copy(room, frame)
	return nil
}

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
