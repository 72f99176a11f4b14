package simnet

import (
	"net/netip"
	"syscall"

	"vitrine/core/poller"
)

// end is one side of a connection. Each side's sent bytes become the other's
// received ones:
//
//	used = on the way + peer's received + on the way back as room <= Window
type end struct {
	net           *Net
	peer          *end
	sock          *socket // nil while unaccepted, after Close, and for a Conn
	conn          *Conn   // nil unless a test's
	local, remote netip.AddrPort

	opening bool // asking, and does not know yet that it is admitted

	received []byte        // arrived and unread
	ended    bool          // the peer's end of stream has arrived
	broken   bool          // reset, refused or timed out: nothing arrives or leaves
	failure  syscall.Errno // why; told once

	used     int   // bytes sent whose room has not come back
	blocked  bool  // a Write or Wait found no room: tell when there is
	finished bool  // Shutdown or Close was called: sends no more
	closed   bool  // Close was called
	latest   int64 // when the latest thing sent arrives, ns
	unseen   int   // things sent that have not arrived
}

// pair makes the two ends of a connection that is being asked for.
func (n *Net) pair(local, remote netip.AddrPort) (asking *end) {
	asking = &end{net: n, local: local, remote: remote, opening: true}
	asking.peer = &end{net: n, local: remote, remote: local, peer: asking}
	return asking
}

// ask sends the request to the listener. Bytes that arrive in front of it
// wait at the accepting end, which nobody can see before Accept.
func (e *end) ask(l *listener) {
	e.net.later(func() { l.request(e, 0) })
}

// transmit lets arrive happen at the peer after a delay and after all that
// was sent before.
func (e *end) transmit(arrive func()) {
	at := max(e.latest, e.net.now+e.net.delay())
	e.latest = at
	if at == e.net.now && e.unseen == 0 {
		arrive()
		return
	}
	e.unseen++
	e.net.schedule(at, func() {
		e.unseen--
		arrive()
	})
}

// opened tells the asking end that its connection stands.
func (e *end) opened() {
	if e.broken {
		return
	}
	e.opening = false
	e.edge()
}

// edge tells the pollers, if any, that something happened.
func (e *end) edge() {
	if e.sock != nil {
		e.sock.edge()
	}
}

// state is what an edge is turned into at Wait.
func (e *end) state() poller.Ready {
	if e.broken {
		return poller.Readable | poller.Writable | poller.Hangup
	}
	if e.opening {
		return 0
	}
	var r poller.Ready
	if len(e.received) > 0 {
		r |= poller.Readable
	}
	if e.ended {
		r |= poller.Readable | poller.Hangup
	}
	if e.finished || e.roomy() {
		r |= poller.Writable
	} else {
		e.blocked = true
	}
	return r
}

// roomy reports whether a third of the window is free.
func (e *end) roomy() bool { return e.room()*2 >= e.used }

func (e *end) room() int { return e.net.config.Window - e.used }

// read takes the front of what has arrived.
func (e *end) read(b []byte) (int, syscall.Errno) {
	n := e.net
	switch {
	case n.chance(n.config.Interrupt):
		n.stats.Interrupts++
		return 0, syscall.EINTR
	case len(e.received) == 0:
		return 0, e.nothing()
	case n.chance(n.config.Again):
		n.stats.Agains++
		n.later(e.edge)
		return 0, syscall.EAGAIN
	}
	could := min(len(b), len(e.received))
	took := could
	if n.config.MaxRead > 0 {
		took = min(took, n.config.MaxRead)
	}
	if took > 1 && n.chance(n.config.ShortRead) {
		took = n.upTo(took - 1)
	}
	copy(b, e.received[:took])
	e.take(took)
	if took < could {
		n.stats.ShortReads++
		n.later(e.edge)
	}
	return took, 0
}

// nothing says why there is nothing to read: 0 at the end of the stream.
func (e *end) nothing() syscall.Errno {
	switch {
	case e.ended:
		return 0
	case e.failure != 0:
		return e.takeFailure()
	case e.broken:
		return 0
	}
	return syscall.EAGAIN
}

