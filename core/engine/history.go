package engine

import "vitrine/core/flight"

// History is what a server still knows of one session's packets.
type History struct {
	Records []flight.Record // oldest first
	Live    bool            // the session has not been released
	Kept    bool            // Records were kept when the session ended abnormally; else they are from the workers' rings
	Now     int64           // the clock of Record.Recv at the time of the answer, ns
}

// Sessions returns the ids of sessions that are there, at most limit. Any goroutine.
func (srv *Server) Sessions(limit int) []ID { return srv.table.Sessions(nil, limit) }

// Flight returns the last packet records of a session, at most last of them, and whether there are any: from the workers'
// rings while those hold them, or what was kept when the session ended abnormally (at most [flight.KeptRecords]),
// whichever is more. A session that sent nothing has none; after Stop only what was kept is left. Any goroutine; it
// allocates and searches every ring, so it is for people who ask, not for each packet.
func (srv *Server) Flight(id ID, last int) (History, bool) {
	workers := srv.started()
	if len(workers) == 0 || last <= 0 {
		return History{}, false
	}
	h := History{Live: srv.table.Live(id)}
	for _, w := range workers {
		h.Records = w.record.Session(h.Records, uint64(id), last)
	}
	if kept, ok := srv.kept.Get(uint64(id)); ok && min(len(kept), last) > len(h.Records) {
		h.Records, h.Kept = kept, true
	}
	h.Records = h.Records[max(0, len(h.Records)-last):]
	h.Now = workers[0].poll.Now() // one network, one clock
	return h, len(h.Records) > 0
}
