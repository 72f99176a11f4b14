package engine

import (
	"errors"
	"fmt"

	"vitrine/core/frame"
)

// Errors that callers branch on.
var (
	ErrNoSession    = errors.New("no such session")       // the id is stale, or the session is closing
	ErrQueueFull    = errors.New("send queue full")       // the session's or its worker's queue is at its limit
	ErrDropped      = errors.New("packet dropped")        // droppable, and the session's send queue is at its limit
	ErrServerClosed = errors.New("server closed")         // Run and Start after Stop
	ErrStarted      = errors.New("server is started")     // Start twice
	ErrNotStarted   = errors.New("server is not started") // Stop or Connect before Start
	ErrFull         = errors.New("max sessions are open") // Connect
	ErrUnsupported  = errors.New("unsupported on this operating system")
)

// Error is what OnError is told: the operation that failed, the session it concerned (0: none) and the cause. It is never
// made for an ordinary close.
type Error struct {
	Op      string
	Session ID
	Err     error
}

// Error returns operation, session and cause in one line.
func (e *Error) Error() string {
	if e.Session == 0 {
		return fmt.Sprintf("%s: %v", e.Op, e.Err)
	}
	return fmt.Sprintf("%s, session %v: %v", e.Op, e.Session, e.Err)
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// FieldError is one field of Config or Limits that cannot be as it is. New, SetLimits and Validate join all they find.
type FieldError struct {
	Field   string   // in words, such as "packet rate"
	Problem string   // such as "is -7, want a positive number, 0 or -1"
	Uses    []string // other fields, in words, that the field was compared with
}

// Error returns field and problem in one line.
func (e *FieldError) Error() string { return e.Field + " " + e.Problem }

// frameReason translates what a codec refused into the reason that closes the session.
func frameReason(err error) Reason {
	switch err {
	case frame.ErrBadCode:
		return BadCode
	case frame.ErrBadLength:
		return BadLength
	case frame.ErrBadChecksum:
		return BadChecksum
	case frame.ErrBadTag:
		return BadTag
	case frame.ErrBadExtension:
		return BadExtension
	case frame.ErrHandshake:
		return HandshakeFailed
	case frame.ErrClosed:
		return PeerClosed
	}
	return BadPacket
}
