package lockfree

import "sync/atomic"

// MPSC is a bounded first-in-first-out queue for any number of producers and
// one consumer, made for batches: a PushN of any size costs one swap and one
// store, a PopN one store.
//
// Push, PushN, Len and Cap may be called from any goroutine; Pop and PopN by
// one goroutine at a time, the consumer, which may change if the change
// itself synchronizes. None blocks. At the limit Push returns false.
//
// As with MPMC, a producer that loses its processor between claiming cells
// and publishing them hides what later producers have published until it
// runs again: the consumer sees "empty". "Full" is true at some moment during
// the call; a batch cut short was so by what the consumer had not given back
// when it was measured.
type MPSC[T any] struct {
	_ [falseSharing]byte

	// tail and head are positions: they only grow, and position p lives in
	// cells[p&mask].
	//
	//	head = position of the oldest element
	//	tail = position the next producer claims
	//
	//	head <= tail <= head + len(cells)
	//
	// Positions in [head, tail) belong to the producers that claimed them
	// until published, then to the consumer. The consumer moves head, which
	// gives the cells behind it back to the producers, once per call.
	tail atomic.Uint64 // atomic, moved by producers

	_ [falseSharing - 8]byte

	head atomic.Uint64 // atomic, moved by the consumer
	run  uint64        // owned by the consumer: positions from head on known to be published

	_ [falseSharing - 16]byte

	mask  uint64        // fixed after NewMPSC
	cells []mpscCell[T] // fixed after NewMPSC
}

// mpscCell is one cell. A producer that claimed the n positions from p on
// fills n values, then publishes all of them through the first cell alone:
//
//	position      p        p+1      ...    p+n-1
//	           +--------+--------+      +--------+
//	ready      |  p+1   |  old   |      |  old   |   p+1: never had before
//	count      |  n     |  old   |      |  old   |
//	value      |  v0    |  v1    |      |  vn-1  |
//	           +--------+--------+      +--------+
//
// Positions do not repeat, so a number left by an earlier lap is never taken
// for a publication, and the consumer need not reset it.
type mpscCell[T any] struct {
	ready atomic.Uint64 // atomic: position+1 once published
	count uint64        // visible with ready
	value T             // visible with the ready of its run's first cell
}

// NewMPSC returns an empty queue. It panics unless capacity is a power of
// two from 2 up.
func NewMPSC[T any](capacity int) *MPSC[T] {
	checkCapacity("MPSC", capacity)
	return &MPSC[T]{mask: uint64(capacity - 1), cells: make([]mpscCell[T], capacity)}
}

// Push appends v. It returns false, and takes nothing, if the queue is full.
func (q *MPSC[T]) Push(v T) bool {
	pos, n := q.claim(1)
	if n == 0 {
		return false
	}
	cell := &q.cells[pos&q.mask]
	cell.value = v
	cell.count = 1
	yield(beforePublish)
	cell.ready.Store(pos + 1)
	return true
}

// PushN appends as many elements of vs as there is room for, a prefix of it,
// and returns how many. They follow each other in the queue and become
// visible together. It keeps no reference to vs.
func (q *MPSC[T]) PushN(vs []T) int {
	pos, n := q.claim(len(vs))
	if n == 0 {
		return 0
	}
	for i, v := range vs[:n] {
		q.cells[(pos+uint64(i))&q.mask].value = v
	}
	first := &q.cells[pos&q.mask]
	first.count = uint64(n)
	yield(beforePublish)
	first.ready.Store(pos + 1)
	return n
}

// claim makes up to want positions from pos on the caller's.
func (q *MPSC[T]) claim(want int) (pos uint64, n int) {
	for {
		pos = q.tail.Load()
		// Head is read after tail and may be ahead of it by now; both only
		// grow, so the room is never overrated if the swap succeeds.
		room := int64(q.head.Load()+uint64(len(q.cells))) - int64(pos)
		n = int(min(int64(want), room))
		if n <= 0 {
			return pos, 0
		}
		yield(beforeSwap)
		if q.tail.CompareAndSwap(pos, pos+uint64(n)) {
			return pos, n
		}
	}
}

// Pop takes the oldest element and clears its cell. It returns false if the
// queue is empty.
func (q *MPSC[T]) Pop() (v T, ok bool) {
	head := q.head.Load()
	if q.run == 0 && !q.seek(head) {
		return v, false
	}
	v = q.take(head)
	q.run--
	yield(beforeRelease)
	q.head.Store(head + 1)
	return v, true
}

// PopN takes up to len(dst) elements, oldest first, into dst, clears their
// cells and returns how many it took.
func (q *MPSC[T]) PopN(dst []T) int {
	head := q.head.Load()
	n := 0
	for n < len(dst) {
		if q.run == 0 && !q.seek(head+uint64(n)) {
			break
		}
		for ; n < len(dst) && q.run > 0; n++ {
			dst[n] = q.take(head + uint64(n))
			q.run--
		}
	}
	if n > 0 {
		yield(beforeRelease)
		q.head.Store(head + uint64(n))
	}
	return n
}

// seek looks for a run that starts at pos.
func (q *MPSC[T]) seek(pos uint64) bool {
	cell := &q.cells[pos&q.mask]
	if cell.ready.Load() != pos+1 {
		return false
	}
	q.run = cell.count
	yield(beforeTake)
	return true
}

// take empties the cell of pos, which the consumer owns until head passes it.
func (q *MPSC[T]) take(pos uint64) (v T) {
	var zero T
	cell := &q.cells[pos&q.mask]
	v, cell.value = cell.value, zero
	return v
}

// Len returns how many elements are queued, unpublished ones included. It is
// a figure for statistics: by the time it is read it may have changed.
func (q *MPSC[T]) Len() int {
	return length(q.head.Load(), q.tail.Load(), len(q.cells))
}

// Cap returns the capacity.
func (q *MPSC[T]) Cap() int {
	return len(q.cells)
}
