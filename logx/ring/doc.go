// Package ring is the memory through which callers hand log records to the one
// goroutine that writes them: a bounded ring in a shared mapping, so that what a
// call has accepted outlives the process.
//
//	callers                                                  writer
//	Claim -> fill the slot -> Publish     | 7 | 8 | 9 | 10 |     Peek -> write(2) -> Release
//	                                        ^ tail      ^ head
//
// A slot's ticket is its record's index: the ring gives it out only together with
// a free slot, so indexes have no gaps however many callers there are, and a call
// that is turned away uses none. A slot is free again only when the writer says
// that its bytes are in a file.
//
// A payload larger than a slot lies in chunks beside the ring; the slot keeps
// their chain and a checksum.
//
// When the process dies, ReadDead finds every record that was published and not
// yet in a file, and a tombstone for each whose caller was killed while it wrote.
// The mapping is a file: on a tmpfs it survives the process and not the machine,
// which is what fsync is for.
//
// The file, little-endian:
//
//	0                 header, 4096 bytes
//	    0  magic 8 "VTRNRNG1"
//	    8  slots 4 (a power of two) | 12 slot bytes 4 (256)
//	    16 store id 8
//	    24 first index 8
//	    32 chunks 4 | 36 chunk bytes 4 (4096)
//	    128 head 8: the next index
//	    256 tail 8: the first index that is not yet released
//	    512 length 2, names of the custom types, one a line
//	4096              slots, 256 bytes each: see Slot
//	4096 + 256*slots  chunks: next 4 (chunk plus one, 0 the last) | bytes 4 | 4088 bytes of payload
//
// The queue is the bounded one of D. Vyukov (1024cores.net) with one consumer. A
// caller stopped between Claim and Publish holds up the writer, not other callers,
// until the ring is full.
package ring
