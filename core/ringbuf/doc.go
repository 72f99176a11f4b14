// Package ringbuf is the stream buffer: a byte ring over lent storage that
// keeps what a session could not finish this turn.
//
// A partial frame waits in one until its rest arrives, an unsent remainder
// until the socket takes it. A session without either holds no storage.
//
//	                read            read+size
//	                 v                  v
//	storage  [ room | a a a a a a a a a | room ]     content in one segment
//
//	         read+size-capacity        read
//	                 v                  v
//	storage  [ b b b |       room       | a a a ]     content in two segments
//
//	0 <= size <= capacity     size == 0 implies read == 0
//	0 <= read <  capacity     (read == 0 when capacity == 0)
//
// Counting written bytes from the same origin as read, written = read+size and
// read <= written <= read+capacity.
//
// Unit: bytes. Limit: the capacity is the length of the storage, of any size;
// at the limit Write takes the prefix that fits and says how much, nothing
// grows by itself and nothing is allocated. The owner moves the content to
// larger storage with Move. Because an empty buffer starts again at offset 0,
// a stream that is drained each turn never wraps.
//
// A Buffer belongs to one goroutine, usually the worker that owns the session.
// With the build tag invariants the formulas above are checked after every
// change, and bytes are overwritten as soon as they are discarded or their
// storage is given back, so that a view kept too long shows.
//
// Source: the two-segment circular buffer (Knuth, The Art of Computer
// Programming, volume 1, section 2.2.2), laid out for writev(2).
package ringbuf
