//go:build linux

package main

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"vitrine/core/frame"
)

// codecLAN is the format every server speaks; the generator cuts and builds it
// by itself, so that one oracle independent of the engine remains.
const codecLAN = "lan"

// newCodec returns one side's codec: lan, classic (B) or sealed, the latter
// with a key that both sides derive, since nothing secret is measured.
func newCodec(name string) (frame.Codec, error) {
	switch name {
	case codecLAN:
		return frame.LAN(frame.LANConfig{})
	case "classic":
		return frame.ClassicB(frame.ClassicConfig{})
	case "sealed":
		private := [frame.KeyLen]byte{1}
		public, err := frame.PublicKey(private)
		if err != nil {
			return frame.Codec{}, err
		}
		return frame.Sealed(frame.SealedConfig{Private: private, PublicKey: public})
	}
	return frame.Codec{}, fmt.Errorf("no codec %q, there are: lan, classic, sealed", name)
}

// shake opens a link on a codec that has a handshake. The socket still blocks.
func (g *generator) shake(l *link) (err error) {
	if g.codec == nil || g.codec.Stateless() {
		return nil
	}
	if l.state, err = g.codec.NewState(true); err != nil {
		return err
	}
	hello, err := g.codec.Greet(l.state, nil)
	if err != nil {
		return err
	}
	if _, err = unix.Write(l.fd, hello); err != nil {
		return fmt.Errorf("send handshake: %w", err)
	}
	answer, err := g.awaitAnswer(l)
	if err != nil {
		return fmt.Errorf("receive handshake: %w", err)
	}
	_, done, err := g.codec.Handshake(l.state, answer, nil)
	if err == nil && !done {
		err = errors.New("handshake does not end")
	}
	return err
}

// awaitAnswer blocks until one whole handshake frame is there.
func (g *generator) awaitAnswer(l *link) ([]byte, error) {
	for held := 0; ; {
		n, err := unix.Read(l.fd, g.in[held:])
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, errClosed
		}
		held += n
		size, err := g.codec.HandshakeSize(g.in[:held])
		if err != nil {
			return nil, err
		}
		if size == held {
			return g.in[:held], nil
		}
	}
}

// seal appends the next message of a link to out.
func (g *generator) seal(l *link, out []byte) ([]byte, error) {
	if g.codec == nil {
		at := len(out)
		out = out[:at+headerSize+g.pattern.size]
		out[at], out[at+1] = byte(g.pattern.size), byte(g.pattern.size>>8)
		g.pattern.fill(out[at+headerSize:], l.id, l.sent)
		return out, nil
	}
	g.pattern.fill(g.payload, l.id, l.sent)
	return g.codec.Seal(l.state, out, g.payload, nil)
}

// cut returns the payload of the frame at the front of b and the frame's size,
// 0 while it is not whole.
func (g *generator) cut(l *link, b []byte) (payload []byte, size int, err error) {
	if g.codec == nil {
		if size = wholeFrames(b, 1); size == 0 {
			return nil, 0, nil
		}
		return b[headerSize:size], size, nil
	}
	size, err = g.codec.Size(b)
	if err != nil || size == 0 || size > len(b) {
		return nil, 0, err
	}
	payload, err = g.codec.Open(l.state, b[:size], &g.ext)
	return payload, size, err
}
