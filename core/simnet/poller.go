package simnet

import (
	"fmt"
	"net/netip"
	"sync/atomic"
	"syscall"
	"time"

	"vitrine/core/poller"
)

// Poller reports a Net's sockets by the rules of package poller. The
// goroutine that owns the Net owns it; Wake may be called from any.
type Poller struct {
	net    *Net
	ready  []*watch // edges not reported yet, the oldest first
	woken  atomic.Bool
	closed bool
}

// watch is one socket's registration with one poller.
type watch struct {
	poller *Poller
	sock   *socket
	data   uint64
	level  bool // a listener: stays queued while it is ready
	queued bool // is in poller.ready
	gone   bool // removed or closed: passed over
}

// edge queues the socket with every poller that watches it.
func (s *socket) edge() {
	for _, w := range s.watches {
		w.queue()
	}
}

func (s *socket) state() poller.Ready {
	if s.listener == nil {
		return s.end.state()
	}
	if len(s.listener.queue) > 0 {
		return poller.Readable
	}
	return 0
}

func (w *watch) queue() {
	if !w.queued {
		w.queued = true
		w.poller.ready = append(w.poller.ready, w)
	}
}

// Wait returns what is ready now and never sleeps, whatever the timeout.
func (p *Poller) Wait(events []poller.Event, _ time.Duration) (int, error) {
	p.net.stats.Waits++
	if p.closed {
		return 0, poller.ErrClosed
	}
	if len(events) == 0 {
		return 0, fmt.Errorf("wait for events: %w", syscall.EINVAL)
	}
	if p.woken.Swap(false) {
		p.net.stats.Wakes++
	}
	n := p.report(events[:min(len(events), poller.MaxEvents)])
	p.net.stats.Events += n
	return n, nil
}

// report turns the oldest edges into events; listeners go to the end of the
// queue.
func (p *Poller) report(events []poller.Event) int {
	n, next := 0, 0
	var again []*watch
	for ; n < len(events) && next < len(p.ready); next++ {
		w := p.ready[next]
		if w.gone {
			continue
		}
		w.queued = false
		state := w.sock.state()
		if state == 0 {
			continue
		}
		events[n] = poller.Event{Data: w.data, Ready: state}
		n++
		if w.level {
			again = append(again, w)
		}
	}
	p.ready = append(p.ready[:0], p.ready[next:]...)
	for _, w := range again {
		w.queue()
	}
	return n
}

// pending reports whether Wait would return something, as far as can be told
// without looking at the sockets.
func (p *Poller) pending() bool {
	if p.closed {
		return false
	}
	for _, w := range p.ready {
		if !w.gone && (!w.level || w.sock.state() != 0) {
			return true
		}
	}
	return p.woken.Load()
}

// Wake makes Net.Ready true until the next Wait.
func (p *Poller) Wake() error {
	p.woken.Store(true)
	return nil
}

// Add reports fd's edges with data from now on.
func (p *Poller) Add(fd int, data uint64) error { return p.watch(fd, data, false) }

// AddListener reports fd with data while connections are queued.
func (p *Poller) AddListener(fd int, data uint64) error { return p.watch(fd, data, true) }

func (p *Poller) watch(fd int, data uint64, level bool) error {
	s, err := p.lookup(fd)
	if err == nil && data == poller.ReservedData {
		err = syscall.EINVAL
	}
	if err == nil && p.holds(s) != nil {
		err = syscall.EEXIST
	}
	if err != nil {
		return fmt.Errorf("watch descriptor %d: %w", fd, err)
	}
	w := &watch{poller: p, sock: s, data: data, level: level}
	s.watches = append(s.watches, w)
	w.queue()
	return nil
}

// lookup finds an open socket for a poller that is not closed.
func (p *Poller) lookup(fd int) (*socket, error) {
	if p.closed {
		return nil, poller.ErrClosed
	}
	s := p.net.find(fd)
	if s == nil {
		return nil, syscall.EBADF
	}
	return s, nil
}

