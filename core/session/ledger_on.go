//go:build invariants

package session

import "sync/atomic"

// ledger counts acquires minus releases, the owners' counts included.
type ledger struct{ holders atomic.Int64 }

func (l *ledger) opened()   { l.holders.Add(1) }
func (l *ledger) acquired() { l.holders.Add(1) }

func (l *ledger) released() {
	if l.holders.Add(-1) < 0 {
		panic("session: more releases than acquires")
	}
}

// Outstanding returns acquires minus releases, the owners' counts included: the sum of all counts when nothing moves.
func (t *Table[T]) Outstanding() int64 { return t.ledger.holders.Load() }
