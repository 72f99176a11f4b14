package engine

import "net/netip"

// Observer is told what happens at the engine's seams. Every function is optional; each runs on the goroutine of a worker,
// must not block and must not keep the *Session. None is called per packet.
type Observer struct {
	// SessionOpened is invoked after OnClientJoin.
	SessionOpened func(*Session)
	// SessionClosed is invoked for every session that had a slot, joined or not, before OnClientLeave.
	SessionClosed func(*Session, Reason)
	// ConnectionRefused is invoked when a connection is turned away before a session existed.
	ConnectionRefused func(netip.AddrPort, Refusal)
	// BadFrame is invoked when what a peer sent cannot be read; the session closes with reason.
	BadFrame func(*Session, Reason, error)
	// QueueFull is invoked when a session's send queue is at its limit: the session closes, or a packet is dropped.
	QueueFull func(s *Session, dropped bool)
	// AcceptPaused is invoked when accept failed for want of a resource (EMFILE and the like) and waits before it tries again.
	AcceptPaused func(error)
	// Panicked is invoked inside the deferred call while the panicking stack stands. The session (nil: none) closes with
	// handler_panic and the worker goes on.
	Panicked func(Panic)
}

// callback is what a worker is calling just now, for the panic hook.
type callback uint8

const (
	callbackNone callback = iota
	callbackRequest
	callbackJoin
	callbackRecv
	callbackSend
	callbackLeave
	callbackWorkerBegin
	callbackWorkerEnd
	callbackPost
	callbackError
	callbackClosed
)

var callbackNames = [...]string{
	"", "OnConnectionRequest", "OnClientJoin", "OnRecv", "OnSend", "OnClientLeave", "OnWorkerThreadBegin",
	"OnWorkerThreadEnd", "Post", "OnError", "SessionClosed",
}

func (c callback) String() string { return callbackNames[c] }

// Panic is a panic that a worker caught.
type Panic struct {
	Value    any
	Callback string   // the callback that panicked, such as "OnRecv"
	Session  *Session // nil when the callback is not of a session
	Packet   uint16   // type of the packet in hand, when Callback is OnRecv
	Worker   int
}

// withDefaults returns the observer with every nil replaced, so that call sites do not check.
func (o Observer) withDefaults() Observer {
	if o.SessionOpened == nil {
		o.SessionOpened = func(*Session) {}
	}
	if o.SessionClosed == nil {
		o.SessionClosed = func(*Session, Reason) {}
	}
	if o.ConnectionRefused == nil {
		o.ConnectionRefused = func(netip.AddrPort, Refusal) {}
	}
	if o.BadFrame == nil {
		o.BadFrame = func(*Session, Reason, error) {}
	}
	if o.QueueFull == nil {
		o.QueueFull = func(*Session, bool) {}
	}
	if o.AcceptPaused == nil {
		o.AcceptPaused = func(error) {}
	}
	if o.Panicked == nil {
		o.Panicked = func(Panic) {}
	}
	return o
}
