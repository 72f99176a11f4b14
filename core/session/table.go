package session

import (
	"fmt"
	"sync"
	"sync/atomic"

	"vitrine/core/lockfree"
)

const (
	chunkBits = 6
	chunkSize = 1 << chunkBits // slots that are allocated at a time

	countMask   = 1<<23 - 1
	releasedBit = 1 << 23
	serialShift = 24
)

// Table is an array of sessions of type T. Slots are allocated 64 at a time when they are first needed and never freed.
// All methods may be called from any goroutine unless they say otherwise.
type Table[T any] struct {
	chunks []atomic.Pointer[[chunkSize]slot[T]] // set once each, under grow
	free   *lockfree.Stack                      // released slots
	limit  int                                  // fixed after NewTable
	serial atomic.Uint64                        // of the session opened last
	open   atomic.Int64                         // slots in use: opened and not yet freed
	grow   sync.Mutex                           // guards allocated
	next   uint32                               // slots handed to free so far
	ledger ledger                               // acquires and releases, invariants builds only
}

type slot[T any] struct {
	word  atomic.Uint64
	value T // owned by whoever holds the owner's count
}

// NewTable returns an empty table of at most limit sessions, 1 <= limit <= MaxSessions.
func NewTable[T any](limit int) (*Table[T], error) {
	if limit < 1 || limit > MaxSessions {
		return nil, fmt.Errorf("new session table: limit %d is not within 1..%d", limit, MaxSessions)
	}
	chunks := (limit + chunkSize - 1) / chunkSize
	return &Table[T]{
		chunks: make([]atomic.Pointer[[chunkSize]slot[T]], chunks),
		free:   lockfree.NewStack(chunks * chunkSize),
		limit:  limit,
	}, nil
}

// Open takes a free slot, gives it a new serial and makes the caller the holder of the owner's count. The value is as the
// slot's last session left it. It answers false when limit sessions are open.
func (t *Table[T]) Open() (ID, *T, bool) {
	if t.open.Add(1) > int64(t.limit) {
		t.open.Add(-1)
		return 0, nil, false
	}
	index, ok := t.free.Pop()
	for !ok {
		t.allocate()
		index, ok = t.free.Pop()
	}
	s := t.slot(index)
	serial := t.serial.Add(1) & serialMask
	t.ledger.opened()
	s.word.Store(serial<<serialShift | 1)
	return makeID(index, serial), &s.value, true
}

// allocate makes the next chunk of slots free. More than enough slots are free afterwards or another goroutine has just
// used them up; chunks never run out, since open bounds the slots in use.
func (t *Table[T]) allocate() {
	t.grow.Lock()
	defer t.grow.Unlock()
	if !t.free.Empty() || int(t.next) == len(t.chunks)*chunkSize {
		return
	}
	chunk := new([chunkSize]slot[T])
	t.chunks[t.next>>chunkBits].Store(chunk)
	indexes := make([]uint32, chunkSize)
	for i := range chunk {
		chunk[i].word.Store(releasedBit)
		indexes[i] = t.next + uint32(i)
	}
	t.next += chunkSize
	t.free.PushN(indexes)
}

func (t *Table[T]) slot(index uint32) *slot[T] {
	return &t.chunks[index>>chunkBits].Load()[index%chunkSize]
}

// At returns the value in a slot that the caller knows to be open: the owner's way to its session.
func (t *Table[T]) At(index uint32) *T { return &t.slot(index).value }

// Acquire adds one to the count of the session and answers its value, or answers false when the session has left. The
// caller may read what the session's owner documents as readable from elsewhere, must not block, and must call Release.
func (t *Table[T]) Acquire(id ID) (*T, bool) {
	index := id.Slot()
	if int(index>>chunkBits) >= len(t.chunks) {
		return nil, false
	}
	chunk := t.chunks[index>>chunkBits].Load()
	if chunk == nil {
		return nil, false
	}
	s := &chunk[index%chunkSize]
	for {
		word := s.word.Load()
		if word>>serialShift != id.Serial() || word&releasedBit != 0 {
			return nil, false
		}
		if word&countMask == countMask {
			panic("session: more than 2^23 - 1 holders of one session")
		}
		if s.word.CompareAndSwap(word, word+1) {
			t.ledger.acquired()
			return &s.value, true
		}
	}
}

// Release takes one away from the count: after Acquire, or once by the owner to let the session go. It answers true to
// the one caller that made the transition to released; that caller must see to it that the owner calls Free.
func (t *Table[T]) Release(id ID) (last bool) {
	s := t.slot(id.Slot())
	for {
		word := s.word.Load()
		if word>>serialShift != id.Serial() || word&countMask == 0 {
			panic("session: released more often than acquired")
		}
		next := word - 1
		if next&countMask == 0 {
			next |= releasedBit
		}
		if s.word.CompareAndSwap(word, next) {
			t.ledger.released()
			return next&releasedBit != 0
		}
	}
}

// Free gives the slot of a released session back. Only the owner calls it, once, when nothing of the session is left.
func (t *Table[T]) Free(id ID) {
	word := t.slot(id.Slot()).word.Load()
	if word>>serialShift != id.Serial() || word&releasedBit == 0 || word&countMask != 0 {
		panic("session: freed while it is held")
	}
	t.free.Push(id.Slot())
	t.open.Add(-1)
}

// Live reports whether the session has not been released. The answer may be old by the time it arrives.
func (t *Table[T]) Live(id ID) bool {
	index := id.Slot()
	if int(index>>chunkBits) >= len(t.chunks) || t.chunks[index>>chunkBits].Load() == nil {
		return false
	}
	word := t.slot(index).word.Load()
	return word>>serialShift == id.Serial() && word&releasedBit == 0
}

// Sessions appends the ids of live sessions to dst, at most limit, in the order of their slots. It takes no hold: sessions
// that open or leave meanwhile may or may not be among them.
func (t *Table[T]) Sessions(dst []ID, limit int) []ID {
	for i := range t.chunks {
		chunk := t.chunks[i].Load()
		if chunk == nil {
			break
		}
		for j := range chunk {
			word := chunk[j].word.Load()
			if word&releasedBit != 0 {
				continue
			}
			if limit--; limit < 0 {
				return dst
			}
			dst = append(dst, makeID(uint32(i*chunkSize+j), word>>serialShift))
		}
	}
	return dst
}

// Len returns the number of slots in use.
func (t *Table[T]) Len() int { return int(t.open.Load()) }

// Limit returns the most sessions the table holds.
func (t *Table[T]) Limit() int { return t.limit }
