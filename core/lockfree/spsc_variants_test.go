// Code generated from spsc.go by TestVariantsFollowTheSource. DO NOT EDIT.

package lockfree

import "sync/atomic"

type checkedSPSC[T any] struct {
	_        [falseSharing]byte
	tail     atomic.Uint64
	headSeen uint64
	_        [falseSharing - 16]byte
	head     atomic.Uint64
	tailSeen uint64
	_        [falseSharing - 16]byte
	mask     uint64
	cells    []T
}

func newCheckedSPSC[T any](capacity int) *checkedSPSC[T] {
	checkCapacity("SPSC", capacity)
	return &checkedSPSC[T]{mask: uint64(capacity - 1), cells: make([]T, capacity)}
}

func (q *checkedSPSC[T]) Push(v T) bool {
	tail := q.tail.Load()
	if q.room(tail, 1) == 0 {
		return false
	}
	q.cells[tail&q.mask] = v
	onYield(beforePublish)
	q.tail.Store(tail + 1)
	return true
}

func (q *checkedSPSC[T]) PushN(vs []T) int {
	tail := q.tail.Load()
	n := min(len(vs), q.room(tail, len(vs)))
	if n == 0 {
		return 0
	}
	first := copy(q.cells[tail&q.mask:], vs[:n])
	copy(q.cells, vs[first:n])
	onYield(beforePublish)
	q.tail.Store(tail + uint64(n))
	return n
}

func (q *checkedSPSC[T]) room(tail uint64, want int) int {
	free := q.headSeen + uint64(len(q.cells)) - tail
	if free < uint64(want) {
		q.headSeen = q.head.Load()
		free = q.headSeen + uint64(len(q.cells)) - tail
	}
	return int(free)
}

func (q *checkedSPSC[T]) Pop() (v T, ok bool) {
	head := q.head.Load()
	if q.filled(head, 1) == 0 {
		return v, false
	}
	var zero T
	cell := &q.cells[head&q.mask]
	v, *cell = *cell, zero
	onYield(beforeRelease)
	q.head.Store(head + 1)
	return v, true
}

func (q *checkedSPSC[T]) PopN(dst []T) int {
	head := q.head.Load()
	n := min(len(dst), q.filled(head, len(dst)))
	if n == 0 {
		return 0
	}
	q.drain(dst[:n], head)
	onYield(beforeRelease)
	q.head.Store(head + uint64(n))
	return n
}

func (q *checkedSPSC[T]) drain(dst []T, head uint64) {
	first := q.cells[head&q.mask:]
	first = first[:min(len(first), len(dst))]
	rest := q.cells[:len(dst)-len(first)]
	copy(dst, first)
	copy(dst[len(first):], rest)
	clear(first)
	clear(rest)
}

func (q *checkedSPSC[T]) filled(head uint64, want int) int {
	n := q.tailSeen - head
	if n < uint64(want) {
		q.tailSeen = q.tail.Load()
		n = q.tailSeen - head
	}
	return int(n)
}

func (q *checkedSPSC[T]) Len() int {
	return length(q.head.Load(), q.tail.Load(), len(q.cells))
}

func (q *checkedSPSC[T]) Cap() int {
	return len(q.cells)
}

type spscPublishedEarly[T any] struct{ *checkedSPSC[T] }

func (q *spscPublishedEarly[T]) Push(v T) bool {
	tail := q.tail.Load()
	if q.room(tail, 1) == 0 {
		return false
	}
	q.tail.Store(tail + 1)
	onYield(beforePublish)
	q.cells[tail&q.mask] = v
	return true
}

type spscReleasedEarly[T any] struct{ *checkedSPSC[T] }

func (q *spscReleasedEarly[T]) Pop() (v T, ok bool) {
	head := q.head.Load()
	if q.filled(head, 1) == 0 {
		return v, false
	}
	var zero T
	cell := &q.cells[head&q.mask]
	q.head.Store(head + 1)
	onYield(beforeRelease)
	v, *cell = *cell, zero
	return v, true
}

type spscBatchReleasedEarly[T any] struct{ *checkedSPSC[T] }

func (q *spscBatchReleasedEarly[T]) PopN(dst []T) int {
	head := q.head.Load()
	n := min(len(dst), q.filled(head, len(dst)))
	if n == 0 {
		return 0
	}
	q.head.Store(head + uint64(n))
	onYield(beforeRelease)
	q.drain(dst[:n], head)
	return n
}

func spscWrongMaskNew[T any](capacity int) *checkedSPSC[T] {
	checkCapacity("SPSC", capacity)
	return &checkedSPSC[T]{mask: uint64(capacity/2 - 1), cells: make([]T, capacity)}
}

type spscNeverLooksAgain[T any] struct{ *checkedSPSC[T] }

func (q *spscNeverLooksAgain[T]) Push(v T) bool {
	tail := q.tail.Load()
	if q.room(tail, 1) == 0 {
		return false
	}
	q.cells[tail&q.mask] = v
	onYield(beforePublish)
	q.tail.Store(tail + 1)
	return true
}

func (q *spscNeverLooksAgain[T]) PushN(vs []T) int {
	tail := q.tail.Load()
	n := min(len(vs), q.room(tail, len(vs)))
	if n == 0 {
		return 0
	}
	first := copy(q.cells[tail&q.mask:], vs[:n])
	copy(q.cells, vs[first:n])
	onYield(beforePublish)
	q.tail.Store(tail + uint64(n))
	return n
}

func (q *spscNeverLooksAgain[T]) room(tail uint64, want int) int {
	free := q.headSeen + uint64(len(q.cells)) - tail
	if free < uint64(want) && q.headSeen == 0 {
		q.headSeen = q.head.Load()
		free = q.headSeen + uint64(len(q.cells)) - tail
	}
	return int(free)
}

func spscVariants() map[string]func(capacity int) queue {
	return map[string]func(int) queue{
		"":                   func(c int) queue { return newCheckedSPSC[int](c) },
		"PublishedEarly":     func(c int) queue { return &spscPublishedEarly[int]{newCheckedSPSC[int](c)} },
		"ReleasedEarly":      func(c int) queue { return &spscReleasedEarly[int]{newCheckedSPSC[int](c)} },
		"BatchReleasedEarly": func(c int) queue { return &spscBatchReleasedEarly[int]{newCheckedSPSC[int](c)} },
		"WrongMask":          func(c int) queue { return spscWrongMaskNew[int](c) },
		"NeverLooksAgain":    func(c int) queue { return &spscNeverLooksAgain[int]{newCheckedSPSC[int](c)} },
	}
}
