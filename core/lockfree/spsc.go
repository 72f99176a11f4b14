package lockfree

import "sync/atomic"

// SPSC is a bounded first-in-first-out queue for one producer and one
// consumer. It is wait-free: no method loops or retries. Moved one at a time
// elements cost about what they cost in a channel; PushN and PopN, which
// move many for one store, are what it is for.
//
// Push and PushN may be called by one goroutine at a time, the producer, Pop
// and PopN by one at a time, the consumer; either may change if the change
// itself synchronizes. Len and Cap may be called from anywhere. At the limit
// Push returns false. "Full" and "empty" are true at some moment during the
// call; a batch cut short was so by what the other side had not done when it
// was measured.
type SPSC[T any] struct {
	_ [falseSharing]byte

	// tail and head are positions: they only grow, and position p lives in
	// cells[p&mask].
	//
	//	head = position of the oldest element
	//	tail = position of the next free cell
	//
	//	headSeen <= head <= tailSeen <= tail <= headSeen + len(cells)
	//
	// Cells in [head, tail) belong to the consumer, the rest to the
	// producer. Storing tail hands cells to the consumer, storing head gives
	// them back. Each side remembers the position of the other it saw last
	// and reads the other's cache line only when that is not enough.
	tail     atomic.Uint64 // atomic, moved by the producer
	headSeen uint64        // owned by the producer

	_ [falseSharing - 16]byte

	head     atomic.Uint64 // atomic, moved by the consumer
	tailSeen uint64        // owned by the consumer

	_ [falseSharing - 16]byte

	mask  uint64 // fixed after NewSPSC
	cells []T    // fixed after NewSPSC, elements owned as drawn above
}

// NewSPSC returns an empty queue. It panics unless capacity is a power of
// two from 2 up.
func NewSPSC[T any](capacity int) *SPSC[T] {
	checkCapacity("SPSC", capacity)
	return &SPSC[T]{mask: uint64(capacity - 1), cells: make([]T, capacity)}
}

// Push appends v. It returns false, and takes nothing, if the queue is full.
func (q *SPSC[T]) Push(v T) bool {
	tail := q.tail.Load()
	if q.room(tail, 1) == 0 {
		return false
	}
	q.cells[tail&q.mask] = v
	yield(beforePublish)
	q.tail.Store(tail + 1)
	return true
}

// PushN appends as many elements of vs as there is room for, a prefix of it,
// and returns how many. They become visible together. It keeps no reference
// to vs.
func (q *SPSC[T]) PushN(vs []T) int {
	tail := q.tail.Load()
	n := min(len(vs), q.room(tail, len(vs)))
	if n == 0 {
		return 0
	}
	first := copy(q.cells[tail&q.mask:], vs[:n])
	copy(q.cells, vs[first:n])
	yield(beforePublish)
	q.tail.Store(tail + uint64(n))
	return n
}

// room returns how many cells are free, looking at the consumer's position
// again if those known of are fewer than want.
func (q *SPSC[T]) room(tail uint64, want int) int {
	free := q.headSeen + uint64(len(q.cells)) - tail
	if free < uint64(want) {
		q.headSeen = q.head.Load()
		free = q.headSeen + uint64(len(q.cells)) - tail
	}
	return int(free)
}

// Pop takes the oldest element and clears its cell. It returns false if the
// queue is empty.
func (q *SPSC[T]) Pop() (v T, ok bool) {
	head := q.head.Load()
	if q.filled(head, 1) == 0 {
		return v, false
	}
	var zero T
	cell := &q.cells[head&q.mask]
	v, *cell = *cell, zero
	yield(beforeRelease)
	q.head.Store(head + 1)
	return v, true
}

// PopN takes up to len(dst) elements, oldest first, into dst, clears their
// cells and returns how many it took.
func (q *SPSC[T]) PopN(dst []T) int {
	head := q.head.Load()
	n := min(len(dst), q.filled(head, len(dst)))
	if n == 0 {
		return 0
	}
	q.drain(dst[:n], head)
	yield(beforeRelease)
	q.head.Store(head + uint64(n))
	return n
}

// drain moves the cells from position head on to dst, in two pieces where
// they wrap, and clears them.
func (q *SPSC[T]) drain(dst []T, head uint64) {
	first := q.cells[head&q.mask:]
	first = first[:min(len(first), len(dst))]
	rest := q.cells[:len(dst)-len(first)]
	copy(dst, first)
	copy(dst[len(first):], rest)
	clear(first)
	clear(rest)
}

// filled returns how many elements wait, looking at the producer's position
// again if those known of are fewer than want.
func (q *SPSC[T]) filled(head uint64, want int) int {
	n := q.tailSeen - head
	if n < uint64(want) {
		q.tailSeen = q.tail.Load()
		n = q.tailSeen - head
	}
	return int(n)
}

// Len returns how many elements are queued. It is a figure for statistics:
// by the time it is read it may have changed.
func (q *SPSC[T]) Len() int {
	return length(q.head.Load(), q.tail.Load(), len(q.cells))
}

// Cap returns the capacity.
func (q *SPSC[T]) Cap() int {
	return len(q.cells)
}
