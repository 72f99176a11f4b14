package packet

import "errors"

// The errors a packet or a reader can carry. They are returned as they are, so
// that == works and nothing is allocated.
var (
	// ErrTooLong: a write would exceed the pool's MaxSize, or a text its
	// fixed array.
	ErrTooLong = errors.New("packet: too long")

	// ErrShort: a read went past the end of the payload.
	ErrShort = errors.New("packet: read past the end")

	// ErrExhausted: as many packets are alive as the pool's Capacity allows.
	ErrExhausted = errors.New("packet: pool exhausted")

	// ErrReleased: the packet was released.
	ErrReleased = errors.New("packet: used after release")
)

// failure is the error of a packet in one byte.
type failure uint8

const (
	none failure = iota
	tooLong
	exhausted
	released
)

func (f failure) err() error {
	switch f {
	case none:
		return nil
	case tooLong:
		return ErrTooLong
	case exhausted:
		return ErrExhausted
	default:
		return ErrReleased
	}
}
