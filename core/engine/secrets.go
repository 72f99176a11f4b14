package engine

import "vitrine/core/frame"

// tellSecrets tells where the server's private key is: piece 0. The pieces of the session in slot n are 1+2n and 2+2n.
func (srv *Server) tellSecrets() {
	if srv.cfg.Codec.Kind() != frame.KindSealed {
		return
	}
	srv.secrets = srv.cfg.Observer.Secrets(1 + 2*slotCapacity(srv.cfg.MaxSessions))
	if srv.secrets != nil {
		key := srv.cfg.Codec.KeyMemory()
		srv.secrets(0, key.Addr, key.Size)
	}
}

// holdSecrets tells where the keys of a session that joins are, now and whenever they change.
func (w *worker) holdSecrets(s *Session) {
	if w.server.secrets == nil || s.state == nil {
		return
	}
	w.tellKeys(s)
	s.state.OnRekey(func() { w.tellKeys(s) })
}

func (w *worker) tellKeys(s *Session) {
	piece := 1 + 2*int(s.id.Slot())
	for i, m := range s.state.KeyMemory() {
		w.server.secrets(piece+i, m.Addr, m.Size)
	}
}

// dropSecrets tells that the keys of a session that leaves are no more.
func (w *worker) dropSecrets(s *Session) {
	if w.server.secrets == nil || s.state == nil {
		return
	}
	piece := 1 + 2*int(s.id.Slot())
	w.server.secrets(piece, 0, 0)
	w.server.secrets(piece+1, 0, 0)
}
