package flight

import (
	"errors"
	"fmt"
	"sync"
)

// KeptRecords is how many records the store keeps of one session.
const KeptRecords = 16

// StoreConfig describes a store. The zero value is usable.
type StoreConfig struct {
	Sessions  int          // sessions kept, 1 to 65536; default 1024 (1 MiB); the newest replaces the oldest
	PerSecond int          // sessions taken per second, 1 to 1e6, as many at once; default 100
	Clock     func() int64 // ns, monotonic; default Clock
}

// Store keeps the last records of sessions that closed abnormally, after the
// rings have gone on. It is bounded in memory and in the rate at which it takes
// sessions; what it turns away it counts. All methods are for any goroutine;
// they hold one mutex for a copy of 1 KiB at most.
type Store struct {
	perSecond int64
	clock     func() int64

	mu      sync.Mutex
	index   map[uint64]int // guarded by mu: session id -> entry
	entries []kept         // guarded by mu: a ring, len fixed
	next    int            // guarded by mu: the entry replaced next
	paid    int64          // guarded by mu: the stamp up to which the rate is used
	dropped uint64         // guarded by mu
}

// kept is one session's records; n of 0 is an unused entry.
type kept struct {
	session uint64
	n       int
	records [KeptRecords]Record
}

// NewStore returns an empty store with all its memory allocated. It reports
// every bad field at once.
func NewStore(c StoreConfig) (*Store, error) {
	if c.Sessions == 0 {
		c.Sessions = 1024
	}
	if c.PerSecond == 0 {
		c.PerSecond = 100
	}
	if c.Clock == nil {
		c.Clock = Clock
	}
	var errs []error
	if c.Sessions < 1 || c.Sessions > 1<<16 {
		errs = append(errs, fmt.Errorf("sessions %d: not from 1 to 65536", c.Sessions))
	}
	if c.PerSecond < 1 || c.PerSecond > 1e6 {
		errs = append(errs, fmt.Errorf("per second %d: not from 1 to 1000000", c.PerSecond))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("flight store: %w", err)
	}
	return &Store{
		perSecond: int64(c.PerSecond),
		clock:     c.Clock,
		index:     make(map[uint64]int, c.Sessions),
		entries:   make([]kept, c.Sessions),
		paid:      c.Clock() - second,
	}, nil
}

const second = int64(1e9)

// Keep copies the last KeptRecords of records, oldest first, as what remains of
// session id. It answers false, and counts, when the rate is used up or there
// is nothing to keep. A session kept before is replaced.
func (s *Store) Keep(id uint64, records []Record) bool {
	if len(records) == 0 {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.admit() {
		return false
	}
	s.put(id, records)
	return true
}

// KeepFrom is Keep with what r still holds of session id. It asks the rate
// first, so that a storm of closing sessions does not search the ring for each.
func (s *Store) KeepFrom(r *Recorder, id uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.admit() {
		return false
	}
	var buf [KeptRecords]Record
	records := r.Session(buf[:0], id, KeptRecords)
	if len(records) > 0 {
		s.put(id, records)
	}
	return len(records) > 0
}

// Get returns what is kept of session id, oldest first, and whether anything
// is. The slice is the caller's.
func (s *Store) Get(id uint64) ([]Record, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, ok := s.index[id]
	if !ok {
		return nil, false
	}
	e := &s.entries[i]
	return append([]Record(nil), e.records[:e.n]...), true
}

// Dropped returns how many sessions the rate turned away.
func (s *Store) Dropped() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dropped
}

// admit takes one session from the rate. Each costs 1/PerSecond of a second,
// and at most one second's worth is saved up.
func (s *Store) admit() bool {
	now := s.clock()
	s.paid = max(s.paid, now-second)
	cost := second / s.perSecond
	if s.paid+cost > now {
		s.dropped++
		return false
	}
	s.paid += cost
	return true
}

func (s *Store) put(id uint64, records []Record) {
	i, ok := s.index[id]
	if !ok {
		i = s.next
		s.next = (s.next + 1) % len(s.entries)
		if s.entries[i].n > 0 {
			delete(s.index, s.entries[i].session)
		}
		s.index[id] = i
	}
	e := &s.entries[i]
	e.session = id
	e.n = copy(e.records[:], records[max(0, len(records)-KeptRecords):])
}
