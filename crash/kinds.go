package crash

import (
	"sync"
	"time"
)

// kinds counts panics by what tells them apart, and lets one of each kind through per interval.
type kinds struct {
	every  time.Duration // fixed
	hourly int           // panics of all kinds that are let through in an hour; fixed
	mu     sync.Mutex
	slots  [maxKinds]kind // guarded by mu
	hour   time.Time      // when the count began; guarded by mu
	passed int            // let through since then; guarded by mu
}

// maxKinds is how many kinds are told apart; one that finds no place is let through when the slot that it shares is due.
const maxKinds = 256

// kind is one kind of panic. Zero is free.
type kind struct {
	key  uint64
	last time.Time // let through
	held uint64    // since
}

// first tells whether the panic is to be reported, and how many of its kind were not since the last that was.
func (k *kinds) first(key uint64, now time.Time) (report bool, before uint64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := k.slot(key)
	if !s.last.IsZero() && now.Sub(s.last) < k.every || !k.room(now) {
		s.held++
		return false, 0
	}
	before = s.held
	*s = kind{key: key, last: now}
	return true, before
}

// room takes one of the hour's reports, if one is left. The caller holds mu.
func (k *kinds) room(now time.Time) bool {
	if now.Sub(k.hour) >= time.Hour {
		k.hour, k.passed = now, 0
	}
	if k.passed >= k.hourly {
		return false
	}
	k.passed++
	return true
}

// slot returns the slot of a key, or a free one, or, when those that it may have are taken, the first of them.
func (k *kinds) slot(key uint64) *kind {
	for i := range uint64(probes) {
		s := &k.slots[(key+i)%maxKinds]
		if s.key == key || s.last.IsZero() {
			return s
		}
	}
	return &k.slots[key%maxKinds]
}

// probes is how many places a key may have.
const probes = 8
