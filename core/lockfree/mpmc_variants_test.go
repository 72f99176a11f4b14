// Code generated from mpmc.go by TestVariantsFollowTheSource. DO NOT EDIT.

package lockfree

import "sync/atomic"

type checkedMPMC[T any] struct {
	_     [falseSharing]byte
	tail  atomic.Uint64
	_     [falseSharing - 8]byte
	head  atomic.Uint64
	_     [falseSharing - 8]byte
	mask  uint64
	cells []mpmcCell[T]
}

func newCheckedMPMC[T any](capacity int) *checkedMPMC[T] {
	checkCapacity("MPMC", capacity)
	q := &checkedMPMC[T]{mask: uint64(capacity - 1), cells: make([]mpmcCell[T], capacity)}
	for i := range q.cells {
		q.cells[i].turn.Store(uint64(i))
	}
	return q
}

func (q *checkedMPMC[T]) Push(v T) bool {
	for {
		pos := q.tail.Load()
		cell := &q.cells[pos&q.mask]
		d := int64(cell.turn.Load() - pos)
		onYield(beforeSwap)
		if d == 0 && q.tail.CompareAndSwap(pos, pos+1) {
			cell.value = v
			onYield(beforePublish)
			cell.turn.Store(pos + 1)
			return true
		}
		if d < 0 {
			return false
		}
	}
}

func (q *checkedMPMC[T]) Pop() (v T, ok bool) {
	for {
		pos := q.head.Load()
		cell := &q.cells[pos&q.mask]
		d := int64(cell.turn.Load() - (pos + 1))
		onYield(beforeSwap)
		if d == 0 && q.head.CompareAndSwap(pos, pos+1) {
			return q.take(cell, pos), true
		}
		if d < 0 {
			return v, false
		}
	}
}

func (q *checkedMPMC[T]) take(cell *mpmcCell[T], pos uint64) (v T) {
	var zero T
	v, cell.value = cell.value, zero
	onYield(beforeRelease)
	cell.turn.Store(pos + uint64(len(q.cells)))
	return v
}

func (q *checkedMPMC[T]) PushN(vs []T) int {
	for {
		pos := q.tail.Load()
		n := q.inTurn(pos, pos, len(vs))
		if n == 0 {
			if q.tail.Load() != pos {
				onYield(beforeRetry)
				continue
			}
			return 0
		}
		onYield(beforeSwap)
		if q.tail.CompareAndSwap(pos, pos+uint64(n)) {
			q.publish(pos, vs[:n])
			return n
		}
	}
}

func (q *checkedMPMC[T]) publish(pos uint64, vs []T) {
	for i, v := range vs {
		cell := &q.cells[(pos+uint64(i))&q.mask]
		cell.value = v
		onYield(beforePublish)
		cell.turn.Store(pos + uint64(i) + 1)
	}
}

func (q *checkedMPMC[T]) PopN(dst []T) int {
	for {
		pos := q.head.Load()
		n := q.inTurn(pos, pos+1, len(dst))
		if n == 0 {
			if q.head.Load() != pos {
				onYield(beforeRetry)
				continue
			}
			return 0
		}
		onYield(beforeSwap)
		if q.head.CompareAndSwap(pos, pos+uint64(n)) {
			for i := range dst[:n] {
				p := pos + uint64(i)
				dst[i] = q.take(&q.cells[p&q.mask], p)
			}
			return n
		}
	}
}

func (q *checkedMPMC[T]) inTurn(pos, turn uint64, limit int) int {
	limit = min(limit, len(q.cells))
	for n := range limit {
		if q.cells[(pos+uint64(n))&q.mask].turn.Load() != turn+uint64(n) {
			return n
		}
		onYield(amidScan)
	}
	return limit
}

func (q *checkedMPMC[T]) Len() int {
	return length(q.head.Load(), q.tail.Load(), len(q.cells))
}

func (q *checkedMPMC[T]) Cap() int {
	return len(q.cells)
}

type mpmcPublishedEarly[T any] struct{ *checkedMPMC[T] }

func (q *mpmcPublishedEarly[T]) Push(v T) bool {
	for {
		pos := q.tail.Load()
		cell := &q.cells[pos&q.mask]
		d := int64(cell.turn.Load() - pos)
		onYield(beforeSwap)
		if d == 0 && q.tail.CompareAndSwap(pos, pos+1) {
			cell.turn.Store(pos + 1)
			onYield(beforePublish)
			cell.value = v
			return true
		}
		if d < 0 {
			return false
		}
	}
}

type mpmcBatchPublishedEarly[T any] struct{ *checkedMPMC[T] }

