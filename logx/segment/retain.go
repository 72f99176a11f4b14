package segment

import (
	"path/filepath"
	"slices"
	"time"
)

// retain removes the oldest segments until the rest is within the limits. What was set aside of one goes with it, and is one
// where nothing else is left of it. Of each it removes the data first: index and
// postings without data mean a removal that did not come to its end, and go too.
func (b *background) retain(live uint64) error {
	all, _, err := list(b.config)
	if err != nil {
		return err
	}
	count, bytes := 1, int64(0) // the live segment counts before it has files
	for i := range all {
		bytes += all[i].bytes
		if !all[i].leftover() && all[i].base < live {
			count++
		}
	}
	now := time.Now()
	for i := range all {
		s := &all[i]
		if s.base >= live {
			return nil
		}
		if !s.leftover() && !b.config.beyond(count, bytes, now.Sub(s.sealed)) {
			return nil
		}
		if err := removeSegment(b.config, s); err != nil {
			return err
		}
		bytes -= s.bytes
		if !s.leftover() {
			count--
			b.counters.removed.Add(1)
		}
	}
	return nil
}

// beyond tells whether the oldest of count segments has to go.
func (c *Config) beyond(count int, bytes int64, age time.Duration) bool {
	return c.KeepSegments > 0 && count > c.KeepSegments ||
		c.KeepBytes > 0 && bytes > c.KeepBytes ||
		c.KeepAge > 0 && age > c.KeepAge
}

// removeSegment removes the files of a segment, its data first.
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

// rank is 0 for data, 1 for what is made from them.
func rank(name string) int {
	if _, suffix, _ := parseName(name); suffix == suffixLog || suffix == suffixZstd {
		return 0
	}
	return 1
}
