package engine

import (
	"net/netip"

	"vitrine/core/flight"
)

// Observer is told what happens at the engine's seams. Every function is optional; each runs on the goroutine of a worker,
// must not block and must not keep the *Session. None is called per packet.
type Observer struct {
	// Beat is asked once for each worker, before its first turn, for what is told of its turns; nil = nothing is.
	Beat func(worker int) Beat
	// Secrets is asked once by Start of a server whose frames are sealed, with how many pieces of memory may hold keys at
	// once, and returns who is told of them; nil = nobody.
	Secrets func(limit int) Secrets

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
	// handler_panic and the worker goes on. A panic in OnError is told on whatever goroutine had the error. A panic in
	// Panicked itself ends the process.
	Panicked func(Panic)
}

// Beat is told when its worker is in a turn: Begin runs right after each wait, End before the next, both on the worker's
// goroutine; Close when the worker has ended. Each must be as cheap as a store.
type Beat interface {
	Begin()
	End()
	Close()
}

// noBeat is the beat of who wants none.
type noBeat struct{}

func (noBeat) Begin() {}
func (noBeat) End()   {}
func (noBeat) Close() {}

// Secrets is told where memory holds keys, for who writes the process's memory to a disk: piece number, from 0 to one less
// than the limit, lies at addr from now on, or nowhere when size is 0. Calls for one number never overlap; they come from the
// workers and from Start, when a sealed session joins, changes a key or leaves.
//
// Told are the server's private key and each session's keys in use. Not told, and so to be found elsewhere in memory, is what
// the computing leaves behind: keys before they were changed, handshakes that are done, registers and stacks.
type Secrets func(number int, addr, size uintptr)

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
	callbackTimer
	callbackOpened
	callbackClosed
	callbackRefused
	callbackBadFrame
	callbackQueueFull
	callbackAcceptPaused
)

var callbackNames = [...]string{
	"", "OnConnectionRequest", "OnClientJoin", "OnRecv", "OnSend", "OnClientLeave", "OnWorkerThreadBegin",
	"OnWorkerThreadEnd", "Post", "OnError", "timer", "SessionOpened", "SessionClosed", "ConnectionRefused", "BadFrame",
	"QueueFull", "AcceptPaused",
}

func (c callback) String() string { return callbackNames[c] }

// Panic is a panic that a worker caught.
type Panic struct {
	Value    any
	Callback string     // the callback or hook that panicked, such as "OnRecv"; "" for the engine itself
	Session  *Session   // nil when the callback is not of a session
	Packet   uint16     // type of the packet in hand, when Callback is OnRecv
	Trace    flight.Ref // record of the packet in whose handling it happened; its Seq is 0 when there is none
	Worker   int
}

// withDefaults returns the observer with every nil replaced, so that call sites do not check.
func (o Observer) withDefaults() Observer {
	if o.Beat == nil {
		o.Beat = func(int) Beat { return noBeat{} }
	}
	if o.Secrets == nil {
		o.Secrets = func(int) Secrets { return nil }
	}
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
