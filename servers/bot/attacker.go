package bot

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"time"

	"vitrine/core/frame"
)

// lastWords is how long what the server said before it closed may take to
// arrive, once nothing can be written any more.
const lastWords = 3 * time.Second

// manners are what an attacker does as it should.
type manners struct{ shakes, reads bool }

// attacker is one hostile connection. Its writer is the caller of attack.
type attacker struct {
	link    *link
	payload []byte
	began   time.Time
	out     []byte        // scratch of frame
	sent    int64         // bytes
	written error         // what ended the writing
	over    chan struct{} // closed when the reader ended; nil without one
	read    error         // what ended the reading; set before over closes
}

func (t Target) attack(ctx context.Context, m manners, act func(*attacker)) Ending {
	a := &attacker{payload: t.Payload}
	if a.payload == nil {
		a.payload = make([]byte, 64)
	}
	if reason, err := a.begin(ctx, &t, m); err != nil {
		return Ending{Reason: reason, Err: err}
	}
	defer a.link.conn.Close()
	stop := context.AfterFunc(ctx, func() { a.link.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if m.reads {
		a.over = make(chan struct{})
		go a.listen(m) // ends when the connection does
	}
	if a.open(&t, m) {
		act(a)
	}
	a.finish(ctx)
	return a.ending(ctx)
}

// begin connects, and shakes hands if it has the manners.
func (a *attacker) begin(ctx context.Context, t *Target, m manners) (reason string, err error) {
	timeout := either(t.Timeout, 10*time.Second)
	reason = "connect_error"
	if a.link, err = connect(ctx, t.Addr, &t.Codec, timeout); err == nil {
		a.began = time.Now()
		reason = "handshake_failed"
		err = a.shake(ctx, timeout, m)
	}
	if err != nil && ctx.Err() != nil {
		return "context", context.Cause(ctx)
	}
	return reason, err
}

func (a *attacker) shake(ctx context.Context, timeout time.Duration, m manners) (err error) {
	if m.shakes {
		stop := context.AfterFunc(ctx, func() { a.link.conn.Close() })
		defer stop()
		err = a.link.shake(timeout)
	}
	if err != nil {
		a.link.conn.Close()
	}
	if tcp, ok := a.link.conn.(*net.TCPConn); ok && !m.reads {
		tcp.SetReadBuffer(4 << 10) // fills up soon
	}
	return err
}

// open sends what comes first.
func (a *attacker) open(t *Target, m manners) bool {
	if !m.shakes || len(t.First) == 0 {
		return true
	}
	var out []byte
	for _, payload := range t.First {
		out = a.seal(out, payload)
	}
	return a.write(out)
}

func (a *attacker) seal(dst, payload []byte) []byte {
	dst, err := a.link.seal(dst, payload)
	if err != nil {
		panic("bot: seal: " + err.Error())
	}
	return dst
}

// frame is the next valid frame, good until the next call.
func (a *attacker) frame() []byte {
	a.out = a.seal(a.out[:0], a.payload)
	return a.out
}

// spoil makes the front of b what no codec takes: a LAN length of zero, a
// sealed handshake of random content, a code that is not the codec's.
func (a *attacker) spoil(b []byte) {
	switch a.link.codec.Kind() {
	case frame.KindLAN:
		b[0], b[1] = 0, 0
	case frame.KindSealed:
		b[0], b[1] = 48, 0
	default:
		b[0] = a.frame()[0] + 1
	}
}

// write reports false when there is nothing more to write to.
func (a *attacker) write(b []byte) bool {
	n, err := a.link.conn.Write(b)
	a.sent += int64(n)
	a.written = err
	return err == nil
}

// await reports false when the connection ended before the tick.
func (a *attacker) await(tick <-chan time.Time) bool {
	select {
	case <-a.over:
		return false
	case <-tick:
		return true
	}
}

// listen reads until the connection ends. Before a handshake there is
// nothing it could make of the bytes.
func (a *attacker) listen(m manners) {
	defer close(a.over)
	if m.shakes {
		a.read = a.link.receive(0, func() int64 { return 0 }, func([]byte, int64) error { return nil })
		return
	}
	for a.read == nil {
		_, a.read = a.link.conn.Read(a.link.in)
	}
}

// finish waits for the end of the connection. Where writing failed, what
// the server said before is still to be read, for a moment.
func (a *attacker) finish(ctx context.Context) {
	if a.written != nil && ctx.Err() == nil {
		a.link.conn.SetReadDeadline(time.Now().Add(lastWords))
	}
	if a.over != nil {
		<-a.over
		return
	}
	if errors.Is(a.written, os.ErrDeadlineExceeded) && ctx.Err() == nil {
		_, a.read = io.Copy(io.Discard, a.link.conn)
		a.read = either(a.read, io.EOF)
	}
}

func (a *attacker) ending(ctx context.Context) Ending {
	e := Ending{After: time.Since(a.began), Sent: a.sent, Err: a.read}
	if e.Err == nil || isTimeout(e.Err) && a.written != nil {
		e.Err = a.written
	}
	switch quiet := e.Err == nil || isTimeout(e.Err); {
	case quiet && ctx.Err() != nil:
		e.Reason, e.Err = "context", context.Cause(ctx)
	case quiet:
		e.Reason = "stalled"
	default:
		e.Reason, _ = a.link.reasonOf(e.Err)
	}
	return e
}

func isTimeout(err error) bool { return errors.Is(err, os.ErrDeadlineExceeded) }
