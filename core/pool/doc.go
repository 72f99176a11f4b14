// Package pool keeps free lists of fixed-size slots of memory: a cache for
// each worker over a lock-free central list of batches.
//
//	worker 0          worker 1          any other goroutine
//	+---------+       +---------+       +-----------------+
//	| Cache   |       | Cache   |       | Shared: a Cache |    at most 128 slots each,
//	| 0..128  |       | 0..128  |       | behind a mutex  |    no atomics inside
//	+---------+       +---------+       +-----------------+
//	     |  64 slots       |  64 slots        |  64 slots
//	     v  at a time      v  at a time       v  at a time
//	+---------------------------------------------------------+
//	| Pool: stack of full batches, stack of empty batches     |    lock-free
//	+---------------------------------------------------------+
//	     |  64 slots, only when nothing is free
//	     v
//	+---------------------------------------------------------+
//	| chunks of 64 slots, allocated on demand, never freed    |    under a mutex
//	+---------------------------------------------------------+
//
// A worker that frees what it took stays in its cache, whatever the others
// do. One that takes what another frees, as when packets are made here and
// sent there, trades 64 slots for one swap on each of two stacks. A cache is
// left half full by a trade in either direction, so that it takes at least
// 64 more calls to the next one.
//
// # Memory
//
// A slot is SlotSize bytes out of 64 x stride, where stride is SlotSize
// rounded up to 64 so that slots of two workers never share a cache line. A
// chunk is a byte slice, which the garbage collector does not look into: live
// slots cost it nothing, however many. Keep no pointers in them; keep Slots,
// which are numbers. Memory a slot was put back with stays as it was, so a
// slot must be written before it is read.
//
//	Slot    31                        6 5       0
//	       +---------------------------+---------+
//	       | chunk, 26 bits            | place, 6|
//	       +---------------------------+---------+
//
// # Limits
//
//	Capacity                 slots at most, ever; then Get returns false and Exhausted counts
//	128 x (caches + 1)       free slots that other caches may hold while a Get is refused
//	1 << 30                  largest Capacity
//	24 bytes per 64 slots    tables, allocated by New
//	256 bytes per 64 slots   batch, allocated with its chunk
//
// Nothing here waits for memory to become free. A caller that is refused
// drops work and says so.
//
// # Invariants
//
//	allocated = in use + cached + 64 x full batches + loose    (fewer than 64 loose)
//	batches that are not empty <= chunks
//
// With the invariants build tag every slot has a history: putting back a slot
// twice, putting back or using one that is not out of this pool, and writing
// to one after it was put back panic and name the call site that took it;
// Leaks lists what is out by call site. A slot of another pool is recognized
// only if this pool has no such slot out. Without the tag nothing of this is
// compiled in, and Get, Put and Bytes are inlined into their callers.
//
// # Cost
//
// On two cores shared with other work, medians of the same run, for 256-byte
// slots taken, touched and put back:
//
//	                                  cache    sync.Pool    heap
//	one at a time                     4.4 ns       22 ns
//	32 at a time, per slot            4.3 ns       35 ns
//	taken here, put back there         11 ns       60 ns    120 ns
//	collection with 1 M live          0.26 ms               24 ms
//
// Read them as ratios: the machine is shared, and a quiet one halves them.
//
// The batches are the magazines of J. Bonwick and J. Adams, "Magazines and
// Vmem", USENIX 2001, with the depot on two lock-free stacks.
package pool
