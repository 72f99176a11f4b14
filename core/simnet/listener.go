package simnet

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"syscall"
	"time"

	"vitrine/core/poller"
)

// requests is how often a connection request is sent again when the accept
// queue is full; the pause before it begins at one second and doubles.
const requests = 6

// listener is a socket that connections wait at.
type listener struct {
	net    *Net
	sock   *socket
	addr   netip.AddrPort
	limit  int    // len(queue) <= limit
	queue  []*end // the accepting ends, the oldest first
	closed bool
}

// Listen returns a listening socket and its address; the caller owns it.
// EADDRINUSE when an open listener has the address, or its port with an
// address that covers it.
func (n *Net) Listen(c poller.ListenConfig) (int, netip.AddrPort, error) {
	l, err := n.listen(c)
	if err != nil {
		return -1, netip.AddrPort{}, fmt.Errorf("listen on %q: %w", c.Addr, err)
	}
	return l.sock.fd, l.addr, nil
}

func (n *Net) listen(c poller.ListenConfig) (*listener, error) {
	addr, err := resolve(c.Addr)
	if err != nil {
		return nil, err
	}
	if addr.Port() == 0 {
		addr = netip.AddrPortFrom(addr.Addr(), n.freePort())
	}
	for _, l := range n.listeners {
		if l.covers(addr) || covers(addr, l.addr) {
			return nil, fmt.Errorf("bind: %w", syscall.EADDRINUSE)
		}
	}
	s := n.open()
	if s == nil {
		return nil, fmt.Errorf("socket: %w", syscall.EMFILE)
	}
	s.listener = &listener{net: n, sock: s, addr: addr, limit: backlog(c)}
	n.listeners = append(n.listeners, s.listener)
	return s.listener, nil
}

// resolve reads host:port without asking anybody.
func resolve(text string) (netip.AddrPort, error) {
	host, service, err := net.SplitHostPort(text)
	if err != nil {
		return netip.AddrPort{}, err
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("port %q: %w", service, err)
	}
	switch host {
	case "":
		return netip.AddrPortFrom(netip.IPv6Unspecified(), uint16(port)), nil
	case "localhost":
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(port)), nil
	}
	addr, err := netip.ParseAddr(host)
	return netip.AddrPortFrom(addr.Unmap(), uint16(port)), err
}

func (l *listener) covers(addr netip.AddrPort) bool { return covers(l.addr, addr) }

// covers reports whether who listens at a takes connections to b: [::] takes
// all, 0.0.0.0 takes IPv4.
func covers(a, b netip.AddrPort) bool {
	switch {
	case a.Port() != b.Port():
		return false
	case a.Addr() == netip.IPv6Unspecified():
		return true
	case a.Addr() == netip.IPv4Unspecified():
		return b.Addr().Is4()
	}
	return a.Addr() == b.Addr()
}

// at returns the open listener that takes connections to addr, or nil.
func (n *Net) at(addr netip.AddrPort) *listener {
	addr = netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port())
	for _, l := range n.listeners {
		if l.covers(addr) {
			return l
		}
	}
	return nil
}

// request brings the asking end's request to the listener, the try-th time.
func (l *listener) request(asking *end, try int) {
	switch {
	case asking.closed && asking.conn == nil:
		return // The kernel forgets a request whose socket is closed.
	case l.closed:
		l.net.stats.Refused++
		asking.peer.transmit(func() { asking.fail(syscall.ECONNREFUSED) })
	case len(l.queue) < l.limit:
		l.admit(asking)
	case try < requests:
		l.net.stats.Dropped++
		l.net.schedule(l.net.now+int64(time.Second)<<try, func() { l.request(asking, try+1) })
	default:
		l.net.stats.Dropped++
		asking.fail(syscall.ETIMEDOUT)
	}
}

// admit queues the accepting end and tells the asking one.
func (l *listener) admit(asking *end) {
	l.queue = append(l.queue, asking.peer)
	l.sock.edge()
	asking.peer.transmit(asking.opened)
}

// accept takes the oldest connection.
func (l *listener) accept() (*end, syscall.Errno) {
	n := l.net
	switch {
	case n.chance(n.config.Interrupt):
		n.stats.Interrupts++
		return nil, syscall.EINTR
	case n.full(): // Even with nothing queued: the descriptor comes first.
		n.stats.NoDescriptors++
		return nil, syscall.EMFILE
	case len(l.queue) == 0:
		return nil, syscall.EAGAIN
	case n.chance(n.config.Again):
		n.stats.Agains++
		return nil, syscall.EAGAIN
	case n.chance(n.config.NoDescriptor):
		n.stats.NoDescriptors++
		return nil, syscall.EMFILE
	}
	e := l.queue[0]
	l.queue = append(l.queue[:0], l.queue[1:]...)
	if n.chance(n.config.Abort) {
		n.stats.Aborts++
		e.abort()
		return nil, syscall.ECONNABORTED
	}
	e.sock = n.open()
	e.sock.end = e
	return e, 0
}

// close refuses what comes and resets what waits.
func (l *listener) close() {
	l.closed = true
	for i, other := range l.net.listeners {
		if other == l {
			l.net.listeners = append(l.net.listeners[:i], l.net.listeners[i+1:]...)
			break
		}
	}
	for _, e := range l.queue {
		e.abort()
	}
	l.queue = nil
}
