package bot

import (
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"syscall"
	"time"

	"vitrine/core/frame"
	"vitrine/core/packet"
)

const (
	readLen  = 4 << 10  // first size of a read buffer; it grows to one frame
	writeLen = 64 << 10 // one write stops growing once it is longer
)

// link is one connection: a socket, the codec on it, and the bytes that
// are not a whole frame yet.
//
//	in:  | opened | bytes of the next frames | room |
//	     0        read                       end    len
type link struct {
	conn  net.Conn     // fixed after dial
	codec *frame.Codec // fixed after dial; shared by all links

	mu sync.Mutex   // reader and writer share st
	st *frame.State // guarded by mu; nil where the codec has none

	in        []byte // owned by the reader
	read, end int    // owned by the reader; read <= end <= len(in)
}

// dial connects and makes the handshake, both within timeout.
func dial(
	ctx context.Context, addr string, codec *frame.Codec, timeout time.Duration,
) (*link, error) {
	l, err := connect(ctx, addr, codec, timeout)
	if err != nil {
		return nil, err
	}
	if err := l.shake(timeout); err != nil {
		l.conn.Close()
		return nil, &shakeError{err}
	}
	return l, nil
}

// shakeError is a connection that was made and ended in its handshake.
type shakeError struct{ error }

func (e *shakeError) Unwrap() error { return e.error }

func connect(
	ctx context.Context, addr string, codec *frame.Codec, timeout time.Duration,
) (*link, error) {
	d := net.Dialer{Timeout: timeout, KeepAlive: -1}
	conn, err := d.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	st, err := codec.NewState(true)
	if err != nil {
		conn.Close()
		return nil, err
	}
	return &link{conn: conn, codec: codec, st: st, in: make([]byte, readLen)}, nil
}

// shake runs the handshake; it does nothing where the codec has none.
func (l *link) shake(timeout time.Duration) error {
	if l.st == nil {
		return nil
	}
	l.conn.SetDeadline(time.Now().Add(timeout))
	out, err := l.codec.Greet(l.st, nil)
	for done := false; err == nil; {
		if len(out) > 0 {
			if _, err := l.conn.Write(out); err != nil {
				return err
			}
		}
		if done {
			return l.conn.SetDeadline(time.Time{})
		}
		out, done, err = l.shakeOnce()
	}
	return err
}

func (l *link) shakeOnce() (reply []byte, done bool, err error) {
	for {
		n, err := l.codec.HandshakeSize(l.in[l.read:l.end])
		if err != nil {
			return nil, false, err
		}
		if n > 0 && l.end-l.read >= n {
			whole := l.in[l.read : l.read+n]
			l.read += n
			return l.codec.Handshake(l.st, whole, nil)
		}
		if err := l.fill(n); err != nil {
			return nil, false, err
		}
	}
}

// receive hands each packet that arrives to handle until the connection
// ends or handle returns an error, and rests after each read. The payload
// is valid until handle returns.
func (l *link) receive(
	rest time.Duration, now func() int64, handle func(payload []byte, now int64) error,
) error {
	var ext packet.Ext
	for at := now(); ; at = now() {
		need, err := l.drain(&ext, at, handle)
		if err != nil {
			return err
		}
		if rest > 0 {
			time.Sleep(rest)
		}
		if err := l.fill(need); err != nil {
			return err
		}
	}
}

// drain handles the whole frames that are there and returns how long the
// next one will be, 0 when that is not known yet.
func (l *link) drain(ext *packet.Ext, at int64, handle func([]byte, int64) error) (need int, err error) {
	for l.end > l.read {
		n, err := l.codec.Size(l.in[l.read:l.end])
		if err != nil || n == 0 || l.end-l.read < n {
			return n, err
		}
		whole := l.in[l.read : l.read+n]
		l.read += n
		payload, err := l.open(whole, ext)
		if err != nil {
			return 0, err
		}
		if err := handle(payload, at); err != nil {
			return 0, err
		}
	}
	return 0, nil
}

// fill reads once, after it made room for a frame of need bytes.
func (l *link) fill(need int) error {
	if l.read > 0 {
		l.end = copy(l.in, l.in[l.read:l.end])
		l.read = 0
	}
	if need = max(need, l.end+1); need > len(l.in) {
		l.in = append(make([]byte, 0, need), l.in[:l.end]...)[:need]
	}
	n, err := l.conn.Read(l.in[l.end:])
	l.end += n
	if n > 0 {
		return nil
	}
	return err
}

func (l *link) open(whole []byte, ext *packet.Ext) ([]byte, error) {
	if l.st == nil {
		return l.codec.Open(nil, whole, ext)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.codec.Open(l.st, whole, ext)
}

// seal appends one frame to dst. What it returned must be written, in
// order: the caller is the only writer.
func (l *link) seal(dst, payload []byte) ([]byte, error) {
	if l.st == nil {
		return l.codec.Seal(nil, dst, payload, nil)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.codec.Seal(l.st, dst, payload, nil)
}

// leave ends the connection in order: it says goodbye where the codec has
// a word for it, then closes.
func (l *link) leave() {
	l.mu.Lock()
	out, err := l.codec.SealClose(l.st, nil)
	l.mu.Unlock()
	if err == nil && len(out) > 0 {
		l.conn.SetWriteDeadline(time.Now().Add(time.Second))
		l.conn.Write(out)
	}
	l.conn.Close()
}

// reset ends the connection so that the server reads an error.
func (l *link) reset() {
	if tcp, ok := l.conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	l.conn.Close()
}

// partial reports that the stream ended inside a frame. Reader only.
func (l *link) partial() bool { return l.end > l.read }

// reasonOf names how a connection ended that this side did not close. The
// words are the engine's where the meaning is the same; server tells
// whether the server ended it, rather than a fault in what it sent.
func (l *link) reasonOf(err error) (reason string, server bool) {
	switch {
	case errors.Is(err, frame.ErrClosed):
		return "peer_closed", true
	case errors.Is(err, io.EOF) && (l.partial() || l.codec.Kind() == frame.KindSealed):
		return "truncated", true
	case errors.Is(err, io.EOF):
		return "peer_closed", true
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "reset", true
	}
	if word := faultOf(err); word != "" {
		return word, false
	}
	return "read_error", true
}

// faultOf names an error of the codec; "" for any other.
func faultOf(err error) string {
	for _, fault := range faults {
		if errors.Is(err, fault.err) {
			return fault.reason
		}
	}
	return ""
}

var faults = []struct {
	err    error
	reason string
}{
	{frame.ErrBadCode, "bad_code"},
	{frame.ErrBadLength, "bad_length"},
	{frame.ErrBadChecksum, "bad_checksum"},
	{frame.ErrBadTag, "bad_tag"},
	{frame.ErrBadExtension, "bad_extension"},
	{frame.ErrHandshake, "handshake_failed"},
}
