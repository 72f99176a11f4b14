package engine

import "vitrine/core/frame"

// greet sends what this side says first and joins the session at once when its codec has no handshake.
func (w *worker) greet(s *Session) {
	hello, err := w.codec.Greet(s.state, w.scratch[:0])
	if err != nil {
		w.badFrame(s, frame.ErrHandshake)
		return
	}
	if len(hello) > 0 && w.appendBytes(s, hello) != nil {
		return
	}
	if s.state == nil {
		w.join(s)
	}
}

// handshake gives the codec one frame of the handshake and joins the session when it is done.
func (w *worker) handshake(s *Session, whole []byte) {
	reply, done, err := w.codec.Handshake(s.state, whole, w.scratch[:0])
	if err != nil {
		w.badFrame(s, frame.ErrHandshake)
		return
	}
	if len(reply) > 0 && w.appendBytes(s, reply) != nil {
		return
	}
	if done {
		w.join(s)
	}
}
