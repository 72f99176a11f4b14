package engine

import (
	"slices"

	"vitrine/core/flight"
)

// close decides the end of a session: no OnRecv follows. What waits is tried once more at the end of this turn, unless the
// socket is past taking it; then the session is released. Only the first reason counts.
func (w *worker) close(s *Session, reason Reason) {
	if s.phase >= phaseClosing || s.phase == phaseFree {
		return
	}
	open := s.phase == phaseOpen
	s.phase = phaseClosing // before the farewell, which may find no room and close the session too
	s.reason = reason
	w.doomed = append(w.doomed, s)
	if open && reason != PeerClosed && reason != ReadError && reason != WriteError {
		w.farewell(s)
	}
}

// farewell ends a sealed stream in good order, so that the peer can tell the end from a cut.
func (w *worker) farewell(s *Session) {
	sealed, err := w.codec.SealClose(s.state, w.scratch[:0])
	if err == nil && len(sealed) > 0 && w.appendBytes(s, sealed) == nil {
		s.set(flagFarewell)
	}
}

// releaseDoomed lets go of the sessions that closed in this turn. OnClientLeave may close more.
func (w *worker) releaseDoomed() {
	for i := 0; i < len(w.doomed); i++ {
		s := w.doomed[i]
		if s.has(flagDirty) {
			w.flush(s)
		}
		s.phase = phaseReleased
		if w.server.table.Release(s.id) && s.elsewhere.claim(s.id) {
			w.release(s)
		}
	}
	w.doomed = w.doomed[:0]
}

// release ends a session whose count has reached zero: the leave callback, the record, the socket, the queue, the slot.
func (w *worker) release(s *Session) {
	w.disarm(s)
	w.unlist(s)
	w.settle(s)
	w.remember(s)
	w.leave(s)
	w.dropSecrets(s)
	w.hangUp(s)
	w.discard(s)
	if s.in != nil {
		w.partials.give(s.in)
	}
	last := w.sessions[len(w.sessions)-1]
	w.sessions[s.place], last.place = last, s.place
	w.sessions = w.sessions[:len(w.sessions)-1]
	w.server.forget(s)
	w.load.Add(-1)
	id := s.id
	s.reset()
	w.server.table.Free(id)
}

// hangUp closes the socket. A peer that did not take what waited is reset: the kernel would go on trying for minutes, with
// its own buffer full. At a stop it is not, since what the kernel took may still arrive.
func (w *worker) hangUp(s *Session) {
	if s.out.bytes > 0 && s.reason != ServerStopping {
		w.poll.Abort(int(s.fd))
		return
	}
	w.poll.Close(int(s.fd))
}

// unlist takes the session off the lists of work to be done. Its slot may be another worker's as soon as it is free.
func (w *worker) unlist(s *Session) {
	if s.has(flagReady) {
		w.ready, w.spare = without(w.ready, s), without(w.spare, s)
	}
	if s.has(flagDirty) {
		w.dirty = without(w.dirty, s)
	}
}

func without(list []*Session, s *Session) []*Session {
	return slices.DeleteFunc(list, func(other *Session) bool { return other == s })
}

// leave tells the observer and, if the session had joined, the application, whether the observer panics or not.
func (w *worker) leave(s *Session) {
	w.server.reasons[w.index][s.reason].Add(1)
	w.stats.Local.Closed++
	w.observeClosed(s)
	if s.has(flagJoined) {
		w.callLeave(s)
	}
	w.dialed(s)
}

func (w *worker) observeClosed(s *Session) {
	defer w.recovered(s)
	w.callback = callbackClosed
	w.server.cfg.Observer.SessionClosed(s, s.reason)
	w.callback = callbackNone
}

func (w *worker) callLeave(s *Session) {
	defer w.recovered(s)
	w.stats.Local.Leaves++
	w.callback = callbackLeave
	w.calls.handler.OnClientLeave(s, s.reason)
	w.callback = callbackNone
}

// remember writes the session's end into the record of life-cycle events and, at an abnormal end, keeps its last packets.
func (w *worker) remember(s *Session) {
	w.record.Event(flight.KindSession, uint64(s.id), eventLeave, uint16(s.reason), uint32(s.recv), uint32(s.sent))
	if s.reason.Abnormal() {
		w.server.kept.KeepFrom(w.record, uint64(s.id))
	}
}

// The type field of a session's life-cycle records.
const (
	eventJoin  = 1
	eventLeave = 2
)

// reset makes the slot ready for its next session. The id stays, so that late events of this one are told apart.
func (s *Session) reset() {
	s.Data = nil
	s.owned = owned{id: s.id, phase: phaseFree}
	s.elsewhere.reset()
}

// join makes the session known to the application.
func (w *worker) join(s *Session) {
	s.phase = phaseOpen
	s.frameAt = w.now
	s.set(flagJoined)
	w.stats.Local.Joins++
	w.arm(s)
	w.holdSecrets(s)
	w.record.Event(flight.KindSession, uint64(s.id), eventJoin, 0, 0, 0)
	w.dialed(s)
	w.callback = callbackJoin
	w.calls.handler.OnClientJoin(s)
	w.callback = callbackOpened
	w.server.cfg.Observer.SessionOpened(s)
	w.callback = callbackNone
}
