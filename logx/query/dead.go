package query

import (
	"errors"
	"fmt"
	"io/fs"

	"vitrine/logx/record"
	"vitrine/logx/ring"
	"vitrine/logx/segment"
)

// place is where a dead writer ended: who it was, and the index that follows in the files.
type place struct {
	owner segment.Owner
	next  uint64
}

// remainder is what a dead writer had accepted and never wrote.
type remainder struct {
	of          place  // zero when no writer is dead
	hits        *unit  // those that match, nil when there is no ring
	first, next uint64 // the index it begins with, and the one behind it
	moved       bool   // a writer came meanwhile, and puts it in the files: they must be looked at again
	living      bool   // a writer has the directory
}

// readRemainder finds the records from index next on in the ring of a writer that is dead. There is none while a writer
// lives, none when the ring went with the machine, and none when the place is where the last remainder was: that was given.
func readRemainder(dir string, next uint64, q *Query, types *record.Types, given place) (remainder, error) {
	rest := remainder{first: next, next: next}
	before, err := lastOwner(dir)
	if rest.living = before.Alive; err != nil || before.Alive || before.Ring == "" {
		return rest, err
	}
	if rest.of = (place{before, next}); rest.of == given {
		return rest, nil
	}
	hits, g := &unit{types: types, match: q.matcher(types)}, grepper{}
	failed := ring.ReadDead(before.Ring, before.Store, next, func(h *record.Head, payload []byte) bool {
		if rest.next == next {
			rest.first = h.Index
		}
		rest.next = h.Index + 1
		hits.keep(&g, h, payload)
		return true
	})
	after, err := lastOwner(dir)
	if rest.hits, rest.moved = hits, after != before; rest.moved {
		rest.of = place{}
		return rest, err
	}
	if failed != nil && !errors.Is(failed, fs.ErrNotExist) && !errors.Is(failed, ring.ErrForeign) {
		return remainder{of: rest.of, first: next, next: next}, fmt.Errorf("read what the last writer left: %w", failed)
	}
	return rest, nil
}

// lastOwner returns who writes to a directory, or wrote to it last: the zero Owner where there is no LOCK.
func lastOwner(dir string) (segment.Owner, error) {
	owner, err := segment.ReadOwner(segment.OS(), dir)
	if errors.Is(err, fs.ErrNotExist) {
		return segment.Owner{}, nil
	}
	return owner, err
}
