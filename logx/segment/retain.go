package segment

import (
	"path/filepath"
	"slices"
	"time"
)

// retain removes the oldest segments until the rest is within the limits. What was set aside of one goes with it, and is one
// where nothing else is left of it. The newest stays while the live segment has no record: it tells which index follows.
func (b *background) retain(live uint64) error {
	for {
		held, err := b.removeOldest(live)
		if err != nil || !held {
			return err
		}
		// The writer looks at held behind filled: either it wakes the background, or filled is seen here.
		b.held.Store(true)
		if b.filled.Load() < live || !b.held.CompareAndSwap(true, false) {
			return nil
		}
	}
}

// removeOldest is held when one has to go that is needed until the live segment has a record.
func (b *background) removeOldest(live uint64) (held bool, err error) {
	filled := b.filled.Load() >= live // before the look: what is filled is in the list
	all, _, err := list(b.config)
	if err != nil {
		return false, err
	}
	count, bytes, newest := 1, int64(0), uint64(0) // the live segment counts before it has files
	for i := range all {
		bytes += all[i].bytes
		if !all[i].leftover() && all[i].base < live {
			newest = all[i].base
			count++
		}
	}
	now := time.Now()
	for i := range all {
		s := &all[i]
		if s.base >= live {
			return false, nil
		}
		if !s.leftover() && !b.config.beyond(count, bytes, now.Sub(s.sealed)) {
			return false, nil
		}
		if s.base == newest && !filled {
			return true, nil
		}
		if err := removeSegment(b.config, s); err != nil {
			return false, err
		}
		bytes -= s.bytes
		if !s.leftover() {
			count--
			b.counters.removed.Add(1)
		}
	}
	return false, nil
}

// beyond tells whether the oldest of count segments has to go.
func (c *Config) beyond(count int, bytes int64, age time.Duration) bool {
	return c.KeepSegments > 0 && count > c.KeepSegments ||
		c.KeepBytes > 0 && bytes > c.KeepBytes ||
		c.KeepAge > 0 && age > c.KeepAge
}

// removeSegment removes the files of a segment, its data last: what a kill leaves is a whole segment, of which the next
// pass makes what is missing, or removes the rest.
func removeSegment(c *Config, s *stored) error {
	names := slices.Clone(s.names)
	slices.SortStableFunc(names, func(a, b string) int { return rank(a) - rank(b) })
	for _, name := range names {
		if err := remove(c.FS, filepath.Join(c.Dir, name)); err != nil {
			return err
		}
	}
	return nil
}

// rank is 1 for data, 0 for what is made from them or was taken out of them.
func rank(name string) int {
	if _, suffix, _ := parseName(name); suffix == suffixLog || suffix == suffixZstd {
		return 1
	}
	return 0
}
