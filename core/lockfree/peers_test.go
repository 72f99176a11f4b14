package lockfree

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// A peer is a free list or a queue that the benchmarks compare. turn takes
// one element and puts one back, and returns when it has done both.
type peer interface{ turn() }

type stackPeer struct{ freeList }

func (p stackPeer) turn() {
	for {
		if i, ok := p.Pop(); ok {
			p.Push(i)
			return
		}
		runtime.Gosched()
	}
}

type queuePeer struct{ queue }

func (p queuePeer) turn() {
	for !p.Push(1) {
		runtime.Gosched()
	}
	for {
		if _, ok := p.Pop(); ok {
			return
		}
		runtime.Gosched()
	}
}

type chanPeer chan uint32

func (p chanPeer) turn() { p <- <-p }

// spinLock spins until the lock is free and never sleeps, as a spin lock of
// C++ does: it reads until it sees the lock free and only then swaps.
type spinLock struct {
	_      [falseSharing]byte
	locked atomic.Uint32
	_      [falseSharing - 4]byte
}

func (l *spinLock) Lock() {
	for !l.locked.CompareAndSwap(0, 1) {
		for l.locked.Load() != 0 {
		}
	}
}

func (l *spinLock) Unlock() { l.locked.Store(0) }

// lockedStack is a stack of indexes under a lock.
type lockedStack struct {
	lock sync.Locker
	idx  []uint32 // guarded by lock
}

func (s *lockedStack) turn() {
	for {
		if i, ok := s.pop(); ok {
			s.push(i)
			return
		}
		runtime.Gosched()
	}
}

func (s *lockedStack) pop() (i uint32, ok bool) {
	s.lock.Lock()
	if n := len(s.idx); n > 0 {
		i, ok = s.idx[n-1], true
		s.idx = s.idx[:n-1]
	}
	s.lock.Unlock()
	return i, ok
}

func (s *lockedStack) push(i uint32) {
	s.lock.Lock()
	s.idx = append(s.idx, i)
	s.lock.Unlock()
}

// lockedRing is a ring under a lock.
type lockedRing struct {
	lock       sync.Locker
	cells      []int  // guarded by lock
	head, tail uint64 // guarded by lock
}

func (q *lockedRing) turn() {
	for !q.push(1) {
		runtime.Gosched()
	}
	for !q.pop() {
		runtime.Gosched()
	}
}

func (q *lockedRing) push(v int) (ok bool) {
	q.lock.Lock()
	if ok = q.tail-q.head < uint64(len(q.cells)); ok {
		q.cells[q.tail&uint64(len(q.cells)-1)] = v
		q.tail++
	}
	q.lock.Unlock()
	return ok
}

func (q *lockedRing) pop() (ok bool) {
	q.lock.Lock()
	if ok = q.tail != q.head; ok {
		q.cells[q.head&uint64(len(q.cells)-1)] = 0
		q.head++
	}
	q.lock.Unlock()
	return ok
}
