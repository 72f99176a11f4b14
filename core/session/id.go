package session

import "strconv"

const (
	slotBits   = 24
	serialBits = 40
	serialMask = 1<<serialBits - 1

	// MaxSessions is the most slots a table can have, in whole chunks: the free list has an index less than 1<<slotBits.
	MaxSessions = 1<<slotBits - chunkSize
)

// ID names a session for good: it is a plain value, safe to keep, to send and to compare, and stale once the session left.
// The zero ID names no session.
type ID uint64

func makeID(slot uint32, serial uint64) ID {
	return ID(uint64(slot)<<serialBits | serial)
}

// Slot returns the index of the session's slot in its table.
func (id ID) Slot() uint32 { return uint32(id >> serialBits) }

// Serial returns the number of the session among all that its table ever opened, from 1.
func (id ID) Serial() uint64 { return uint64(id) & serialMask }

// String returns the id in decimal, the form that logs, JSON and the command line use.
func (id ID) String() string { return strconv.FormatUint(uint64(id), 10) }

// ParseID reads the decimal form of an id.
func ParseID(text string) (ID, error) {
	v, err := strconv.ParseUint(text, 10, 64)
	return ID(v), err
}
