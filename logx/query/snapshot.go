package query

import (
	"cmp"
	"slices"

	"vitrine/logx/record"
	"vitrine/logx/segment"
)

// snapshot is what a directory held at one moment. Fixed once it is made.
type snapshot struct {
	segments []*segment.Segment // ascending; those that reach into the range of indexes
	end      uint64             // the index after the last record in the files
	ring     *unit              // hits of a dead writer's ring, nil when there is none
	ended    place              // where that writer did
	next     uint64             // the index after the last record of files and ring
	broken   []Corruption       // where the files end with damage, if the ring does not know what was there
	unread   []Corruption       // the ring, when it cannot be read
	noLog    bool               // nothing is there, and nobody writes
}

// look takes a snapshot of a directory for a query. again says that a writer took over its predecessor's ring meanwhile,
// or died itself: the list of the directory must be read again. The ring of a writer that ended at the given place is left
// out.
func look(dir string, d *segment.Dir, q *Query, given place) (snap *snapshot, again bool) {
	all := d.Segments()
	snap = &snapshot{end: 1}
	var types *record.Types
	if len(all) > 0 {
		last := all[len(all)-1]
		snap.end, types = last.End(), last.Types()
	}
	snap.next = snap.end
	snap.segments = inRange(all, q)
	if q.To != 0 && q.To <= snap.end {
		return snap, false
	}
	rest, err := readRemainder(dir, snap.end, q, types, given)
	snap.ring, snap.next, snap.ended = rest.hits, rest.next, rest.of
	if err != nil {
		snap.unread = []Corruption{{File: cmp.Or(rest.of.owner.Ring, "LOCK"), Offset: -1, Err: err}}
	}
	snap.broken = brokenBehind(d, snap.end)
	snap.noLog = err == nil && len(all)+len(snap.broken) == 0 && snap.next == 1 && !rest.living
	if len(all) > 0 && (rest.first != snap.end || rest.next == snap.end) {
		if c, found := brokenEnd(dir, all[len(all)-1]); found {
			snap.broken = append(snap.broken, c)
		}
	}
	return snap, rest.moved || rest.first != snap.end
}

// inRange leaves out the segments that end before the range of indexes, or begin after it, by their names alone.
func inRange(all []*segment.Segment, q *Query) []*segment.Segment {
	for len(all) > 1 && all[1].Base() <= q.From {
		all = all[1:]
	}
	beyond := func(s *segment.Segment) bool { return q.To != 0 && s.Base() >= q.To }
	if n := slices.IndexFunc(all, beyond); n >= 0 {
		return all[:n]
	}
	return all
}
