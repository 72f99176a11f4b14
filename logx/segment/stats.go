package segment

import "sync/atomic"

// Stats are the figures of a writer.
type Stats struct {
	Segments  int   // in the directory, the one being written included
	Bytes     int64 // of their files
	LiveBytes int64 // of the data of the segment being written; part of Bytes

	// Since OpenWriter.
	Sealed     uint64 // segments sealed
	Compressed uint64 // segments compressed
	FromBytes  int64  // data of those
	ToBytes    int64  // what they became
	Removed    uint64 // segments removed because of the limits, and those of which only damage was left
	Syncs      uint64 // calls of Sync that went well
	Errors     uint64 // calls of Flush, Rotate and Sync that failed, and troubles in the background
}

// counters are what a writer counts. Each has one writer: its owner's goroutine, or the background where noted.
type counters struct {
	live   atomic.Int64 // bytes of the live segment's data
	index  atomic.Int64 // bytes of its index and postings
	sealed atomic.Uint64
	syncs  atomic.Uint64
	errors atomic.Uint64 // both

	segments   atomic.Int64 // background: without the live one
	bytes      atomic.Int64 // background: of those
	compressed atomic.Uint64
	from, to   atomic.Int64
	removed    atomic.Uint64
}

// wrote takes note of the size of the live segment.
func (c *counters) wrote(s *live) {
	c.live.Store(s.log.size)
	c.index.Store(s.idx.size + s.warn.size)
}

// Stats may be called from any goroutine, also after Close. Segments and Bytes are as of the last look at the directory,
// which the background takes after each rotation.
func (w *Writer) Stats() Stats {
	c := &w.counters
	s := Stats{
		Segments: int(c.segments.Load()), LiveBytes: c.live.Load(), Sealed: c.sealed.Load(), Compressed: c.compressed.Load(),
		FromBytes: c.from.Load(), ToBytes: c.to.Load(), Removed: c.removed.Load(), Syncs: c.syncs.Load(), Errors: c.errors.Load(),
	}
	s.Bytes = c.bytes.Load() + s.LiveBytes + c.index.Load()
	if s.LiveBytes > 0 {
		s.Segments++
	}
	return s
}
