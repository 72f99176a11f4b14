package simnet

import (
	"fmt"
	"io"
	"net/netip"
	"syscall"
)

// Conn is a client in the hands of the test. It never blocks, takes no
// descriptor and suffers no EINTR or short reads itself. The goroutine that
// owns the Net owns it.
type Conn struct {
	end     *end
	inbox   []byte // arrived, taken out of the window, not yet given to Read
	stopped bool   // SetReading(false)
}

// Dial begins a connection from local (the zero value: an address of its own)
// to a listener. What is written before it is accepted arrives behind the
// request. ECONNREFUSED when nobody listens there now.
func (n *Net) Dial(local, server netip.AddrPort) (*Conn, error) {
	l := n.at(server)
	if l == nil {
		n.stats.Refused++
		return nil, fmt.Errorf("dial %s: %w", server, syscall.ECONNREFUSED)
	}
	if !local.IsValid() {
		local = n.address()
	}
	e := n.pair(local, server)
	c := &Conn{end: e}
	e.conn = c
	e.ask(l)
	return c, nil
}

// Connect begins a connection from an address of its own. Device and nagle
// have no effect. When nobody listens at addr it is refused, at once or
// later, as the seed decides.
func (n *Net) Connect(addr netip.AddrPort, device string, nagle bool) (int, error) {
	l := n.at(addr)
	if l == nil {
		n.stats.Refused++
		if n.chance(0.5) {
			return -1, fmt.Errorf("connect to %s: %w", addr, syscall.ECONNREFUSED)
		}
	}
	s := n.open()
	if s == nil {
		return -1, fmt.Errorf("connect to %s: socket: %w", addr, syscall.EMFILE)
	}
	s.end = n.pair(n.address(), addr)
	s.end.sock = s
	if l == nil {
		n.later(func() { s.end.fail(syscall.ECONNREFUSED) })
		return s.fd, nil
	}
	s.end.ask(l)
	return s.fd, nil
}

// LocalAddr is the address the server sees.
func (c *Conn) LocalAddr() netip.AddrPort { return c.end.local }

// Write sends the front of b and returns how much the window took: 0 also
// when the connection is over.
func (c *Conn) Write(b []byte) int {
	e := c.end
	if e.broken || e.finished || e.room() <= 0 {
		return 0
	}
	took := min(len(b), e.room())
	e.used += took
	e.emit(append([]byte(nil), b[:took]...))
	return took
}

// Read returns all that arrived since the last call, nil for nothing. The
// slice is the caller's.
func (c *Conn) Read() []byte {
	b := c.inbox
	c.inbox = nil
	return b
}

// SetReading stops taking bytes in when reading is false, so that the server's
// window fills; with true, as at first, it takes all that waits.
func (c *Conn) SetReading(reading bool) {
	c.stopped = !reading
	c.drain()
}

// drain takes what has arrived out of the window.
func (c *Conn) drain() {
	if count := len(c.end.received); count > 0 && !c.stopped {
		c.inbox = append(c.inbox, c.end.received...)
		c.end.take(count)
	}
}

// CloseWrite ends the client's stream after what was written; it still reads.
func (c *Conn) CloseWrite() { c.end.shutdown() }

// Close ends the connection in order, or with a reset when bytes wait that
// SetReading(false) left unread. What the server sends from then on is
// answered with a reset.
func (c *Conn) Close() { c.end.close() }

// Reset ends the connection with a reset.
func (c *Conn) Reset() { c.end.abort() }

// Closed reports whether the server's side has ended, and that has arrived:
// an end of stream, a reset or a refusal.
func (c *Conn) Closed() bool { return c.Err() != nil }

// Err is nil while the server's side is open, io.EOF after its end of stream,
// else what ended the connection (ECONNRESET, ECONNREFUSED, ETIMEDOUT).
func (c *Conn) Err() error {
	switch {
	case c.end.failure != 0 && !c.end.ended:
		return c.end.failure
	case c.end.ended:
		return io.EOF
	}
	return nil
}
