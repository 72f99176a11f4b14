package engine

import (
	"context"
	"fmt"
	"net"
	"net/netip"
)

// NewDialer returns a server that listens nowhere: Connect opens its sessions, on which this side is the initiator of the
// handshake. Everything else is as for New; Config.Addr is not used.
func NewDialer(cfg Config, h Handler) (*Server, error) {
	cfg.Addr = ""
	return newServer(cfg, h)
}

// ClosedError says that a session which Connect opened ended before it joined, and why.
type ClosedError struct{ Reason Reason }

// Error returns the reason's word in a sentence.
func (e *ClosedError) Error() string { return fmt.Sprintf("closed before the join: %v", e.Reason) }

// Resolve returns the address that host:port names. A name is looked up; of several answers the first is taken, IPv4 before
// IPv6. It blocks until the answer is there or ctx is done.
func Resolve(ctx context.Context, addr string) (netip.AddrPort, error) {
	if literal, err := netip.ParseAddrPort(addr); err == nil {
		return literal, nil
	}
	host, service, err := net.SplitHostPort(addr)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("resolve %q: %w", addr, err)
	}
	port, err := net.DefaultResolver.LookupPort(ctx, "tcp", service)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("resolve %q: %w", addr, err)
	}
	found, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("resolve %q: %w", addr, err)
	}
	for _, ip := range found {
		if ip.Unmap().Is4() {
			return netip.AddrPortFrom(ip.Unmap(), uint16(port)), nil
		}
	}
	return netip.AddrPortFrom(found[0], uint16(port)), nil
}

// dial is a Connect that waits for its session to join or fail.
type dial struct {
	done chan error // buffered: the worker never waits
}

// Connect opens a session to addr and returns when OnClientJoin is about to run, when that failed, or when ctx is done,
// which closes the session. HandshakeTimeout bounds it too. It blocks, so a callback must not call it. Errors:
// ErrNotStarted, ErrServerClosed, ErrFull, ErrQueueFull, the system's (connection refused), ctx's, or a *ClosedError.
func (srv *Server) Connect(ctx context.Context, addr netip.AddrPort) (ID, error) {
	id, wait, err := srv.connect(ctx, addr)
	if err != nil {
		return 0, fmt.Errorf("connect to %v: %w", addr, err)
	}
	select {
	case err := <-wait.done:
		if err != nil {
			return 0, fmt.Errorf("connect to %v: %w", addr, err)
		}
		return id, nil
	case <-ctx.Done():
		srv.Disconnect(id)
		return 0, fmt.Errorf("connect to %v: %w", addr, ctx.Err())
	}
}

func (srv *Server) connect(ctx context.Context, addr netip.AddrPort) (ID, *dial, error) {
	if err := ctx.Err(); err != nil {
		return 0, nil, err
	}
	if err := srv.running(); err != nil {
		return 0, nil, err
	}
	id, s, ok := srv.table.Open()
	if !ok {
		return 0, nil, fmt.Errorf("%w: %d", ErrFull, srv.cfg.MaxSessions)
	}
	fd, err := srv.cfg.Network.Connect(addr, srv.cfg.Device, srv.cfg.Nagle)
	if err != nil {
		srv.unopen(id)
		return 0, nil, err
	}
	owner := srv.leastLoaded()
	s.id, s.worker, s.fd, s.openedAt, s.phase = id, owner, int32(fd), owner.poll.Now(), phaseConnecting
	s.place = unadopted
	s.elsewhere.open(id)
	s.set(flagOutgoing)
	s.setAddr(addr)
	wait, err := srv.hand(owner, id)
	if err != nil {
		owner.poll.Close(fd)
		s.reset()
		srv.unopen(id)
		return 0, nil, err
	}
	owner.wake()
	return id, wait, nil
}

func (srv *Server) running() error {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	return srv.runningLocked()
}

func (srv *Server) runningLocked() error {
	switch srv.state {
	case stateNew:
		return ErrNotStarted
	case stateStopped:
		return ErrServerClosed
	}
	return nil
}

// hand puts the session into its owner's queue. It holds mu, so that Stop, which takes mu before it tells the workers,
// finds there whatever was handed over: the worker drains its queue before it ends.
func (srv *Server) hand(owner *worker, id ID) (*dial, error) {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if err := srv.runningLocked(); err != nil {
		return nil, err
	}
	wait := &dial{done: make(chan error, 1)}
	srv.dials[id] = wait
	owner.load.Add(1)
	if !owner.commands.Push(command{id: id, kind: commandAdopt}) {
		srv.fullQueues.Add(1)
		owner.load.Add(-1)
		delete(srv.dials, id)
		return nil, ErrQueueFull
	}
	return wait, nil
}

// unopen gives back a slot that no worker has seen.
func (srv *Server) unopen(id ID) {
	srv.table.Release(id)
	srv.table.Free(id)
}

func (srv *Server) takeDial(id ID) *dial {
	srv.mu.Lock()
	defer srv.mu.Unlock()
	wait := srv.dials[id]
	delete(srv.dials, id)
	return wait
}

// connected looks at an outgoing connection at its first event: it is there, or it failed.
func (w *worker) connected(s *Session) {
	if errno := w.server.cfg.Network.SocketError(int(s.fd)); errno != 0 {
		if wait := w.server.takeDial(s.id); wait != nil {
			wait.done <- errno
		}
		w.close(s, ReadError)
		return
	}
	s.phase = phaseHandshake
	w.greet(s)
}

// dialed tells a waiting Connect that its session joined (NotClosed) or why it did not.
func (w *worker) dialed(s *Session) {
	if !s.has(flagOutgoing) {
		return
	}
	wait := w.server.takeDial(s.id)
	switch {
	case wait == nil:
	case s.reason == NotClosed:
		wait.done <- nil
	default:
		wait.done <- &ClosedError{Reason: s.reason}
	}
}
