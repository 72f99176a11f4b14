package engine

import (
	"syscall"

	"vitrine/core/frame"
)

// receive reads what the socket holds into the worker's hot buffer, up to the session's budget, and delivers the frames.
// A read that does not fill the buffer has emptied the socket: the next byte makes a new event.
func (w *worker) receive(s *Session) {
	budget := w.limits.RecvBudgetBytes
	for s.phase < phaseClosing {
		hot := w.hot[:min(len(w.hot), budget)]
		n, errno := w.poll.Read(int(s.fd), hot)
		w.stats.Local.RecvCalls++
		switch {
		case errno == syscall.EINTR:
			continue
		case errno == syscall.EAGAIN:
			return
		case errno != 0:
			w.close(s, ReadError)
			return
		case n == 0:
			w.endOfStream(s)
			return
		}
		w.stats.Local.RecvBytes += uint64(n)
		w.consume(s, hot[:n])
		if n < len(hot) && !s.has(flagHangup) {
			return
		}
		if budget -= n; budget <= 0 {
			w.later(s)
			return
		}
	}
}

// endOfStream closes a session whose peer has closed. In the middle of a frame, or of a sealed stream that was not closed
// by a message, the stream was truncated.
func (w *worker) endOfStream(s *Session) {
	switch {
	case s.phase == phaseDraining:
		w.close(s, ServerStopping)
	case s.in != nil || s.phase == phaseOpen && w.codec.Kind() == frame.KindSealed:
		w.close(s, Truncated)
	default:
		w.close(s, PeerClosed)
	}
}

// later puts a session on the ready list: edge-triggered epoll will not report again what it has not read.
func (w *worker) later(s *Session) {
	w.stats.Local.BudgetStops++
	if !s.has(flagReady) {
		s.set(flagReady)
		w.ready = append(w.ready, s)
	}
}

// consume cuts data into frames and delivers them in place. What is left of an unfinished frame is kept.
func (w *worker) consume(s *Session, data []byte) {
	if s.phase == phaseDraining {
		return
	}
	if s.in != nil {
		data = w.complete(s, data)
	}
	for len(data) > 0 && s.phase < phaseDraining {
		if s.phase == phaseHandshake {
			data = w.consumeHandshake(s, data)
			continue
		}
		size, err := w.codec.Size(data)
		if err != nil {
			w.badFrame(s, err)
			return
		}
		if size == 0 || size > len(data) {
			w.keep(s, data)
			return
		}
		w.deliver(s, data[:size])
		data = data[size:]
	}
}

// consumeHandshake deals with the frame at the front of data, if it is whole, and returns what is left to consume.
func (w *worker) consumeHandshake(s *Session, data []byte) []byte {
	size, err := w.codec.HandshakeSize(data)
	switch {
	case err != nil:
		w.badFrame(s, err)
		return nil
	case size == 0 || size > len(data):
		w.keep(s, data)
		return nil
	}
	w.handshake(s, data[:size])
	return data[size:]
}

// size returns the length of the frame that data begins with, 0 while too little is there to tell.
func (w *worker) size(s *Session, data []byte) (int, error) {
	if s.phase == phaseHandshake {
		return w.codec.HandshakeSize(data)
	}
	return w.codec.Size(data)
}

// deliver opens one whole frame and gives the packet to the handler.
func (w *worker) deliver(s *Session, whole []byte) {
	payload, err := w.codec.Open(s.state, whole, &w.ext)
	if err != nil {
		w.badFrame(s, err)
		return
	}
	if w.limits.packets.cost != 0 && !w.limits.packets.spend(&s.allowedAt, w.now) {
		w.close(s, RateLimited)
		return
	}
	w.typ = 0
	if len(payload) >= 2 {
		w.typ = uint16(payload[0]) | uint16(payload[1])<<8
	}
	before := w.queued
	w.record.Begin(uint64(s.id), w.typ, uint32(len(payload)))
	w.reader.Receive(payload, w.record.Ref())
	w.callback = callbackRecv
	w.calls.handler.OnRecv(s, &w.reader)
	w.callback = callbackNone
	w.record.End(uint32(w.queued-before), 0)
	s.frameAt = w.now
	s.recv++
	w.stats.Local.RecvPackets++
}

// badFrame closes the session for what its peer sent.
func (w *worker) badFrame(s *Session, err error) {
	reason := frameReason(err)
	if reason != PeerClosed {
		w.stats.Local.BadFrames++
		w.callback = callbackBadFrame
		w.server.cfg.Observer.BadFrame(s, reason, err)
		w.callback = callbackNone
	}
	w.close(s, reason)
}
