// Package packet is the packet buffer: a pooled, reference-counted payload with
// typed little-endian writers, and the reader for a received one.
//
//	p := cache.New().U16(1002).U8(1).I64(account)   written once, by one goroutine
//	p.Retain(n)                                     once per broadcast: n more references
//	p.Payload()                                     read by any holder, never changed
//	cache.Release(p), p.Release()                   each holder drops its own
//
// # Memory
//
// A packet is a header of 64 bytes and a payload. Headers lie in chunks of 64
// that hold no pointers but two at their front, so a million packets alive give
// the garbage collector nothing to follow; the index of a header is the slot of
// its payload in the smallest size class, and the packet's handle.
//
//	header chunk (Go memory)             pool of the smallest class (not scanned)
//	| pool 8 | exts 8 | pad 40 |          64 slots of 256 bytes
//	| header 0, 64 bytes       | start -> | payload 0                     |
//	| header 1                 | start -> | payload 1                     |
//	| ...                      |          | ...                           |
//	| header 63                | start -> in a larger class once it grew |
//
//	start <= cursor <= limit <= start + size of the class
//
//	| cursor 8 | start 8 | limit 8 | refs 4 | slot 4 | large 4 | class 1 | failure 1 | ext 1 | pad 1 |
//	| trace 8 | recv 8 | pad 8 |                                                         64 bytes
//
// # Limits
//
// Size classes: 256, 2048, 16384 and [Config].MaxSize bytes (65535), those below
// MaxSize. A packet moves to the next class that fits when it outgrows its own,
// at the cost of one copy and a mutex, and keeps its first slot beside it. Past
// MaxSize it carries [ErrTooLong]. At most [Config].Capacity packets (65536) are
// alive at once, those included that caches hold ready, up to 128 each; the next
// one carries [ErrExhausted], as does one whose next class is used up. Nothing is ever returned
// as nil: errors stick, later writes are ignored, and whoever sends the packet
// sees Err. Memory once allocated is kept: 64 slots of a class at a time.
//
// # Release
//
// A count of 1 belongs to whoever sees it, so releasing a packet that was never
// shared needs no atomic read-modify-write, and a worker's [Cache] no lock. A
// released packet refuses writes and shows no payload until it is handed out
// again; its misuse is ignored and counted in [Stats].Misused. With the build
// tag invariants it panics instead, and released bytes are overwritten.
//
// # Text
//
// UTF-16 follows package unicode/utf16: invalid input becomes U+FFFD, in both
// directions. UTF-8 is copied as it is. Fixed arrays are padded with zeros, and
// readers stop at the first NUL.
//
// Source: the CPacket of the family this stack is compatible with (chained
// operators, a reference count) and quic-go's packet buffer (loud on misuse).
package packet
