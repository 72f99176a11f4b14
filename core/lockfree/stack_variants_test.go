// Code generated from stack.go by TestVariantsFollowTheSource. DO NOT EDIT.

package lockfree

import (
	"fmt"
	"sync/atomic"
)

type checkedStack struct {
	_    [falseSharing]byte
	head atomic.Uint64
	_    [falseSharing - 8]byte
	next []atomic.Uint32
}

func newCheckedStack(capacity int) *checkedStack {
	if capacity <= 0 || capacity > MaxIndexes {
		panic(fmt.Sprintf("lockfree: stack capacity %d not in 1..%d", capacity, MaxIndexes))
	}
	return &checkedStack{next: make([]atomic.Uint32, capacity)}
}

func (s *checkedStack) Push(i uint32) {
	link := &s.next[i]
	for {
		old := s.head.Load()
		link.Store(uint32(old & indexMask))
		onYield(beforeSwap)
		if s.head.CompareAndSwap(old, old&^indexMask|uint64(i+1)) {
			return
		}
	}
}

func (s *checkedStack) PushN(idx []uint32) {
	if len(idx) == 0 {
		return
	}
	for k, i := range idx[:len(idx)-1] {
		s.next[i].Store(idx[k+1] + 1)
	}
	top, bottom := idx[0], &s.next[idx[len(idx)-1]]
	_ = &s.next[top]
	for {
		old := s.head.Load()
		bottom.Store(uint32(old & indexMask))
		onYield(beforeSwap)
		if s.head.CompareAndSwap(old, old&^indexMask|uint64(top+1)) {
			return
		}
	}
}

func (s *checkedStack) Pop() (uint32, bool) {
	for {
		old := s.head.Load()
		top := uint32(old & indexMask)
		if top == 0 {
			return 0, false
		}
		below := s.next[top-1].Load()
		onYield(beforeSwap)
		if s.head.CompareAndSwap(old, popped(old, below)) {
			return top - 1, true
		}
	}
}

func (s *checkedStack) PopN(dst []uint32) int {
	for {
		old := s.head.Load()
		n, below := s.read(dst, uint32(old&indexMask))
		if n == 0 {
			return 0
		}
		onYield(beforeSwap)
		if s.head.CompareAndSwap(old, popped(old, below)) {
			return n
		}
	}
}

func (s *checkedStack) read(dst []uint32, top uint32) (n int, below uint32) {
	for n < len(dst) && top != 0 {
		dst[n] = top - 1
		n++
		onYield(amidScan)
		top = s.next[top-1].Load()
	}
	return n, top
}

func (s *checkedStack) PopAll(dst []uint32) []uint32 {
	for {
		old := s.head.Load()
		top := uint32(old & indexMask)
		if top == 0 {
			return dst
		}
		onYield(beforeSwap)
		if s.head.CompareAndSwap(old, popped(old, 0)) {
			return s.appendChain(dst, top)
		}
	}
}

func (s *checkedStack) appendChain(dst []uint32, top uint32) []uint32 {
	for n := 0; top != 0; n++ {
		if n == len(s.next) {
			panic("lockfree: an index was pushed that the stack already held")
		}
		dst = append(dst, top-1)
		top = s.next[top-1].Load()
	}
	return dst
}

func (s *checkedStack) Empty() bool {
	return s.head.Load()&indexMask == 0
}

type stackUntagged struct{ *checkedStack }

func (s *stackUntagged) Pop() (uint32, bool) {
	for {
		old := s.head.Load()
		top := uint32(old & indexMask)
		if top == 0 {
			return 0, false
		}
		below := s.next[top-1].Load()
		onYield(beforeSwap)
		if s.head.CompareAndSwap(old, untagged(old, below)) {
			return top - 1, true
		}
	}
}

func (s *stackUntagged) PopN(dst []uint32) int {
	for {
		old := s.head.Load()
		n, below := s.read(dst, uint32(old&indexMask))
		if n == 0 {
			return 0
		}
		onYield(beforeSwap)
		if s.head.CompareAndSwap(old, untagged(old, below)) {
			return n
		}
	}
}

func (s *stackUntagged) PopAll(dst []uint32) []uint32 {
	for {
		old := s.head.Load()
		top := uint32(old & indexMask)
		if top == 0 {
			return dst
		}
		onYield(beforeSwap)
		if s.head.CompareAndSwap(old, untagged(old, 0)) {
			return s.appendChain(dst, top)
		}
	}
}

type stackLinkedLate struct{ *checkedStack }

func (s *stackLinkedLate) Push(i uint32) {
	link := &s.next[i]
	for {
		old := s.head.Load()
		if s.head.CompareAndSwap(old, old&^indexMask|uint64(i+1)) {
			onYield(beforePublish)
			link.Store(uint32(old & indexMask))
			return
		}
	}
}

type stackPushedBlindly struct{ *checkedStack }

func (s *stackPushedBlindly) Push(i uint32) {
	link := &s.next[i]
	for {
		old := s.head.Load()
		link.Store(uint32(old & indexMask))
		onYield(beforeSwap)
		if s.head.Store(old&^indexMask | uint64(i+1)); true {
			return
		}
	}
}

type stackChainHeadLost struct{ *checkedStack }

func (s *stackChainHeadLost) PushN(idx []uint32) {
	if len(idx) == 0 {
		return
	}
	for k, i := range idx[:len(idx)-1] {
		s.next[i].Store(idx[k+1] + 1)
	}
	top, bottom := idx[0], &s.next[idx[len(idx)-1]]
	_ = &s.next[top]
	bottom.Store(uint32(s.head.Load() & indexMask))
	for {
		onYield(beforeSwap)
		old := s.head.Load()
		if s.head.CompareAndSwap(old, old&^indexMask|uint64(top+1)) {
			return
		}
	}
}

func stackVariants() map[string]func(capacity int) freeList {
	return map[string]func(int) freeList{
		"":              func(c int) freeList { return newCheckedStack(c) },
		"Untagged":      func(c int) freeList { return &stackUntagged{newCheckedStack(c)} },
		"LinkedLate":    func(c int) freeList { return &stackLinkedLate{newCheckedStack(c)} },
		"PushedBlindly": func(c int) freeList { return &stackPushedBlindly{newCheckedStack(c)} },
		"ChainHeadLost": func(c int) freeList { return &stackChainHeadLost{newCheckedStack(c)} },
	}
}