func (p *Poller) holds(s *socket) *watch {
	for _, w := range s.watches {
		if w.poller == p {
			return w
		}
	}
	return nil
}

// Remove stops reporting fd.
func (p *Poller) Remove(fd int) error {
	s, err := p.lookup(fd)
	if err == nil && p.holds(s) == nil {
		err = syscall.ENOENT
	}
	if err != nil {
		return fmt.Errorf("stop watching descriptor %d: %w", fd, err)
	}
	p.forget(s)
	return nil
}

// forget drops this poller's watch of s, if it has one.
func (p *Poller) forget(s *socket) {
	for i, w := range s.watches {
		if w.poller == p {
			w.gone = true
			s.watches = append(s.watches[:i], s.watches[i+1:]...)
			return
		}
	}
}

// Accept takes the oldest queued connection.
func (p *Poller) Accept(fd int) (int, netip.AddrPort, syscall.Errno) {
	p.net.stats.Accepts++
	s := p.net.find(fd)
	switch {
	case s == nil:
		return -1, netip.AddrPort{}, syscall.EBADF
	case s.listener == nil:
		return -1, netip.AddrPort{}, syscall.EINVAL
	}
	e, errno := s.listener.accept()
	if errno != 0 {
		return -1, netip.AddrPort{}, errno
	}
	return e.sock.fd, e.remote, 0
}

// connection finds an end that can be read and written.
func (p *Poller) connection(fd int) (*end, syscall.Errno) {
	s := p.net.find(fd)
	switch {
	case s == nil:
		return nil, syscall.EBADF
	case s.end == nil:
		return nil, syscall.ENOTCONN
	}
	return s.end, 0
}

// Read takes the front of what has arrived. It panics on an empty b, which
// could not be told from the end of the stream.
func (p *Poller) Read(fd int, b []byte) (int, syscall.Errno) {
	p.net.stats.Reads++
	if len(b) == 0 {
		panic("simnet: Read into an empty buffer")
	}
	e, errno := p.connection(fd)
	if errno != 0 {
		return 0, errno
	}
	return e.read(b)
}

// Write sends the front of b. It panics on an empty b.
func (p *Poller) Write(fd int, b []byte) (int, syscall.Errno) {
	p.net.stats.Writes++
	if len(b) == 0 {
		panic("simnet: Write of nothing")
	}
	e, errno := p.connection(fd)
	if errno != 0 {
		return 0, errno
	}
	return e.write(b)
}

// Writev is Write of the first MaxBuffers buffers in order.
func (p *Poller) Writev(fd int, bufs [][]byte) (int, syscall.Errno) {
	var all []byte
	for _, b := range bufs[:min(len(bufs), poller.MaxBuffers)] {
		all = append(all, b...)
	}
	return p.Write(fd, all)
}

// Shutdown ends the write side.
func (p *Poller) Shutdown(fd int) syscall.Errno {
	e, errno := p.connection(fd)
	if errno != 0 {
		return errno
	}
	return e.shutdown()
}

// Close gives the descriptor back and ends its reports.
func (p *Poller) Close(fd int) syscall.Errno {
	p.net.stats.Closes++
	return p.net.close(fd)
}

// Abort is Close with a reset.
func (p *Poller) Abort(fd int) syscall.Errno {
	e, errno := p.connection(fd)
	if errno != 0 {
		return errno
	}
	e.abort()
	return p.Close(fd)
}

// Now is the virtual time in nanoseconds.
func (p *Poller) Now() int64 { return p.net.now }

// Destroy closes the poller, not the sockets it watched.
func (p *Poller) Destroy() error {
	if p.closed {
		return nil
	}
	p.closed = true
	p.ready = nil
	for _, s := range p.net.sockets {
		if s != nil {
			p.forget(s)
		}
	}
	return nil
}
