package engine

import "syscall"

// A worker that is told to stop closes its listener, stops delivering packets, writes what waits, shuts the write side of
// each session that has nothing left, and waits for its peer to close: a socket closed with unread input would reset the
// connection and take what the peer has not yet read with it. Sessions that take longer than stopLinger after that, or than
// the deadline, are released as they are, and what they had not been sent is counted.

// drain takes the worker's sessions one step towards their end. It runs once a turn from Stop on.
func (w *worker) drain() {
	if !w.draining {
		w.draining = true
		w.stopListening()
		for left := w.commands.Len(); left > 0; left -= commandsPerTurn {
			w.takeCommands() // what was queued before the stop is sent, however much others go on to queue
		}
	}
	late := w.now >= w.deadline.Load()
	for i := 0; i < len(w.sessions); i++ {
		w.drainSession(w.sessions[i], late)
	}
}

func (w *worker) drainSession(s *Session, late bool) {
	switch {
	case s.phase >= phaseClosing:
	case late || s.phase < phaseOpen:
		w.close(s, ServerStopping)
	case s.phase == phaseOpen:
		s.phase = phaseDraining // before the farewell, which may find no room and close the session
		w.disarm(s)
		w.farewell(s)
	case s.has(flagShutdown):
		if w.now >= s.frameAt+int64(stopLinger) {
			w.close(s, ServerStopping)
		}
	case s.out.head == 0:
		w.shutdown(s)
	}
}

// shutdown tells the peer that nothing more will come. From here on frameAt is when that was.
func (w *worker) shutdown(s *Session) {
	s.set(flagShutdown)
	s.frameAt = w.now
	if errno := w.poll.Shutdown(int(s.fd)); errno != 0 && errno != syscall.ENOTCONN {
		w.fault(&Error{Op: "shut down", Session: s.id, Err: errno})
	}
	if s.has(flagHangup) {
		w.close(s, ServerStopping)
	}
}

func (w *worker) stopListening() {
	if w.accept.fd < 0 {
		return
	}
	if err := w.server.cfg.Network.CloseListener(w.accept.fd); err != nil {
		w.fault(&Error{Op: "close listener", Err: err})
	}
	w.accept.fd, w.accept.resumeAt = -1, 0
	w.server.feeding.Add(-1)
}

// drainCheckAt returns when a draining worker must look again at the latest, 0 when it does not drain.
func (w *worker) drainCheckAt() int64 {
	if !w.draining {
		return 0
	}
	return min(w.now+tickNanos, w.deadline.Load())
}

// stopped reports whether a stopping worker has nothing left to do. Who feeds is looked at first: what it has put into the
// queue by the time it is done is seen after that.
func (w *worker) stopped() bool {
	return w.draining && w.server.feeding.Load() == 0 && len(w.sessions) == 0 && w.commands.Len() == 0 && w.posted.Empty()
}
