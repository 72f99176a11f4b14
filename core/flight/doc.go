// Package flight keeps one 64-byte record for every packet a worker handles.
//
// A [Recorder] belongs to one worker. The worker tells it when a turn starts,
// when a handler starts and returns, and when the turn ends; everything else
// that wants to know about packets (spans, histograms, a session's history, the
// black box after a crash) reads the records from another goroutine, later.
//
//	worker:  Turn   Begin End  Begin End  Begin End  Begin End   Begin End   Flush
//	clock:    |                                          |                     |
//	group:    [----------------- 4 packets --------------)[------ 1 packet ----)
//
// The clock is read once per group, and groups are chained: the end of one is
// the start of the next. A record's Recv is the stamp that started its group
// and its Handle the duration of that group, so both are off by at most one
// group's duration, and always to the safe side: a packet slower than T is in a
// group whose Handle is above T.
//
// # The record
//
// Eight words in host byte order (little-endian wherever this runs); the same
// in memory, in a file and as a Go struct. B: written by Begin, E: by End, C: when its group closes.
//
//	byte 0        1        2        3        4        5        6        7
//	   +--------+--------+--------+--------+--------+--------+--------+--------+
//	 0 | Session u64                                                           | B
//	   +--------+--------+--------+--------+--------+--------+--------+--------+
//	 8 | Seq u64: 48 bits used, bit 47 set in the life-cycle ring, never 0     | B
//	   +--------+--------+--------+--------+--------+--------+--------+--------+
//	16 | Recv i64: ns since the clock's zero                                   | B
//	   +--------+--------+--------+--------+--------+--------+--------+--------+
//	24 | Cause u64: the Ref this one follows from, 0 = none                    | B
//	   +--------+--------+--------+--------+--------+--------+--------+--------+
//	32 | Wait u32: ns, Recv -> group start | Handle u32: ns, group's duration  | C
//	   +--------+--------+--------+--------+--------+--------+--------+--------+
//	40 | Out u32: bytes sent               | Err u16         | Flags u16       | B E
//	   +--------+--------+--------+--------+--------+--------+--------+--------+
//	48 | Size u32: bytes in                | Type u16        | Worker u16      | B
//	   +--------+--------+--------+--------+--------+--------+--------+--------+
//	56 | mark u32: low half of Seq         | Kind   | Group  | Pos    | 0      | B C
//	   +--------+--------+--------+--------+--------+--------+--------+--------+
//
// # Limits
//
// A ring holds [Config].Records (4096, 256 KiB) packets and [Config].Lifecycle
// (1024) events; the newest overwrite the oldest, apart from each other, so
// that traffic does not evict a session's opening and closing. Seq counts 2^47
// records per worker. Wait and Handle saturate at 4.29 s. Readers may miss the
// oldest 64 records of a ring that is being written.
//
// With Config.Dir the rings live in a MAP_SHARED file (Linux) that survives
// SIGKILL; [OpenFile] reads it. With -tags norecord [Enabled] is false, writers
// are empty and readers find nothing.
//
// Source: retroactive sampling (Hindsight, NSDI '23), Linux's seqlock, and the
// argument above [ring] in ring.go.
package flight
