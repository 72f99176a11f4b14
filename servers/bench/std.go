//go:build linux

package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
)

// serveStd is the echo on package net as one writes it there: a goroutine for
// each connection, buffered both ways, written when the reader holds no whole
// frame any more. net sets TCP_NODELAY itself.
func serveStd(ctx context.Context, c *serveCommand, listening func(net.Addr)) error {
	listener, err := net.Listen("tcp", c.Addr)
	if err != nil {
		return fmt.Errorf("serve std: %w", err)
	}
	defer context.AfterFunc(ctx, func() { listener.Close() })()
	listening(listener.Addr())
	places := &door{limit: int64(c.MaxSessions)}
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("serve std: %w", err)
		}
		if !places.enter() {
			conn.Close()
			continue
		}
		go func() { // Ends when the peer closes, or with the process.
			defer places.leave()
			defer conn.Close()
			_ = echoStream(conn) // How a peer leaves is not measured.
		}()
	}
}

// echoStream answers every frame of conn until it ends. Both buffers belong to
// the calling goroutine.
func echoStream(conn io.ReadWriter) error {
	in, out := bufio.NewReader(conn), bufio.NewWriter(conn)
	for {
		if err := echoFrame(in, out); err != nil {
			return err
		}
		if frameBuffered(in) {
			continue
		}
		if err := out.Flush(); err != nil {
			return err
		}
	}
}

// echoFrame copies one frame, straight from buffer to buffer when it fits.
func echoFrame(in *bufio.Reader, out *bufio.Writer) error {
	header, err := in.Peek(headerSize)
	if err != nil {
		return err
	}
	size := headerSize + int(binary.LittleEndian.Uint16(header))
	if size > in.Size() {
		_, err = io.CopyN(out, in, int64(size))
		return err
	}
	frame, err := in.Peek(size)
	if err != nil {
		return err
	}
	if _, err = out.Write(frame); err != nil {
		return err
	}
	_, err = in.Discard(size)
	return err
}

// frameBuffered tells whether a whole frame waits in the buffer, so that the
// next one costs no read.
func frameBuffered(in *bufio.Reader) bool {
	held, _ := in.Peek(in.Buffered())
	return wholeFrames(held, 1) > 0
}
