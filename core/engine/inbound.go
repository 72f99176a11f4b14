package engine

import (
	"sync/atomic"

	"vitrine/core/packet"
)

// command is what another goroutine wants of a session's owner. Packets travel as handles.
type command struct {
	id     ID
	call   func(*Session) // for post
	packet uint32
	kind   commandKind
}

type commandKind uint8

const (
	commandAdopt commandKind = iota + 1 // the session is yours from now on
	commandSend
	commandPost
)

// sharedState is what goroutines elsewhere may touch of a session while they hold a count.
type sharedState struct {
	posted atomic.Uint32 // see claim
	asked  atomic.Uint32 // a reason to close with, 0: none
	queued atomic.Int32  // packets in the worker's queue for this session
}

// open makes the slot one that can be posted for the session, and for no earlier one.
func (e *sharedState) open(id ID) { e.posted.Store(unposted(id)) }

// unposted is the state of a slot that is not on its worker's posted stack: twice the session's serial. One more means that
// it is there, or that its owner has claimed it for the release. Late holders of a session that has left find neither.
func unposted(id ID) uint32 { return uint32(id.Serial()) << 1 }

// claim answers true to the one caller that may push the slot, or that may release the session because nobody has pushed
// or will push the slot. Until the owner has popped it, a slot that was pushed is not released: its next session may be
// another worker's.
func (e *sharedState) claim(id ID) bool { return e.posted.CompareAndSwap(unposted(id), unposted(id)|1) }

func (e *sharedState) reset() {
	e.asked.Store(0)
	e.queued.Store(0)
}

// SendPacket queues the packet for the session from any goroutine. It never blocks and consumes one reference, even on
// error. A packet of another server is copied. Errors: ErrNoSession when the session has left, ErrQueueFull when its or its
// worker's queue is full, or the packet's own. A packet that was queued and could not be sent after all is counted as unsent.
func (srv *Server) SendPacket(id ID, p *packet.Packet) error {
	p = srv.adopted(p)
	err := srv.sendPacket(id, p)
	if err != nil {
		srv.refusedSends.Add(1)
		p.Release()
	}
	return err
}

// adopted returns p, or its copy when it is of another server's pool: a handle means nothing outside its own.
func (srv *Server) adopted(p *packet.Packet) *packet.Packet {
	if p.Err() != nil || srv.packets.Owns(p) {
		return p
	}
	own := srv.packets.New().Bytes(p.Payload())
	if own.Err() == nil {
		own.SetExt(p.Ext())
		own.SetTrace(p.Trace(), p.Recv())
		if p.Droppable() {
			own.SetDroppable()
		}
	}
	p.Release()
	return own
}

func (srv *Server) sendPacket(id ID, p *packet.Packet) error {
	if err := p.Err(); err != nil {
		return err
	}
	s, ok := srv.table.Acquire(id)
	if !ok {
		return ErrNoSession
	}
	defer srv.releaseHold(id, s)
	if int(s.elsewhere.queued.Add(1)) > srv.limits.Load().SendLimitPackets {
		s.elsewhere.queued.Add(-1)
		return ErrQueueFull
	}
	if !s.worker.command(command{id: id, kind: commandSend, packet: p.Handle()}) {
		s.elsewhere.queued.Add(-1)
		return ErrQueueFull
	}
	return nil
}

// releaseHold gives up a hold from any goroutine. The winner of the release posts the slot to its owner.
func (srv *Server) releaseHold(id ID, s *Session) {
	w := s.worker
	if srv.table.Release(id) {
		w.post(s, id)
	}
}

// Post runs call with the session on its owner, in order with the packets sent to it from the same goroutine. It answers
// ErrNoSession or ErrQueueFull; when the session leaves before its turn, call does not run.
func (srv *Server) Post(id ID, call func(*Session)) error {
	s, ok := srv.table.Acquire(id)
	if !ok {
		return ErrNoSession
	}
	defer srv.releaseHold(id, s)
	if !s.worker.command(command{id: id, kind: commandPost, call: call}) {
		return ErrQueueFull
	}
	return nil
}

// Disconnect ends the session with reason kicked. It is never lost: it needs no room in any queue.
func (srv *Server) Disconnect(id ID) error { return srv.DisconnectWith(id, Kicked) }

// DisconnectWith ends the session with the reason given.
func (srv *Server) DisconnectWith(id ID, reason Reason) error {
	if reason == NotClosed || reason >= reasonCount {
		reason = Kicked
	}
	s, ok := srv.table.Acquire(id)
	if !ok {
		return ErrNoSession
	}
	s.elsewhere.asked.CompareAndSwap(0, uint32(reason))
	s.worker.post(s, id)
	srv.releaseHold(id, s)
	return nil
}

// NewPacket returns an empty packet from any goroutine; inside callbacks Session.NewPacket is faster.
func (srv *Server) NewPacket() *packet.Packet { return srv.packets.New() }

// command queues c for the worker; false when the queue is full.
func (w *worker) command(c command) bool {
	if !w.commands.Push(c) {
		w.server.fullQueues.Add(1)
		return false
	}
	w.wake()
	return true
}

// post puts the session's slot where its worker will look at it. A slot is there at most once, so there is always room.
// The caller holds a count or is the winner of the release.
func (w *worker) post(s *Session, id ID) {
	if s.elsewhere.claim(id) {
		w.posted.Push(id.Slot())
	}
	w.wake()
}

// takeCommands does what other goroutines asked for since the last turn, in order.
func (w *worker) takeCommands() {
	for taken := 0; taken < commandsPerTurn; {
		n := w.commands.PopN(w.inbox)
		if n == 0 {
			break
		}
		for i := range w.inbox[:n] {
			w.obey(&w.inbox[i])
			w.inbox[i] = command{}
		}
		taken += n
		w.stats.Local.Commands += uint64(n)
	}
	if !w.posted.Empty() {
		w.lookAtPosted()
	}
}

func (w *worker) obey(c *command) {
	s := w.server.table.At(c.id.Slot())
	live := w.server.table.Live(c.id) // then the slot is this worker's; else it may be another's, and is not to be read
	switch {
	case c.kind == commandSend:
		w.obeySend(s, c, live)
	case !live:
	case c.kind == commandAdopt:
		w.adopt(s)
	case c.kind == commandPost && s.phase < phaseClosing:
		w.runPosted(s, c.call)
	}
}

func (w *worker) obeySend(s *Session, c *command, live bool) {
	p := w.server.packets.At(c.packet)
	if live {
		s.elsewhere.queued.Add(-1)
		if w.send(s, p) != nil {
			s.unsent++
		}
		if p.Err() != nil {
			w.stats.Local.UnsentPackets++ // send counts the others; nobody is left to be told of this one
		}
	} else {
		w.stats.Local.UnsentPackets++
	}
	w.packets.Release(p)
}

func (w *worker) runPosted(s *Session, call func(*Session)) {
	defer w.recovered(s)
	w.callback = callbackPost
	call(s)
	w.callback = callbackNone
}

// lookAtPosted ends sessions that were asked to, and frees those whose last holder was elsewhere.
func (w *worker) lookAtPosted() {
	w.slots = w.posted.PopAll(w.slots[:0])
	for _, slot := range w.slots {
		s := w.server.table.At(slot)
		s.elsewhere.open(s.id)
		if s.place == unadopted {
			continue // adopt will see what was asked
		}
		if reason := s.elsewhere.asked.Load(); reason != 0 {
			w.close(s, Reason(reason))
		}
		if s.phase == phaseReleased && !w.server.table.Live(s.id) && s.elsewhere.claim(s.id) {
			w.release(s)
		}
	}
}