func (q *mpmcBatchPublishedEarly[T]) PushN(vs []T) int {
	for {
		pos := q.tail.Load()
		n := q.inTurn(pos, pos, len(vs))
		if n == 0 {
			if q.tail.Load() != pos {
				onYield(beforeRetry)
				continue
			}
			return 0
		}
		onYield(beforeSwap)
		if q.tail.CompareAndSwap(pos, pos+uint64(n)) {
			q.publish(pos, vs[:n])
			return n
		}
	}
}

func (q *mpmcBatchPublishedEarly[T]) publish(pos uint64, vs []T) {
	for i, v := range vs {
		cell := &q.cells[(pos+uint64(i))&q.mask]
		cell.turn.Store(pos + uint64(i) + 1)
		onYield(beforePublish)
		cell.value = v
	}
}

type mpmcReleasedEarly[T any] struct{ *checkedMPMC[T] }

func (q *mpmcReleasedEarly[T]) Pop() (v T, ok bool) {
	for {
		pos := q.head.Load()
		cell := &q.cells[pos&q.mask]
		d := int64(cell.turn.Load() - (pos + 1))
		onYield(beforeSwap)
		if d == 0 && q.head.CompareAndSwap(pos, pos+1) {
			return q.take(cell, pos), true
		}
		if d < 0 {
			return v, false
		}
	}
}

func (q *mpmcReleasedEarly[T]) take(cell *mpmcCell[T], pos uint64) (v T) {
	var zero T
	cell.turn.Store(pos + uint64(len(q.cells)))
	onYield(beforeRelease)
	v, cell.value = cell.value, zero
	return v
}

func (q *mpmcReleasedEarly[T]) PopN(dst []T) int {
	for {
		pos := q.head.Load()
		n := q.inTurn(pos, pos+1, len(dst))
		if n == 0 {
			if q.head.Load() != pos {
				onYield(beforeRetry)
				continue
			}
			return 0
		}
		onYield(beforeSwap)
		if q.head.CompareAndSwap(pos, pos+uint64(n)) {
			for i := range dst[:n] {
				p := pos + uint64(i)
				dst[i] = q.take(&q.cells[p&q.mask], p)
			}
			return n
		}
	}
}

func mpmcWrongMaskNew[T any](capacity int) *checkedMPMC[T] {
	checkCapacity("MPMC", capacity)
	q := &checkedMPMC[T]{mask: uint64(capacity/2 - 1), cells: make([]mpmcCell[T], capacity)}
	for i := range q.cells {
		q.cells[i].turn.Store(uint64(i))
	}
	return q
}

type mpmcClaimedBlindly[T any] struct{ *checkedMPMC[T] }

func (q *mpmcClaimedBlindly[T]) Push(v T) bool {
	for {
		pos := q.tail.Load()
		cell := &q.cells[pos&q.mask]
		d := int64(cell.turn.Load() - pos)
		onYield(beforeSwap)
		if d == 0 {
			q.tail.Store(pos + 1)
			cell.value = v
			onYield(beforePublish)
			cell.turn.Store(pos + 1)
			return true
		}
		if d < 0 {
			return false
		}
	}
}

type mpmcBatchUnchecked[T any] struct{ *checkedMPMC[T] }

func (q *mpmcBatchUnchecked[T]) PushN(vs []T) int {
	for {
		pos := q.tail.Load()
		n := q.inTurn(pos, pos, min(1, len(vs))) * len(vs)
		if n == 0 {
			if q.tail.Load() != pos {
				onYield(beforeRetry)
				continue
			}
			return 0
		}
		onYield(beforeSwap)
		if q.tail.CompareAndSwap(pos, pos+uint64(n)) {
			q.publish(pos, vs[:n])
			return n
		}
	}
}

func mpmcVariants() map[string]func(capacity int) queue {
	return map[string]func(int) queue{
		"":                    func(c int) queue { return newCheckedMPMC[int](c) },
		"PublishedEarly":      func(c int) queue { return &mpmcPublishedEarly[int]{newCheckedMPMC[int](c)} },
		"BatchPublishedEarly": func(c int) queue { return &mpmcBatchPublishedEarly[int]{newCheckedMPMC[int](c)} },
		"ReleasedEarly":       func(c int) queue { return &mpmcReleasedEarly[int]{newCheckedMPMC[int](c)} },
		"WrongMask":           func(c int) queue { return mpmcWrongMaskNew[int](c) },
		"ClaimedBlindly":      func(c int) queue { return &mpmcClaimedBlindly[int]{newCheckedMPMC[int](c)} },
		"BatchUnchecked":      func(c int) queue { return &mpmcBatchUnchecked[int]{newCheckedMPMC[int](c)} },
	}
}
