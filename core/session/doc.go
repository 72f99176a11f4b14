// Package session provides the session array: slots, ids that detect reuse, and the I/O count that decides release.
//
// A session lives in a slot of a table. Its id names the slot and carries a serial that no other session of the process
// has had, so an id kept after the session left is refused and never reaches the session that has the slot now.
//
//	id     63      40 39                    0
//	      +----------+-----------------------+
//	      | slot 24  |      serial 40        |
//	      +----------+-----------------------+
//
// One atomic word per slot holds all that decides whether the session may be touched:
//
//	word   63                    24 23  22         0
//	      +------------------------+---+------------+
//	      |      serial 40         | R |  count 23  |
//	      +------------------------+---+------------+
//
// count is the number of holders: the owner holds one while the session lives, each Acquire adds one, each Release takes
// one away. The Release that brings count to 0 sets R in the same compare-and-swap, so the transition to released has one
// winner, and only the winner goes on to free the slot. Acquire compares the serial and refuses a released slot in one
// compare-and-swap. At every moment
//
//	acquires - releases = count
//
// which the invariants build tag checks. At most [MaxSessions] slots and 2^23 - 1 holders a session; a serial lasts for
// 2^40 sessions a process (34 years at 1,000 a second).
package session
