package engine

import (
	"net/netip"
	"sync"
	"syscall"
)

// listenerEvent is the event data of the listener: no session has the id 0.
const listenerEvent = 0

// acceptor is worker 0's half of the listener.
type acceptor struct {
	fd        int   // -1: none
	resumeAt  int64 // when accepting goes on after a pause; 0: not paused
	allowedAt int64 // accept rate: when the next connection conforms without burst
	more      bool  // connections may be queued
}

// acceptSome takes a bounded number of connections. It goes on in the next turn where that is not all: under load the
// poller reports the listener only once in many turns.
func (w *worker) acceptSome() {
	defer w.recovered(nil) // what observers panic with; the listener reports again
	for range defaultAcceptMax {
		fd, addr, errno := w.poll.Accept(w.accept.fd)
		switch errno {
		case 0:
			w.stats.Local.Accepts++
			w.admit(fd, addr)
		case syscall.EAGAIN:
			return
		case syscall.EINTR, syscall.ECONNABORTED:
			w.stats.Local.AcceptErrors++
		default:
			w.pauseAccept(errno)
			return
		}
	}
	w.accept.more = true
}

// pauseAccept stops listening for a moment: with no descriptor to be had, a level-triggered listener would keep the worker
// busy with failing.
func (w *worker) pauseAccept(cause error) {
	w.stats.Local.AcceptErrors++
	w.stats.Local.AcceptPauses++
	w.accept.resumeAt = w.now + int64(acceptPause)
	w.poll.Remove(w.accept.fd)
	w.callback = callbackAcceptPaused
	w.server.cfg.Observer.AcceptPaused(cause)
	w.callback = callbackNone
	w.fault(&Error{Op: "accept", Err: cause})
}

// goOnAccepting takes connections that the listener reported or the last turn left, and ends a pause that is over.
func (w *worker) goOnAccepting() {
	if w.accept.more {
		w.accept.more = false
		if w.accept.fd >= 0 && w.accept.resumeAt == 0 {
			w.acceptSome()
		}
	}
	if w.accept.resumeAt == 0 || w.now < w.accept.resumeAt {
		return
	}
	w.accept.resumeAt = 0
	if err := w.poll.AddListener(w.accept.fd, listenerEvent); err != nil {
		w.accept.resumeAt = w.now + int64(acceptPause)
		w.fault(&Error{Op: "resume accept", Err: err})
	}
}

// admit decides whether a connection becomes a session, and whose.
func (w *worker) admit(fd int, addr netip.AddrPort) {
	addr = netip.AddrPortFrom(addr.Addr().Unmap().WithZone(""), addr.Port()) // as RemoteAddr answers; prefixes have no zone
	refusal, ok := w.admission(addr)
	if ok {
		if ok = w.open(fd, addr); ok {
			return
		}
		w.server.perIP.leave(addr.Addr())
		refusal = RefusedFull
	}
	w.poll.Close(fd)
	w.server.refusals[refusal].Add(1)
	w.callback = callbackRefused
	w.server.cfg.Observer.ConnectionRefused(addr, refusal)
	w.callback = callbackNone
}

func (w *worker) admission(addr netip.AddrPort) (Refusal, bool) {
	exempt := addr.Addr().IsLoopback() && !w.limits.LimitLoopback
	switch {
	case !allowed(w.limits.AllowFrom, addr.Addr()):
		return RefusedAddress, false
	case !exempt && !w.limits.accepts.spend(&w.accept.allowedAt, w.now):
		return RefusedRate, false
	case !w.asked(addr):
		return RefusedHandler, false
	case !w.server.perIP.enter(addr.Addr(), w.perIPLimit(exempt)):
		return RefusedRate, false
	}
	return 0, true
}

// asked runs OnConnectionRequest; a panic in it refuses the connection.
func (w *worker) asked(addr netip.AddrPort) (ok bool) {
	defer w.recovered(nil)
	w.callback = callbackRequest
	ok = w.calls.connectionRequest(addr)
	w.callback = callbackNone
	return ok
}

func allowed(from []netip.Prefix, addr netip.Addr) bool {
	for _, prefix := range from {
		if prefix.Contains(addr) {
			return true
		}
	}
	return len(from) == 0
}

// perIPLimit is the most sessions from one address, 0 or less for any number.
func (w *worker) perIPLimit(exempt bool) int {
	if exempt {
		return 0
	}
	return w.limits.SessionsPerIP
}

// open gives the connection a slot and the worker with the fewest sessions.
func (w *worker) open(fd int, addr netip.AddrPort) bool {
	id, s, ok := w.server.table.Open()
	if !ok {
		return false
	}
	owner := w.server.leastLoaded()
	s.id, s.worker, s.fd, s.openedAt, s.phase = id, owner, int32(fd), w.now, phaseHandshake
	s.setAddr(addr)
	s.place = unadopted
	s.elsewhere.open(id)
	owner.load.Add(1)
	if owner == w {
		w.adopt(s)
		return true
	}
	if owner.command(command{id: id, kind: commandAdopt}) {
		return true
	}
	owner.load.Add(-1)
	s.reset()
	w.server.table.Release(id)
	w.server.table.Free(id)
	return false
}

// unadopted is the place of a session that its owner has yet to find in its queue.
const unadopted = -1

// adopt begins the session's life with its owner.
func (w *worker) adopt(s *Session) {
	defer w.recovered(s)
	s.place = int32(len(w.sessions))
	w.sessions = append(w.sessions, s)
	if err := w.poll.Add(int(s.fd), uint64(s.id)); err != nil {
		w.fault(&Error{Op: "add to poller", Session: s.id, Err: err})
		w.close(s, ReadError)
		return
	}
	state, err := w.codec.NewState(s.has(flagOutgoing))
	if err != nil {
		w.fault(&Error{Op: "begin handshake", Session: s.id, Err: err})
		w.close(s, HandshakeFailed)
		return
	}
	s.state = state
	w.arm(s)
	if reason := s.elsewhere.asked.Load(); reason != 0 {
		w.close(s, Reason(reason))
		return
	}
	if s.phase == phaseHandshake {
		w.greet(s)
	}
}

// perIP counts the sessions of each address, limited or not: a limit that comes later finds those that are there. Accepting
// and leaving are rare enough for a lock.
type perIP struct {
	mu    sync.Mutex
	count map[netip.Addr]int // guarded by mu
}

// enter counts one more session from addr; false when there is a limit and the address is at it.
func (p *perIP) enter(addr netip.Addr, limit int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if limit > 0 && p.count[addr] >= limit {
		return false
	}
	p.count[addr]++
	return true
}

func (p *perIP) leave(addr netip.Addr) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count[addr]--; p.count[addr] <= 0 {
		delete(p.count, addr)
	}
}
