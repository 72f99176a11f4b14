// Package logx is a system log: leveled, typed, indexed, and built so that a call
// that has returned is never lost and a goroutine that logs never waits for a disk.
//
//	any goroutine              one goroutine                    files of Config.Dir
//	slog --> Handler --+       +--> segments: records, index --> rotate, compress, remove
//	Write -------------+> ring +
//	                shared memory
//
// A call encodes its record into a slot of a ring in shared memory and returns. The
// ring's ticket is the record's index, so indexes begin at 1 and have no gaps: not
// between goroutines, not over restarts, not after kill -9. The writer moves
// records to the files and frees a slot only when write(2) has taken its bytes. The
// next Open of the directory cuts what a dying machine tore, writes what the ring
// still held, and goes on with the next index.
//
// # What can be lost
//
//	the process dies, by any signal   nothing that Write accepted
//	the ring is full                  levels of Config.Block wait, the others are dropped:
//	                                  counted, and told in a record of their own
//	the files cannot be written       nobody waits; the ring keeps the oldest records, later
//	                                  ones are dropped and counted, until it can be written again
//	the power fails                   what was not yet synced: see SyncPolicy
//	a file is damaged                 the damaged records, and those of the open segment behind
//	                                  them: told, and kept aside
//
// The next Open never goes on in silence. What a death leaves, a torn record or an index
// that is short, is mended and told at WARN. Damage is told at ERROR, one record a file,
// and in a line to Config.Complain: what was damaged lies aside in a .cut file, which
// vitrine logs verify lists, and the log goes on behind every index that the files still
// name. So damage leaves a gap that is told, and no index is ever given twice, as far as
// the files tell: those that are gone without a trace cannot.
//
// A record whose caller is killed in the middle of it leaves a tombstone with its
// index.
//
// # Types and fields
//
// A record has a level (DEBUG, INFO, WARN, ERROR, SYSTEM), one type of a closed list
// that Config.Types can extend, a session, a trace, a message and typed fields. It has
// at most record.MaxBytes; what is longer is cut and marked. Values are masked and
// repeated messages held back by the Handler.
//
// # Reading
//
// Package query and the command vitrine logs answer by index, session, time, level,
// type and trace; FORMAT.md draws the files, whose indexes can all be made anew from
// the data. Config.Format Text writes lines instead:
//
//	[session] [2026-11-22T22:44:10.123456Z / WARN / 4711] session broken reason=bad_tag session=42
//
// Sources: the original's system log (type, level, message, index, time); the ring is
// the bounded queue of D. Vyukov; segments named by their first index and sparse
// indexes are those of Kafka and journald.
package logx
