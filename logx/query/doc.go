// Package query asks a log directory: it finds records, follows what arrives and verifies what is there.
//
//	directory --times, indexes--> segments --summaries, postings--> units --Parallel goroutines--> hits --in order--> yield
//	          (others never opened)        (other blocks never read)     (read, hop over heads, check what matches)
//	the ring of a dead writer, when nobody holds the directory ------------------------------------^
//
// A unit is a block of 64 KiB, or what postings say of one: records of WARN and above are found without scanning, rare
// ones of ERROR and above without their blocks. Inside a block only heads are looked at; the checksum is that of a
// record that matches. What cannot be read is counted, goes with Stats and makes an error that wraps [ErrCorrupt] at the
// end, after everything else was given. Files that a recovery has set aside are not searched: Stats.Asides names them, and
// [Verify] tells what is in them.
//
// The writer may live: a search sees what its files held when it began, and [Follow] what comes after, across rotation
// and compression. When the writer is dead, what it had accepted and never wrote is read from its ring and is part of
// the answer; an index that occurs twice is given once.
//
// # Units and limits
//
// Times are of the wall clock, which may be set back: records come in the order of their indexes, not of their times. A
// search holds 4 blocks per goroutine, at most [MaxParallel] of these, and what matches of a dead writer's ring. Stats
// keeps the first [MaxCorruptions] places. Everything a search started has ended when it returns.
//
// Source: the layout and the figures are those of package segment.
package query
