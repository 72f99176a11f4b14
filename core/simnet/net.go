package simnet

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"syscall"
	"time"

	"vitrine/core/poller"
)

const (
	firstDescriptor = 3
	firstPort       = 40000 // of Listen with port 0, and of callers without an address
)

// Net is one simulated network: a set of descriptors, the connections between
// them and the test's Conns, and the queue of what has yet to arrive. It
// implements poller.Network. One goroutine owns all of it.
type Net struct {
	config    Config // fixed after New
	random    *rand.Rand
	now       int64 // ns of virtual time
	queue     arrivals
	sequence  uint64    // of the arrival scheduled last; breaks ties of time
	sockets   []*socket // by descriptor; nil: free
	lowest    int       // no descriptor below it is free
	listeners []*listener
	pollers   []*Poller
	port      uint16 // given out last
	stats     Stats
}

// New returns an empty network whose clock stands at one second. It panics
// when config makes no sense.
func New(config Config) *Net {
	return &Net{
		config:  config.withDefaults(),
		random:  rand.New(rand.NewPCG(config.Seed, 0x7669747269_6e65)),
		now:     int64(time.Second),
		sockets: make([]*socket, firstDescriptor),
		lowest:  firstDescriptor,
		port:    firstPort - 1,
	}
}

// arrival is something that will happen at a known time.
type arrival struct {
	at       int64 // ns
	sequence uint64
	happen   func()
}

// arrivals is a heap: the earliest first, of the same time the one scheduled
// first.
type arrivals []arrival

func (a arrivals) Len() int      { return len(a) }
func (a arrivals) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a arrivals) Less(i, j int) bool {
	return a[i].at < a[j].at || a[i].at == a[j].at && a[i].sequence < a[j].sequence
}
func (a *arrivals) Push(x any) { *a = append(*a, x.(arrival)) }
func (a *arrivals) Pop() any {
	last := len(*a) - 1
	x := (*a)[last]
	(*a)[last] = arrival{}
	*a = (*a)[:last]
	return x
}

// Now is the virtual time in nanoseconds.
func (n *Net) Now() int64 { return n.now }

// Stats returns the counters so far.
func (n *Net) Stats() Stats { return n.stats }

// Advance moves time by d and lets everything arrive that is due until then,
// in order.
func (n *Net) Advance(d time.Duration) {
	end := n.now + int64(max(d, 0))
	for len(n.queue) > 0 && n.queue[0].at <= end {
		n.Step()
	}
	n.now = end
}

// Step moves time to the next arrival and lets it happen. It reports false
// when nothing is on its way.
func (n *Net) Step() bool {
	if len(n.queue) == 0 {
		return false
	}
	next := heap.Pop(&n.queue).(arrival)
	n.now = max(n.now, next.at)
	next.happen()
	return true
}

// Next returns how long from now the next arrival is, false when nothing is
// on its way.
func (n *Net) Next() (time.Duration, bool) {
	if len(n.queue) == 0 {
		return 0, false
	}
	return time.Duration(max(n.queue[0].at-n.now, 0)), true
}

// Ready reports whether some poller has an edge, a queued connection or a
// Wake to report: whether a turn would find something to do.
func (n *Net) Ready() bool {
	for _, p := range n.pollers {
		if p.pending() {
			return true
		}
	}
	return false
}

// schedule lets happen run at a time not before now.
func (n *Net) schedule(at int64, happen func()) {
	n.sequence++
	heap.Push(&n.queue, arrival{at: at, sequence: n.sequence, happen: happen})
}

// later lets happen run after a delay, at once when that is 0.
func (n *Net) later(happen func()) {
	if d := n.delay(); d > 0 {
		n.schedule(n.now+d, happen)
		return
	}
	happen()
}

// delay draws how long something travels, in ns.
func (n *Net) delay() int64 {
	least, spread := int64(n.config.MinDelay), int64(n.config.MaxDelay-n.config.MinDelay)
	if spread <= 0 {
		return least
	}
	return least + n.random.Int64N(spread+1)
}

// chance draws whether something of probability p happens. A thing that
// never happens draws nothing, so that a Config without it stays comparable.
func (n *Net) chance(p float64) bool {
	return p > 0 && n.random.Float64() < p
}

// upTo draws a number from 1 to most.
func (n *Net) upTo(most int) int { return 1 + n.random.IntN(most) }

// address gives out a local address of its own.
func (n *Net) address() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), n.freePort())
}

func (n *Net) freePort() uint16 {
	n.port++
	if n.port == 0 {
		n.port = firstPort
	}
	return n.port
}

// socket is what a descriptor names: a listener or one end of a connection.
type socket struct {
	fd       int
	listener *listener
	end      *end
	watches  []*watch // one per poller that holds it
}

// open takes the lowest free descriptor, as the kernel does. It is nil at the
// limit.
func (n *Net) open() *socket {
	if n.full() {
		return nil
	}
	fd := n.lowest
	for fd < len(n.sockets) && n.sockets[fd] != nil {
		fd++
	}
	if fd == len(n.sockets) {
		n.sockets = append(n.sockets, nil)
	}
	s := &socket{fd: fd}
	n.sockets[fd], n.lowest = s, fd+1
	n.stats.Open++
	return s
}

func (n *Net) full() bool { return n.stats.Open >= n.config.Descriptors }

// find returns an open socket, nil (and counts it) otherwise.
func (n *Net) find(fd int) *socket {
	if fd < 0 || fd >= len(n.sockets) || n.sockets[fd] == nil {
		n.stats.BadDescriptors++
		return nil
	}
	return n.sockets[fd]
}

// release frees the descriptor and ends its reports.
func (n *Net) release(s *socket) {
	for _, w := range s.watches {
		w.gone = true
	}
	s.watches = nil
	n.sockets[s.fd] = nil
	n.lowest = min(n.lowest, s.fd)
	n.stats.Open--
}

// close closes either kind of socket.
func (n *Net) close(fd int) syscall.Errno {
	s := n.find(fd)
	if s == nil {
		return syscall.EBADF
	}
	n.release(s)
	if s.listener != nil {
		s.listener.close()
	} else {
		s.end.sock = nil
		s.end.close()
	}
	return 0
}

// NewPoller returns a Poller that reports this network's sockets.
func (n *Net) NewPoller() (poller.Poller, error) {
	p := &Poller{net: n}
	n.pollers = append(n.pollers, p)
	return p, nil
}

// SocketError returns and clears what went wrong with fd, 0 for nothing.
func (n *Net) SocketError(fd int) syscall.Errno {
	s := n.find(fd)
	switch {
	case s == nil:
		return syscall.EBADF
	case s.end == nil:
		return 0
	}
	return s.end.takeFailure()
}

// CloseListener closes the socket. Connections still queued are reset.
func (n *Net) CloseListener(fd int) error {
	if errno := n.close(fd); errno != 0 {
		return fmt.Errorf("close listener %d: %w", fd, errno)
	}
	return nil
}
