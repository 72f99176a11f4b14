package poller

import (
	"errors"
	"net/netip"
	"syscall"
	"time"
)

const (
	// MaxEvents is the most events one Wait reports; the rest is reported by
	// the next.
	MaxEvents = 1024
	// MaxBuffers is the most buffers one Writev looks at.
	MaxBuffers = 64
	// DefaultBacklog is the accept queue's length when ListenConfig.Backlog is
	// 0. The kernel cuts it to net.core.somaxconn.
	DefaultBacklog = 4096
	// ReservedData is the one value Add and AddListener refuse as data: it
	// marks the poller's own descriptor.
	ReservedData = ^uint64(0)
)

var (
	// ErrUnsupported is returned by every call of System off Linux.
	ErrUnsupported = errors.New("poller: not supported on this platform")
	// ErrClosed is returned by a Poller's Wait, Add and Remove after Destroy.
	ErrClosed = errors.New("poller: closed")
)

// Ready is a set of what an Event found.
type Ready uint8

const (
	// Readable: bytes, the end of the stream or an error wait for Read, or a
	// connection waits for Accept.
	Readable Ready = 1 << iota
	// Writable: at least a third of the send buffer is free, or Write will
	// report why not.
	Writable
	// Hangup: the peer ended its side, or the connection failed. Read what is
	// left to learn which.
	Hangup
)

// String names the bits: "readable|hangup".
func (r Ready) String() string {
	names := [...]string{"readable", "writable", "hangup"}
	s := ""
	for i, name := range names {
		if r&(1<<i) == 0 {
			continue
		}
		if s != "" {
			s += "|"
		}
		s += name
	}
	return s
}

// Event is one report of Wait.
type Event struct {
	Data  uint64 // what Add or AddListener was given
	Ready Ready  // what was so when Wait looked
}

// Poller watches one worker's sockets and makes its socket calls. It is owned
// by one goroutine; only Wake may be called from others. Only a Wait whose
// timeout is not 0 blocks.
type Poller interface {
	// Wait fills events and returns how many. It looks first and sleeps only
	// when nothing is ready: with timeout < 0 until something happens, with
	// timeout > 0 at most that long, with 0 not at all. It returns 0 events
	// when the time is over or a Wake was consumed. It retries EINTR itself.
	// An empty events is EINVAL.
	Wait(events []Event, timeout time.Duration) (int, error)
	// Wake makes the Wait that sleeps, or else the next one, return at once.
	// Any goroutine, at any time; after Destroy it does nothing. Wakes before
	// that return are one. What was stored before Wake is seen after Wait.
	Wake() error

	// Add reports fd's edges with data from now on, until Close or Remove.
	// Its state now is the first edge.
	Add(fd int, data uint64) error
	// AddListener reports fd with data while connections are queued.
	AddListener(fd int, data uint64) error
	// Remove stops reporting fd, also what was about to be reported.
	Remove(fd int) error

	// Accept takes one connection from the queue: a non-blocking socket,
	// closed on exec, which the caller owns, and the peer's address (IPv4 in
	// its own form). fd is -1 with an errno, see the package comment.
	Accept(fd int) (int, netip.AddrPort, syscall.Errno)
	// Read fills b from the start; 0 without errno is the end of the stream.
	// b must not be empty.
	Read(fd int, b []byte) (int, syscall.Errno)
	// Write sends the front of b and returns how much the kernel took. b must
	// not be empty; it is the caller's again on return.
	Write(fd int, b []byte) (int, syscall.Errno)
	// Writev is Write for several buffers, in order. It looks at the first
	// MaxBuffers; when all of those were taken there may be room for more. At
	// least one of them must not be empty.
	Writev(fd int, bufs [][]byte) (int, syscall.Errno)
	// Shutdown ends the write side: the peer reads what was written, then the
	// end of the stream.
	Shutdown(fd int) syscall.Errno
	// Close gives the descriptor back and ends its reports. Bytes unread then
	// turn the close into a reset, which may cost the peer the last answer.
	Close(fd int) syscall.Errno
	// Abort is Close with a reset: what the kernel has still to send is
	// dropped, so a peer that does not read holds no memory of ours.
	Abort(fd int) syscall.Errno

	// Now is the time in nanoseconds on the clock all pollers of one Network
	// share. It never goes back.
	Now() int64
	// Destroy closes the poller, not the sockets it watched. A second call
	// does nothing.
	Destroy() error
}

// ListenConfig says where and how to listen.
type ListenConfig struct {
	// Addr is host:port, resolved once. An empty host or [::] is every
	// address of both families, 0.0.0.0 every IPv4 address. Port 0 is any free
	// port. Required.
	Addr string
	// Device binds to one network card by name. Default: any.
	Device string
	// Nagle leaves Nagle's algorithm on for accepted connections. Default:
	// off (TCP_NODELAY).
	Nagle bool
	// Backlog is how many connections may wait for Accept; more are left to
	// retry. Default: DefaultBacklog.
	Backlog int
}

// Network makes listeners, outgoing connections and pollers. System's may be
// used from any goroutine.
type Network interface {
	// Listen returns a listening socket, which the caller owns, and the
	// address it got. It blocks while a host name is looked up. Its errors
	// name the address and the step.
	Listen(ListenConfig) (fd int, addr netip.AddrPort, err error)
	// Connect begins a connection and does not wait for it: after Add, the
	// first Writable or Hangup says that it is decided, SocketError how. A
	// refusal may also be returned at once. The caller owns fd.
	Connect(addr netip.AddrPort, device string, nagle bool) (fd int, err error)
	// SocketError returns and clears what went wrong with fd, 0 for nothing.
	SocketError(fd int) syscall.Errno
	// NewPoller returns a Poller for one goroutine; it must be Destroyed.
	NewPoller() (Poller, error)
	// CloseListener closes the socket; connections still queued are reset.
	CloseListener(fd int) error
}
