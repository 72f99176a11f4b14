package lanserver

import (
	"context"
	"fmt"
	"time"

	"vitrine/core/packet"
)

// The flags of the call extension.
const (
	flagResponse = 1
	flagError    = 2
)

// CallError is an answer with the error flag: the server got the call and refuses it.
type CallError struct{ Text string }

// Error returns what the server said.
func (e *CallError) Error() string { return e.Text }

// answer is how a call ends: one of the two is set.
type answer struct {
	packet *packet.Packet
	err    error
}

// Call sends the packet as a request and returns the answer, which the caller releases. It consumes one reference of p, even
// on error; p must not be shared. It blocks until the answer is there, ctx is done or, when ctx has no deadline, CallTimeout
// has passed; answers that come later are counted and dropped. Many calls may be in flight, and answers come in any order.
//
// Errors: *CallError when the server refused, ErrNotConnected, ErrConnectionLost when the connection ended before the answer
// (the call may have been handled or not), ErrTooManyCalls, ErrNoCalls, the errors of Send, ctx's error, or
// context.DeadlineExceeded.
func (c *Client) Call(ctx context.Context, p *packet.Packet) (*packet.Packet, error) {
	done := make(chan answer, 1)
	conn, id, err := c.begin(ctx, p, done)
	if err != nil {
		return nil, fmt.Errorf("call: %w", err)
	}
	a := c.await(ctx, conn, id, done)
	if a.err != nil {
		return nil, fmt.Errorf("call: %w", a.err)
	}
	return a.packet, nil
}

// begin registers the call before it sends the request: the answer may be there before send returns.
func (c *Client) begin(ctx context.Context, p *packet.Packet, done chan answer) (*connection, uint32, error) {
	conn := c.current.Load()
	err := c.callable(ctx, conn, p)
	var id uint32
	if err == nil {
		id, err = conn.register(done, c.cfg.CallLimit)
	}
	if err != nil {
		p.Release()
		return nil, 0, err
	}
	c.count.calls.Add(1)
	setCall(p, id, 0)
	if err := c.send(conn, p); err != nil {
		conn.take(id)
		return nil, 0, err
	}
	return conn, id, nil
}

func (c *Client) callable(ctx context.Context, conn *connection, p *packet.Packet) error {
	switch {
	case !c.peer:
		return ErrNoCalls
	case ctx.Err() != nil:
		return ctx.Err()
	case conn == nil:
		return ErrNotConnected
	}
	return c.sendable(p)
}

// await returns the call's end. Whoever takes the call out of pending ends it, so an answer that is on its way when the time
// is up is waited for.
func (c *Client) await(ctx context.Context, conn *connection, id uint32, done chan answer) answer {
	var timeout <-chan time.Time
	if _, ok := ctx.Deadline(); !ok {
		timer := time.NewTimer(c.cfg.CallTimeout)
		defer timer.Stop()
		timeout = timer.C
	}
	err := context.DeadlineExceeded
	select {
	case a := <-done:
		return a
	case <-timeout:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if _, mine := conn.take(id); mine {
		return answer{err: err}
	}
	return <-done
}

// register gives the call an id that no other call in flight has.
func (conn *connection) register(done chan answer, limit int) (uint32, error) {
	conn.mu.Lock()
	defer conn.mu.Unlock()
	switch {
	case conn.over:
		return 0, ErrNotConnected
	case len(conn.pending) >= limit:
		return 0, ErrTooManyCalls
	}
	for conn.nextID++; conn.pending[conn.nextID] != nil; conn.nextID++ {
	}
	conn.pending[conn.nextID] = done
	return conn.nextID, nil
}

// take removes a call; whoever gets true must end it.
func (conn *connection) take(id uint32) (chan answer, bool) {
	conn.mu.Lock()
	defer conn.mu.Unlock()
	done, ok := conn.pending[id]
	delete(conn.pending, id)
	return done, ok
}

// end fails every call in flight, refuses more and returns how many there were.
func (conn *connection) end() int {
	conn.mu.Lock()
	defer conn.mu.Unlock()
	conn.over = true
	n := len(conn.pending)
	for _, done := range conn.pending {
		done <- answer{err: ErrConnectionLost}
	}
	clear(conn.pending)
	return n
}

// answered ends the call that the packet answers. Worker.
func (c *Client) answered(s *Session, ext packet.Ext, in *packet.Reader) {
	conn := c.current.Load()
	if conn == nil || conn.id != s.ID() {
		return
	}
	done, ok := conn.take(ext.CallID)
	switch {
	case !ok:
		c.count.late.Add(1)
	case ext.CallFlags&flagError != 0:
		done <- answer{err: &CallError{Text: string(in.Rest())}}
	default:
		done <- received(in)
	}
}

func received(in *packet.Reader) answer {
	p := in.Clone()
	if err := p.Err(); err != nil {
		p.Release()
		return answer{err: fmt.Errorf("answer: %w", err)}
	}
	ext := p.Ext()
	ext.Kinds &^= packet.ExtCall // it is not an answer to whoever it may be sent on to
	p.SetExt(ext)
	return answer{packet: p}
}
