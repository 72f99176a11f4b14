// Code generated from mpsc.go by TestVariantsFollowTheSource. DO NOT EDIT.

package lockfree

import "sync/atomic"

type checkedMPSC[T any] struct {
	_     [falseSharing]byte
	tail  atomic.Uint64
	_     [falseSharing - 8]byte
	head  atomic.Uint64
	run   uint64
	_     [falseSharing - 16]byte
	mask  uint64
	cells []mpscCell[T]
}

func newCheckedMPSC[T any](capacity int) *checkedMPSC[T] {
	checkCapacity("MPSC", capacity)
	return &checkedMPSC[T]{mask: uint64(capacity - 1), cells: make([]mpscCell[T], capacity)}
}

func (q *checkedMPSC[T]) Push(v T) bool {
	pos, n := q.claim(1)
	if n == 0 {
		return false
	}
	cell := &q.cells[pos&q.mask]
	cell.value = v
	cell.count = 1
	onYield(beforePublish)
	cell.ready.Store(pos + 1)
	return true
}

func (q *checkedMPSC[T]) PushN(vs []T) int {
	pos, n := q.claim(len(vs))
	if n == 0 {
		return 0
	}
	for i, v := range vs[:n] {
		q.cells[(pos+uint64(i))&q.mask].value = v
	}
	first := &q.cells[pos&q.mask]
	first.count = uint64(n)
	onYield(beforePublish)
	first.ready.Store(pos + 1)
	return n
}

func (q *checkedMPSC[T]) claim(want int) (pos uint64, n int) {
	for {
		pos = q.tail.Load()
		room := int64(q.head.Load()+uint64(len(q.cells))) - int64(pos)
		n = int(min(int64(want), room))
		if n <= 0 {
			return pos, 0
		}
		onYield(beforeSwap)
		if q.tail.CompareAndSwap(pos, pos+uint64(n)) {
			return pos, n
		}
	}
}

func (q *checkedMPSC[T]) Pop() (v T, ok bool) {
	head := q.head.Load()
	if q.run == 0 && !q.seek(head) {
		return v, false
	}
	v = q.take(head)
	q.run--
	onYield(beforeRelease)
	q.head.Store(head + 1)
	return v, true
}

func (q *checkedMPSC[T]) PopN(dst []T) int {
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
		onYield(beforeRelease)
		q.head.Store(head + uint64(n))
	}
	return n
}

func (q *checkedMPSC[T]) seek(pos uint64) bool {
	cell := &q.cells[pos&q.mask]
	if cell.ready.Load() != pos+1 {
		return false
	}
	q.run = cell.count
	onYield(beforeTake)
	return true
}

func (q *checkedMPSC[T]) take(pos uint64) (v T) {
	var zero T
	cell := &q.cells[pos&q.mask]
	v, cell.value = cell.value, zero
	return v
}

func (q *checkedMPSC[T]) Len() int {
	return length(q.head.Load(), q.tail.Load(), len(q.cells))
}

func (q *checkedMPSC[T]) Cap() int {
	return len(q.cells)
}

type mpscPublishedEarly[T any] struct{ *checkedMPSC[T] }

func (q *mpscPublishedEarly[T]) Push(v T) bool {
	pos, n := q.claim(1)
	if n == 0 {
		return false
	}
	cell := &q.cells[pos&q.mask]
	cell.count = 1
	cell.ready.Store(pos + 1)
	onYield(beforePublish)
	cell.value = v
	return true
}

type mpscCountedLate[T any] struct{ *checkedMPSC[T] }

func (q *mpscCountedLate[T]) PushN(vs []T) int {
	pos, n := q.claim(len(vs))
	if n == 0 {
		return 0
	}
	for i, v := range vs[:n] {
		q.cells[(pos+uint64(i))&q.mask].value = v
	}
	first := &q.cells[pos&q.mask]
	first.ready.Store(pos + 1)
	onYield(beforePublish)
	first.count = uint64(n)
	return n
}

