package lockfree

import "sync/atomic"

// MPMC is a bounded first-in-first-out queue for any number of producers and
// consumers (D. Vyukov's ring).
//
// All methods may be called from any goroutine; none blocks. At the limit
// Push returns false, and an empty queue makes Pop return false.
//
// It is not lock-free in the strict sense. A producer that loses its
// processor between claiming a cell and publishing it (two stores) hides
// the elements behind it: Pop answers "empty" although later pushes have
// returned. Likewise Push may answer "full" while a consumer is between
// claiming a cell and giving it back. Who needs that never to happen uses a
// Stack; who retries later, as a worker does on its next turn, loses
// nothing: no element is lost, doubled or reordered.
type MPMC[T any] struct {
	_ [falseSharing]byte

	// tail and head are positions: they only grow, and position p lives in
	// cells[p&mask].
	//
	//	head = position the next consumer claims
	//	tail = position the next producer claims
	//
	//	head <= tail <= head + len(cells)
	tail atomic.Uint64 // atomic, moved by producers

	_ [falseSharing - 8]byte

	head atomic.Uint64 // atomic, moved by consumers

	_ [falseSharing - 8]byte

	mask  uint64        // fixed after NewMPMC
	cells []mpmcCell[T] // fixed after NewMPMC
}

// mpmcCell is one cell. Its turn says whose it is; seen from position p,
// one of those that live in it:
//
//	turn == p               free: belongs to the producer that claims p
//	turn == p+1             published: belongs to the consumer that claims p
//	turn == p+len(cells)    free for the next lap
//
// The owner alone touches value. Storing turn hands the cell on and makes
// value visible to the next owner.
type mpmcCell[T any] struct {
	turn  atomic.Uint64 // atomic
	value T             // owned by whom turn names
}

// NewMPMC returns an empty queue. It panics unless capacity is a power of
// two from 2 up.
func NewMPMC[T any](capacity int) *MPMC[T] {
	checkCapacity("MPMC", capacity)
	q := &MPMC[T]{mask: uint64(capacity - 1), cells: make([]mpmcCell[T], capacity)}
	for i := range q.cells {
		q.cells[i].turn.Store(uint64(i))
	}
	return q
}

// Push appends v. It returns false, and takes nothing, if the queue is full.
func (q *MPMC[T]) Push(v T) bool {
	for {
		pos := q.tail.Load()
		cell := &q.cells[pos&q.mask]
		d := int64(cell.turn.Load() - pos)
		yield(beforeSwap)
		if d == 0 && q.tail.CompareAndSwap(pos, pos+1) {
			cell.value = v
			yield(beforePublish)
			cell.turn.Store(pos + 1)
			return true
		}
		if d < 0 { // The lap before is not done with the cell.
			return false
		}
		// Another producer claimed pos after it was read.
	}
}

// Pop takes the oldest element and clears its cell. It returns false if the
// queue is empty.
func (q *MPMC[T]) Pop() (v T, ok bool) {
	for {
		pos := q.head.Load()
		cell := &q.cells[pos&q.mask]
		d := int64(cell.turn.Load() - (pos + 1))
		yield(beforeSwap)
		if d == 0 && q.head.CompareAndSwap(pos, pos+1) {
			return q.take(cell, pos), true
		}
		if d < 0 { // Nothing was published at pos yet.
			return v, false
		}
		// Another consumer claimed pos after it was read.
	}
}

// take empties a cell that the caller claimed at pos and frees it for the
// next lap.
func (q *MPMC[T]) take(cell *mpmcCell[T], pos uint64) (v T) {
	var zero T
	v, cell.value = cell.value, zero
	yield(beforeRelease)
	cell.turn.Store(pos + uint64(len(q.cells)))
	return v
}

// PushN appends as many elements of vs as there is room for, a prefix of it,
// and returns how many. They follow each other in the queue: one swap claims
// all their cells. It keeps no reference to vs.
func (q *MPMC[T]) PushN(vs []T) int {
	for {
		pos := q.tail.Load()
		n := q.inTurn(pos, pos, len(vs))
		if n == 0 {
			if q.tail.Load() != pos {
				yield(beforeRetry) // Another producer claimed pos after it was read.
				continue
			}
			return 0
		}
		yield(beforeSwap)
		if q.tail.CompareAndSwap(pos, pos+uint64(n)) {
			q.publish(pos, vs[:n])
			return n
		}
	}
}

// publish writes vs into the cells that the caller claimed from pos on.
func (q *MPMC[T]) publish(pos uint64, vs []T) {
	for i, v := range vs {
		cell := &q.cells[(pos+uint64(i))&q.mask]
		cell.value = v
		yield(beforePublish)
		cell.turn.Store(pos + uint64(i) + 1)
	}
}

// PopN takes up to len(dst) elements, oldest first, into dst, clears their
// cells and returns how many it took. They were next to each other in the
// queue: one swap claims all of them.
func (q *MPMC[T]) PopN(dst []T) int {
	for {
		pos := q.head.Load()
		n := q.inTurn(pos, pos+1, len(dst))
		if n == 0 {
			if q.head.Load() != pos {
				yield(beforeRetry) // Another consumer claimed pos after it was read.
				continue
			}
			return 0
		}
		yield(beforeSwap)
		if q.head.CompareAndSwap(pos, pos+uint64(n)) {
			for i := range dst[:n] {
				p := pos + uint64(i)
				dst[i] = q.take(&q.cells[p&q.mask], p)
			}
			return n
		}
	}
}

// inTurn counts the cells from pos on, up to limit, whose turns run turn,
// turn+1, ...: those one swap may claim. What it saw stays true as long as
// nobody else claims pos, and then the caller's swap fails.
func (q *MPMC[T]) inTurn(pos, turn uint64, limit int) int {
	limit = min(limit, len(q.cells))
	for n := range limit {
		if q.cells[(pos+uint64(n))&q.mask].turn.Load() != turn+uint64(n) {
			return n
		}
		yield(amidScan)
	}
	return limit
}

// Len returns how many elements are queued, claimed cells included. It is a
// figure for statistics: by the time it is read it may have changed.
func (q *MPMC[T]) Len() int {
	return length(q.head.Load(), q.tail.Load(), len(q.cells))
}

// Cap returns the capacity.
func (q *MPMC[T]) Cap() int {
	return len(q.cells)
}
