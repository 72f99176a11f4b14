package engine

import (
	"context"
	"fmt"
	"net/netip"
)

// NewDialer returns a server that listens nowhere: Connect opens its sessions, on which this side is the initiator of the
// handshake. Everything else is as for New; Config.Addr is not used.
func NewDialer(cfg Config, h Handler) (*Server, error) {
	cfg.Addr = ""
	return newServer(cfg, h)
}

// dial is a Connect that waits for its session to join or fail.
type dial struct {
	done chan error // buffered: the worker never waits
}

// Connect opens a session to addr and returns when OnClientJoin is about to run, when that failed, or when ctx is done,
// which closes the session.
func (srv *Server) Connect(ctx context.Context, addr netip.AddrPort) (ID, error) {
	id, wait, err := srv.connect(addr)
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

func (srv *Server) connect(addr netip.AddrPort) (ID, *dial, error) {
	srv.mu.Lock()
	running := srv.state == stateRunning
	srv.mu.Unlock()
	if !running {
		return 0, nil, ErrNotStarted
	}
	id, s, ok := srv.table.Open()
	if !ok {
		return 0, nil, fmt.Errorf("max sessions %d are open", srv.cfg.MaxSessions)
	}
	fd, err := srv.cfg.Network.Connect(addr, srv.cfg.Device, srv.cfg.Nagle)
	if err != nil {
		srv.table.Release(id)
		srv.table.Free(id)
		return 0, nil, err
	}
	wait := &dial{done: make(chan error, 1)}
	srv.mu.Lock()
	srv.dials[id] = wait
	srv.mu.Unlock()
	owner := srv.leastLoaded()
	s.id, s.worker, s.fd, s.openedAt, s.phase = id, owner, int32(fd), owner.poll.Now(), phaseConnecting
	s.set(flagOutgoing)
	s.setAddr(addr)
	owner.load.Add(1)
	if !owner.command(command{id: id, kind: commandAdopt}) {
		return 0, nil, srv.unconnect(owner, id, s)
	}
	return id, wait, nil
}

// unconnect undoes connect when the worker has no room for one more command.
func (srv *Server) unconnect(owner *worker, id ID, s *Session) error {
	owner.load.Add(-1)
	owner.poll.Close(int(s.fd))
	srv.takeDial(id)
	s.reset()
	srv.table.Release(id)
	srv.table.Free(id)
	return ErrQueueFull
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
		wait.done <- fmt.Errorf("closed before the join: %v", s.reason)
	}
}