func mpscWrongMaskNew[T any](capacity int) *checkedMPSC[T] {
	checkCapacity("MPSC", capacity)
	return &checkedMPSC[T]{mask: uint64(capacity/2 - 1), cells: make([]mpscCell[T], capacity)}
}

type mpscClaimedBlindly[T any] struct{ *checkedMPSC[T] }

func (q *mpscClaimedBlindly[T]) Push(v T) bool {
	pos, n := q.claim(1)
	if n == 0 {
		return false
	}
	cell := &q.cells[pos&q.mask]
	cell.value = v
	cell.count = 1
	onYield(beforePublish)
	cell.ready.Store(pos + 1)
	return true
}

func (q *mpscClaimedBlindly[T]) PushN(vs []T) int {
	pos, n := q.claim(len(vs))
	if n == 0 {
		return 0
	}
	for i, v := range vs[:n] {
		q.cells[(pos+uint64(i))&q.mask].value = v
	}
	first := &q.cells[pos&q.mask]
	first.count = uint64(n)
	onYield(beforePublish)
	first.ready.Store(pos + 1)
	return n
}

func (q *mpscClaimedBlindly[T]) claim(want int) (pos uint64, n int) {
	for {
		pos = q.tail.Load()
		room := int64(q.head.Load()+uint64(len(q.cells))) - int64(pos)
		n = int(min(int64(want), room))
		if n <= 0 {
			return pos, 0
		}
		onYield(beforeSwap)
		if q.tail.Store(pos + uint64(n)); true {
			return pos, n
		}
	}
}

type mpscReleasedEarly[T any] struct{ *checkedMPSC[T] }

func (q *mpscReleasedEarly[T]) PopN(dst []T) int {
	head := q.head.Load()
	n := 0
	q.head.Store(head + uint64(len(dst)))
	onYield(beforeRelease)
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
		onYield(beforeRelease)
		q.head.Store(head + uint64(n))
	}
	return n
}

type mpscFullByHearsay[T any] struct{ *checkedMPSC[T] }

func (q *mpscFullByHearsay[T]) Push(v T) bool {
	pos, n := q.claim(1)
	if n == 0 {
		return false
	}
	cell := &q.cells[pos&q.mask]
	cell.value = v
	cell.count = 1
	onYield(beforePublish)
	cell.ready.Store(pos + 1)
	return true
}

func (q *mpscFullByHearsay[T]) PushN(vs []T) int {
	pos, n := q.claim(len(vs))
	if n == 0 {
		return 0
	}
	for i, v := range vs[:n] {
		q.cells[(pos+uint64(i))&q.mask].value = v
	}
	first := &q.cells[pos&q.mask]
	first.count = uint64(n)
	onYield(beforePublish)
	first.ready.Store(pos + 1)
	return n
}

func (q *mpscFullByHearsay[T]) claim(want int) (pos uint64, n int) {
	for head := q.head.Load(); ; {
		onYield(beforeRetry)
		pos = q.tail.Load()
		room := int64(head+uint64(len(q.cells))) - int64(pos)
		n = int(min(int64(want), room))
		if n <= 0 {
			return pos, 0
		}
		onYield(beforeSwap)
		if q.tail.CompareAndSwap(pos, pos+uint64(n)) {
			return pos, n
		}
	}
}

func mpscVariants() map[string]func(capacity int) queue {
	return map[string]func(int) queue{
		"":               func(c int) queue { return newCheckedMPSC[int](c) },
		"PublishedEarly": func(c int) queue { return &mpscPublishedEarly[int]{newCheckedMPSC[int](c)} },
		"CountedLate":    func(c int) queue { return &mpscCountedLate[int]{newCheckedMPSC[int](c)} },
		"WrongMask":      func(c int) queue { return mpscWrongMaskNew[int](c) },
		"ClaimedBlindly": func(c int) queue { return &mpscClaimedBlindly[int]{newCheckedMPSC[int](c)} },
		"ReleasedEarly":  func(c int) queue { return &mpscReleasedEarly[int]{newCheckedMPSC[int](c)} },
		"FullByHearsay":  func(c int) queue { return &mpscFullByHearsay[int]{newCheckedMPSC[int](c)} },
	}
}
