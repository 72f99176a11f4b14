package lockfree

import (
	"fmt"
	"sync/atomic"
)

// MaxIndexes is the most indexes a Stack can hold: 0 to MaxIndexes-1.
const MaxIndexes = 1<<indexBits - 1

const (
	indexBits = 24
	indexMask = 1<<indexBits - 1
	tagOne    = 1 << indexBits
)

// Stack is a lock-free stack of slot indexes, made to be a free list: the
// slots themselves lie elsewhere, in an array of the caller.
//
// An index is owned by its pusher until Push is called, by the stack until
// a Pop returns it, and by that popper afterwards. Pushing an index that the
// stack already holds, or one at or above the capacity, breaks the stack;
// the latter panics.
//
// All methods may be called from any goroutine. None blocks, none waits for
// another goroutine: whatever one of them is doing when it loses its
// processor, the others go on.
type Stack struct {
	_ [falseSharing]byte

	// head packs the newest index and a tag into one word:
	//
	//	 63                    24 23           0
	//	+------------------------+--------------+
	//	|   tag, 40 bits         | index+1, 24  |
	//	+------------------------+--------------+
	//
	//	index+1 = 0: the stack is empty, so the zero word is an empty stack
	//	tag:      the number of pops so far, modulo 1<<40
	//
	// A popper reads head, then the link of the index it found, then swaps
	// head for that link. In between others may pop that index, pop more,
	// and push the first one back: head shows the same index, yet its link
	// has changed (ABA). Since an index cannot come back to head without
	// having been popped, counting pops in the same word makes that swap
	// fail. A push does not count: it rests on no link but its own.
	//
	// The tag lies in the most significant bits so that adding to it
	// overflows harmlessly. It repeats after 1<<40 pops: six hours at 50
	// million a second, and only a goroutine that slept exactly that many
	// pops between its load and its swap could be deceived.
	head atomic.Uint64 // atomic

	_ [falseSharing - 8]byte

	// next[i] is the link of index i: the index+1 below it, 0 at the bottom.
	//
	// The pusher owns next[i] until its swap succeeds, and writes it. From
	// then on it does not change until i has been popped and is pushed
	// again. A popper that is about to lose its race may read the link of
	// an index that someone else owns by now, which is why links are atomic;
	// the tag throws away what it read.
	next []atomic.Uint32 // fixed after NewStack, elements atomic
}

// NewStack returns an empty stack for the indexes 0 to capacity-1. It panics
// unless 0 < capacity <= MaxIndexes. It takes 4 bytes per index.
func NewStack(capacity int) *Stack {
	if capacity <= 0 || capacity > MaxIndexes {
		panic(fmt.Sprintf("lockfree: stack capacity %d not in 1..%d", capacity, MaxIndexes))
	}
	return &Stack{next: make([]atomic.Uint32, capacity)}
}

// Push gives index i to the stack. There is always room: every index has a
// link of its own.
func (s *Stack) Push(i uint32) {
	link := &s.next[i]
	for {
		old := s.head.Load()
		link.Store(uint32(old & indexMask))
		yield(beforeSwap)
		if s.head.CompareAndSwap(old, old&^indexMask|uint64(i+1)) {
			return
		}
	}
}

// PushN gives all indexes of idx to the stack with one swap, so that no
// other goroutine sees a part of them; idx[0] becomes the top. It keeps no
// reference to idx.
func (s *Stack) PushN(idx []uint32) {
	if len(idx) == 0 {
		return
	}
	for k, i := range idx[:len(idx)-1] {
		s.next[i].Store(idx[k+1] + 1)
	}
	top, bottom := idx[0], &s.next[idx[len(idx)-1]]
	_ = &s.next[top] // An index that is out of range must panic before the swap.
	for {
		old := s.head.Load()
		bottom.Store(uint32(old & indexMask))
		yield(beforeSwap)
		if s.head.CompareAndSwap(old, old&^indexMask|uint64(top+1)) {
			return
		}
	}
}

// Pop takes the index pushed last. It returns false if the stack is empty.
func (s *Stack) Pop() (uint32, bool) {
	for {
		old := s.head.Load()
		top := uint32(old & indexMask)
		if top == 0 {
			return 0, false
		}
		below := s.next[top-1].Load()
		yield(beforeSwap)
		if s.head.CompareAndSwap(old, popped(old, below)) {
			return top - 1, true
		}
	}
}

// PopN takes up to len(dst) indexes with one swap, the newest first, and
// returns how many. No other goroutine's operation falls between them.
func (s *Stack) PopN(dst []uint32) int {
	for {
		old := s.head.Load()
		n, below := s.read(dst, uint32(old&indexMask))
		if n == 0 {
			return 0
		}
		yield(beforeSwap)
		if s.head.CompareAndSwap(old, popped(old, below)) {
			return n
		}
	}
}

// read follows the links from the index top-1 into dst and returns how many
// it found and the link that follows the last. If others pop meanwhile, what
// it reads is a mixture, and the caller's swap fails; links are indexes of
// this stack at all times and dst bounds the walk, so it is safe and ends.
func (s *Stack) read(dst []uint32, top uint32) (n int, below uint32) {
	for n < len(dst) && top != 0 {
		dst[n] = top - 1
		n++
		yield(amidScan)
		top = s.next[top-1].Load()
	}
	return n, top
}

// PopAll takes every index with one swap and appends them to dst, the newest
// first. The walk along the links follows the swap, on indexes that the
// caller owns by then, so that a long chain never makes the swap fail.
func (s *Stack) PopAll(dst []uint32) []uint32 {
	for {
		old := s.head.Load()
		top := uint32(old & indexMask)
		if top == 0 {
			return dst
		}
		yield(beforeSwap)
		if s.head.CompareAndSwap(old, popped(old, 0)) {
			return s.appendChain(dst, top)
		}
	}
}

// appendChain appends the chain that starts at index top-1, which the
// calling goroutine owns, to dst. A chain longer than the stack runs in a
// circle, because an index was pushed twice; that is worth a panic here,
// since dst would grow until the memory is gone.
func (s *Stack) appendChain(dst []uint32, top uint32) []uint32 {
	for n := 0; top != 0; n++ {
		if n == len(s.next) {
			panic("lockfree: an index was pushed that the stack already held")
		}
		dst = append(dst, top-1)
		top = s.next[top-1].Load()
	}
	return dst
}

// Empty reports whether the stack held nothing at some moment during the
// call.
func (s *Stack) Empty() bool {
	return s.head.Load()&indexMask == 0
}

// popped is the word that follows old once everything above the link below
// has been taken.
func popped(old uint64, below uint32) uint64 {
	return (old+tagOne)&^indexMask | uint64(below)
}
