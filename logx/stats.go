package logx

import (
	"sync/atomic"

	"vitrine/logx/record"
)

// counters are what a Log counts. The writer alone stores written, synced, errors and syncs.
type counters struct {
	written atomic.Uint64 // last index in a file
	synced  atomic.Uint64 // last index on the device
	errors  atomic.Uint64
	syncs   atomic.Uint64
	waits   atomic.Uint64
	cut     atomic.Uint64
	dropped [record.System + 1]atomic.Uint64
}

func (c *counters) allDropped() uint64 {
	sum := uint64(0)
	for i := range c.dropped {
		sum += c.dropped[i].Load()
	}
	return sum
}

// droppedFields names what was dropped so far, by level.
func (c *counters) droppedFields() []record.Field {
	names := [...]string{record.Debug: "debug", record.Info: "info", record.Warn: "warn", record.Error: "error", record.System: "system"}
	var fields []record.Field
	for level := range c.dropped {
		if n := c.dropped[level].Load(); n > 0 {
			fields = append(fields, record.Uint(names[level]+"_so_far", n))
		}
	}
	return fields
}

// Stats are the figures of a Log since it was opened.
type Stats struct {
	Next    uint64 // index of the next record
	Written uint64 // last index that is in a file
	Synced  uint64 // last index that is on the device
	// Dropped counts the records that were not taken, by level.
	Dropped [record.System + 1]uint64
	Waits   uint64 // calls that found the ring full and waited
	Cut     uint64 // records longer than record.MaxBytes
	Errors  uint64 // writes and syncs that failed
	Syncs   uint64
	Failing bool // the files cannot be written at the moment
	Ring    int  // records in the ring
	RingCap int
}

// Stats may be called from any goroutine, also after Close. Its figures are not of one moment.
func (l *Log) Stats() Stats {
	s := Stats{
		Next: l.ring.Head(), Written: l.counters.written.Load(), Synced: l.counters.synced.Load(), Waits: l.counters.waits.Load(),
		Cut: l.counters.cut.Load(), Errors: l.counters.errors.Load(), Syncs: l.counters.syncs.Load(), Failing: l.failing.Load(),
		Ring: l.ring.Len(), RingCap: l.ring.Cap(),
	}
	for level := range s.Dropped {
		s.Dropped[level] = l.counters.dropped[level].Load()
	}
	return s
}