func (e *end) takeFailure() syscall.Errno {
	errno := e.failure
	e.failure = 0
	return errno
}

// take drops read bytes and sends their room back.
func (e *end) take(count int) {
	e.received = e.received[count:]
	peer := e.peer
	e.net.later(func() {
		peer.used -= count
		if peer.blocked && peer.roomy() {
			peer.blocked = false
			peer.edge()
		}
	})
}

// write sends the front of b as far as the window goes.
func (e *end) write(b []byte) (int, syscall.Errno) {
	n := e.net
	switch {
	case n.chance(n.config.Interrupt):
		n.stats.Interrupts++
		return 0, syscall.EINTR
	case e.broken || e.finished:
		if errno := e.takeFailure(); errno != 0 {
			return 0, errno
		}
		return 0, syscall.EPIPE
	case e.opening || e.room() <= 0:
		n.stats.Full++
		e.blocked = true
		return 0, syscall.EAGAIN
	case n.chance(n.config.Again):
		n.stats.Agains++
		n.later(e.edge)
		return 0, syscall.EAGAIN
	}
	return e.send(b), 0
}

// send cuts b to the window, then perhaps further, and sends that.
func (e *end) send(b []byte) int {
	n := e.net
	took := min(len(b), e.room())
	if took < len(b) {
		n.stats.Full++
		e.blocked = true
	}
	if took > 1 && n.chance(n.config.ShortWrite) {
		n.stats.ShortWrites++
		took = n.upTo(took - 1)
		n.later(e.edge)
	}
	e.used += took
	e.emit(append([]byte(nil), b[:took]...))
	return took
}

// emit sends b, which is its own, in segments.
func (e *end) emit(b []byte) {
	for len(b) > 0 {
		size := len(b)
		if e.net.config.Segment > 0 {
			size = min(size, e.net.upTo(e.net.config.Segment))
		}
		segment := b[:size]
		b = b[size:]
		e.transmit(func() { e.peer.arrive(segment) })
	}
}

// arrive takes a segment in.
func (e *end) arrive(segment []byte) {
	n := e.net
	switch {
	case e.broken:
		n.stats.Lost += len(segment)
		return
	case e.closed:
		n.stats.Lost += len(segment)
		e.abort()
		return
	case n.chance(n.config.Reset):
		n.stats.Resets++
		n.stats.Lost += len(segment)
		e.transmit(e.peer.reset)
		e.reset()
		return
	}
	n.stats.Segments++
	n.stats.Bytes += len(segment)
	e.received = append(e.received, segment...)
	if e.conn != nil {
		e.conn.drain()
	}
	e.edge()
}

// arriveEnd takes the end of the stream in.
func (e *end) arriveEnd() {
	if e.broken || e.ended {
		return
	}
	e.ended = true
	e.edge()
}

// reset takes a reset in: what has arrived stays readable.
func (e *end) reset() {
	if e.ended {
		e.fail(syscall.EPIPE)
	} else {
		e.fail(syscall.ECONNRESET)
	}
}

func (e *end) fail(errno syscall.Errno) {
	if e.broken {
		return
	}
	e.broken, e.opening, e.failure = true, false, errno
	e.edge()
}

// shutdown ends the sending side after what was sent.
func (e *end) shutdown() syscall.Errno {
	if e.broken || e.opening && e.conn == nil {
		return syscall.ENOTCONN
	}
	e.finish()
	e.edge()
	return 0
}

func (e *end) finish() {
	if !e.finished {
		e.finished = true
		e.transmit(e.peer.arriveEnd)
	}
}

// close gives the end up: with unread bytes as a reset, else in order.
func (e *end) close() {
	if e.closed {
		return
	}
	e.closed = true
	switch {
	case e.broken:
	case len(e.received) > 0:
		e.abort()
	default:
		e.finish()
	}
}

// abort gives the end up with a reset.
func (e *end) abort() {
	e.closed, e.finished = true, true
	if !e.broken {
		e.broken = true
		e.transmit(e.peer.reset)
	}
}
