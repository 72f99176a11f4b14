package frame

import "errors"

// What Size, Handshake, Open and Seal answer. They are returned as they
// are, never wrapped, so that a caller on the packet path compares with
// == and nothing is allocated. Each but ErrClosed and ErrTooLong is the
// reason a session closes with.
var (
	// ErrBadCode: the first byte of a classic frame is not the configured
	// code, or a sealed frame holds a kind that is neither data nor close.
	ErrBadCode = errors.New("frame: bad code")

	// ErrBadLength: a length of 0 or above the maximum, or a frame whose
	// bytes are not as many as its header says. Seal answers it for an
	// empty payload, which no codec can carry.
	ErrBadLength = errors.New("frame: bad length")

	// ErrBadChecksum: the payload of a classic frame does not add up.
	ErrBadChecksum = errors.New("frame: bad checksum")

	// ErrBadTag: a sealed frame was altered, lost, repeated or reordered.
	// The session cannot go on: the stream has no way back into step.
	ErrBadTag = errors.New("frame: bad tag")

	// ErrBadExtension: an extension block of an unknown kind, or two of
	// one kind in a frame.
	ErrBadExtension = errors.New("frame: bad extension")

	// ErrHandshake: what should be a handshake message is not one, or a
	// frame is opened or sealed before the handshake is done.
	ErrHandshake = errors.New("frame: handshake failed")

	// ErrClosed: the peer said that it is done (Open), or this side did
	// (Seal after SealClose). The ordinary end of a sealed session.
	ErrClosed = errors.New("frame: closed")

	// ErrTooLong: Seal was given a payload above MaxPayload.
	ErrTooLong = errors.New("frame: payload too long")
)
