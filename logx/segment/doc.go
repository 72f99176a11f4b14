// Package segment keeps a log in files: it writes them, mends them after a crash, seals, compresses and removes them,
// and finds records in them again.
//
// A directory has one writer, which holds its LOCK, and any number of readers, beside the writer or after it. The
// records of a log are numbered without gaps; a segment is a run of them, named by the index of its first:
//
//	            Add                Flush                        Rotate             background
//	records ----------> buffer ------------> BASE.log   ----------------> footer -------------> BASE.log.zst
//	                    and summary of      + BASE.idx  (block index)     (sealed)              (one frame per block)
//	                    the open block      + BASE.warn (postings)                              oldest removed
//
// Only the data are written with care. Block index and postings are found again from them, bit for bit; a crash
// between two writes leaves them short, and [OpenWriter] mends that. What a crash does not explain it moves to BASE.cut and
// tells of as [Damage]; it is never deleted but by retention. FORMAT.md beside the package draws every file.
//
// # Units and limits
//
// Sizes are bytes, times are unix nanoseconds, indexes begin at 1. A block ends with the record that brings it to
// 64 KiB ([BlockBytes]); a record has at most 256 KiB. A segment has a limit of 1 MiB to 1 GiB (128 MiB by default)
// and is never longer than 4 GiB. The block index takes 272 bytes per block and 8200 per 256 blocks: 0.47 % of the
// data at most. Copies in the postings stay under 0.1 % of the data and 64 KiB.
//
// A block that a search of a compressed segment decodes costs it much more than one that it leaves out. So the index of
// these is packed: entries of 7 bytes, and for the rest of the same room filters near the bound of information, which
// know who will be asked for. With nearly as many sessions in a block as records, 9 % of others pass them instead of 29 %.
// Then the frame is searched as it stands for the low bytes of the session's id, which are literals there as a rule; the
// index knows the exceptions. What is decoded in the end is hardly more than the blocks that hold a hit.
//
// Files are not trusted: what does not hold is [ErrCorrupt], and nothing larger than these limits is allocated for it.
//
// Sources: Kafka's log segments (base index in the name, sparse index, a torn tail is cut at the first bad record),
// the journal of systemd (never repair in place), Bloom filters after Kirsch and Mitzenmacher (two hashes make many),
// ribbon filters after Dillinger and others (homogeneous; the tail of dense columns is that of Raptor codes, RFC 5053).
package segment
