// Package record defines one record of the system log: what it holds, its bytes on disk, its line of text and its
// line of JSON.
//
// A caller encodes message and fields into a payload, where the ring has room for it. The writer puts the head before
// it when it knows the index. A reader goes the other way, and copies nothing:
//
//	caller:  PayloadSize, AppendPayload ──> payload ─┐
//	writer:                         Head + payload ──┴─ Append ──> bytes on disk
//	reader:  bytes ── Parse ──> View ── Decode ──> Record ── AppendText, AppendJSON ──> a line
//
// # Bytes
//
// All integers are little-endian. A record is its head and its payload:
//
//	byte 0        1        2        3        4        5        6        7
//	   +--------+--------+--------+--------+--------+--------+--------+--------+
//	 0 | length u32: head and payload      | crc32c u32 of bytes 8..length     |
//	   +--------+--------+--------+--------+--------+--------+--------+--------+
//	 8 | index u64                                                             |
//	   +--------+--------+--------+--------+--------+--------+--------+--------+
//	16 | time i64: ns since 1970, UTC                                          |
//	   +--------+--------+--------+--------+--------+--------+--------+--------+
//	24 | session u64, 0 = none                                                 |
//	   +--------+--------+--------+--------+--------+--------+--------+--------+
//	32 | level  | flags  | type u16        | payload, length - 36 bytes ...
//	   +--------+--------+--------+--------+
//
//	payload   [trace 16, span 8: with FlagTrace]  message  field  field  ...  to its end
//	message   uvarint length, bytes
//	field     uvarint length of the key, key, kind u8, value
//
//	kind  value                        bytes
//	0     string                       uvarint length, bytes
//	1     int                          zigzag varint, 1..10
//	2     uint                         uvarint, 1..10
//	3     float                        8, IEEE 754
//	4     bool                         1, 0 or 1
//	5     duration, ns                 zigzag varint, 1..10
//	6     time, ns since 1970, UTC     8
//	7     JSON text                    uvarint length, bytes
//	8     error text                   uvarint length, bytes
//
// An empty payload is an empty message without fields. Kinds, flags and levels that are not listed are refused.
//
// # Lines
//
//	[session] [2026-11-22T22:44:10.123456Z / WARN / 4711] too many packets rate=812 peer="a b" session=7 trace=00..4f span=00..2a
//	{"index":"4711","time":"2026-11-22T22:44:10.123456789Z","level":"WARN","type":"session","session":"7","msg":"too many packets","fields":{"rate":812,"peer":"a b"}}
//
// Content cannot break out of its place: one record is one line, whatever it holds.
//
// # Limits
//
// A record has at most [MaxBytes] bytes and [MaxFields] fields; [Fit] shortens what has more. There are [MaxTypes]
// types, those from [FirstCustom] on named by the program. Times are between 1677 and 2262.
//
// Nothing here blocks, and only NewTypes, ParseLevel and slices that must grow allocate. Bytes from a file are judged,
// not trusted: Parse and Decode return [ErrCorrupt] and never read past what they were given.
//
// Source: CRC-32C as in RFC 3720 B.4, varints and zigzag as in Protocol Buffers, RFC 3339 and RFC 8259.
package record
