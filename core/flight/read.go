package flight

import "slices"

// Snapshot appends to dst what the packet ring holds, oldest first: final
// records, records whose group is still open (Group 0), and the one in flight
// (FlagOpen). Records overwritten while it copied are left out and counted in
// Lost. Any goroutine; it never holds up the owner. It allocates only to grow
// dst.
func (r *Recorder) Snapshot(dst []Record) []Record {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.newest(&r.packets, dst)
}

// Lifecycle appends to dst the events the life-cycle ring holds, oldest first;
// otherwise it is like Snapshot.
func (r *Recorder) Lifecycle(dst []Record) []Record {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.newest(&r.life, dst)
}

// Session appends to dst the last records of one session that the packet ring
// still holds, oldest first, at most last of them. Any goroutine.
func (r *Recorder) Session(dst []Record, id uint64, last int) []Record {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if !Enabled || r.image == nil {
		return dst
	}
	g, from := &r.packets, len(dst)
	hi := g.cursors.reserved.Load()
	for seq := hi; seq > g.oldest(hi) && len(dst)-from < last; {
		seq--
		if !g.at(seq).holds(seq, id) {
			continue
		}
		rec, ok, lost := g.read(seq)
		if lost {
			r.lost.Add(1)
			break
		}
		if ok {
			dst = append(dst, rec)
		}
	}
	slices.Reverse(dst[from:])
	return dst
}

// Since appends to dst the final packet records numbered from and later, oldest
// first, and returns the number to go on from. Records overwritten before the
// caller came are left out and counted in Lost. Start with from 0. Any
// goroutine.
func (r *Recorder) Since(dst []Record, from uint64) (recs []Record, next uint64) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if !Enabled || r.image == nil {
		return dst, from
	}
	g := &r.packets
	end := g.cursors.published.Load()
	seq := max(from, g.first)
	for seq < end {
		if lo := g.oldest(g.cursors.reserved.Load()); seq < lo {
			r.lost.Add(min(lo, end) - seq)
			seq = lo
			continue
		}
		rec, ok, lost := g.read(seq)
		if lost {
			continue
		}
		if ok {
			dst = append(dst, rec)
		}
		seq++
	}
	return dst, max(seq, from)
}

// Published returns the number of the first record that is not final yet. Any
// goroutine.
func (r *Recorder) Published() uint64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if !Enabled || r.image == nil {
		return 0
	}
	return r.packets.cursors.published.Load()
}

// Lost returns how many records readers missed so far because the owner had
// overwritten them or was about to. Any goroutine.
func (r *Recorder) Lost() uint64 { return r.lost.Load() }

// newest appends what ring g holds. It walks from the newest to the oldest, the
// order in which the owner overwrites last: the first loss ends the walk, since
// everything older is gone too.
func (r *Recorder) newest(g *ring, dst []Record) []Record {
	if !Enabled || r.image == nil {
		return dst
	}
	from := len(dst)
	hi := g.cursors.reserved.Load()
	lo := g.oldest(hi)
	for seq := hi; seq > lo; {
		seq--
		rec, ok, lost := g.read(seq)
		if lost {
			r.lost.Add(seq - lo + 1)
			break
		}
		if ok {
			dst = append(dst, rec)
		}
	}
	slices.Reverse(dst[from:])
	return dst
}
