package engine

// Reason says why a session ended. The list is closed: the same words stand in code, log, metric label, record and
// console.
type Reason uint8

// The reasons, in the order of their numbers in records.
const (
	NotClosed Reason = iota // the session lives; never reported
	PeerClosed
	Truncated
	ReadError
	WriteError
	IdleTimeout
	FrameTimeout
	HandshakeTimeout
	HandshakeFailed
	BadCode
	BadLength
	BadChecksum
	BadTag
	BadExtension
	BadPacket
	RateLimited
	SendQueueFull
	HandlerError
	HandlerPanic
	AuthTimeout
	GameTimeout
	DuplicateLogin
	Kicked
	ServerStopping
	reasonCount
)

var reasonNames = [reasonCount]string{
	"not_closed", "peer_closed", "truncated", "read_error", "write_error", "idle_timeout", "frame_timeout",
	"handshake_timeout", "handshake_failed", "bad_code", "bad_length", "bad_checksum", "bad_tag", "bad_extension",
	"bad_packet", "rate_limited", "send_queue_full", "handler_error", "handler_panic", "auth_timeout", "game_timeout",
	"duplicate_login", "kicked", "server_stopping",
}

// String returns the reason's word, such as "idle_timeout".
func (r Reason) String() string {
	if r >= reasonCount {
		return "unknown"
	}
	return reasonNames[r]
}

// Reasons returns every reason a session can end with, in order.
func Reasons() []Reason {
	all := make([]Reason, 0, reasonCount-1)
	for r := PeerClosed; r < reasonCount; r++ {
		all = append(all, r)
	}
	return all
}

// Abnormal reports whether the end deserves a look: all but a peer or a server that went away in good order.
func (r Reason) Abnormal() bool { return r != PeerClosed && r != ServerStopping && r != NotClosed }

// Refusal says why a connection was turned away before a session existed.
type Refusal uint8

// The refusals.
const (
	RefusedHandler Refusal = iota // OnConnectionRequest said no
	RefusedFull                   // MaxSessions are open, or the worker's queue is full
	RefusedAddress                // not within AllowFrom
	RefusedRate                   // above AcceptRate or SessionsPerIP
	refusalCount
)

var refusalNames = [refusalCount]string{"refused_handler", "refused_full", "refused_address", "refused_rate"}

// String returns the refusal's word, such as "refused_full".
func (r Refusal) String() string {
	if r >= refusalCount {
		return "unknown"
	}
	return refusalNames[r]
}

// Refusals returns every refusal, in order.
func Refusals() []Refusal { return []Refusal{RefusedHandler, RefusedFull, RefusedAddress, RefusedRate} }
