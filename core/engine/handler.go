package engine

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"

	"vitrine/core/packet"
	"vitrine/core/session"
)

// ID names a session for good; see [session.ID].
type ID = session.ID

// Handler is the application. A handler that wraps another and has a method Unwrap() Handler keeps the other's optional
// callbacks. Callbacks of one session never run concurrently; those of different sessions do when there
// is more than one worker. A callback must not block: its worker's other sessions wait meanwhile.
type Handler interface {
	// OnClientJoin runs when the handshake is done, or at once where there is none, before the first OnRecv.
	OnClientJoin(*Session)
	// OnRecv runs once per complete, opened packet. The reader and what it returned are valid until OnRecv returns.
	OnRecv(*Session, *packet.Reader)
	// OnClientLeave runs exactly once if OnClientJoin ran, after the last OnRecv. The session can send no more.
	OnClientLeave(*Session, Reason)
}

// ConnectionRequestHandler is optional: OnConnectionRequest runs right after accept, before slot and handshake, on the
// goroutine of worker 0; false closes the socket and counts refused_handler, without join or leave.
type ConnectionRequestHandler interface {
	OnConnectionRequest(netip.AddrPort) bool
}

// SendHandler is optional: OnSend runs after the kernel took bytes of a session, once per write; the sum is the bytes sent.
type SendHandler interface {
	OnSend(s *Session, bytes int)
}

// WorkerHandler is optional: once per turn, just after the wait returned and after the flush.
type WorkerHandler interface {
	OnWorkerThreadBegin(worker int)
	OnWorkerThreadEnd(worker int)
}

// ErrorHandler is optional: OnError is told of failures that are not an ordinary close, from the goroutine of any worker.
// The error is an [*Error].
type ErrorHandler interface {
	OnError(error)
}

// callbacks is a handler taken apart once, in New, so that the path calls functions and checks nothing.
type callbacks struct {
	handler           Handler
	connectionRequest func(netip.AddrPort) bool
	send              func(*Session, int)
	workerBegin       func(int)
	workerEnd         func(int)
	fault             func(error)
}

// findCallbacks finds the optional callbacks of h. A method with the name of one and another signature is an error: it
// would silently never be called.
func findCallbacks(h Handler) (callbacks, error) {
	if h == nil {
		return callbacks{}, errors.New("handler is nil")
	}
	c := callbacks{
		handler:           h,
		connectionRequest: func(netip.AddrPort) bool { return true },
		send:              func(*Session, int) {},
		workerBegin:       func(int) {},
		workerEnd:         func(int) {},
		fault:             func(error) {},
	}
	var problems []error
	for inner := h; inner != nil; inner = unwrap(inner) {
		problems = append(problems, checkSignatures(inner))
	}
	if o, ok := find[ConnectionRequestHandler](h); ok {
		c.connectionRequest = o.OnConnectionRequest
	}
	if o, ok := find[SendHandler](h); ok {
		c.send = o.OnSend
	}
	if o, ok := find[WorkerHandler](h); ok {
		c.workerBegin, c.workerEnd = o.OnWorkerThreadBegin, o.OnWorkerThreadEnd
	}
	if o, ok := find[ErrorHandler](h); ok {
		c.fault = o.OnError
	}
	return c, errors.Join(problems...)
}

// find returns the outermost of h and the handlers it wraps that has the callback.
func find[T any](h Handler) (T, bool) {
	for ; h != nil; h = unwrap(h) {
		if o, ok := h.(T); ok {
			return o, true
		}
	}
	var none T
	return none, false
}

func unwrap(h Handler) Handler {
	if w, ok := h.(interface{ Unwrap() Handler }); ok {
		return w.Unwrap()
	}
	return nil
}

func checkSignatures(h Handler) error {
	var problems []error
	for _, optional := range []reflect.Type{
		reflect.TypeFor[ConnectionRequestHandler](), reflect.TypeFor[SendHandler](),
		reflect.TypeFor[WorkerHandler](), reflect.TypeFor[ErrorHandler](),
	} {
		for i := range optional.NumMethod() {
			want := optional.Method(i)
			got := reflect.ValueOf(h).MethodByName(want.Name)
			switch {
			case !got.IsValid():
			case got.Type() != want.Type:
				problems = append(problems, fmt.Errorf("%T.%s is %v, want %v", h, want.Name, got.Type(), want.Type))
			case missing(h, optional) != "":
				problems = append(problems, fmt.Errorf("%T has %s but not %s", h, want.Name, missing(h, optional)))
			}
		}
	}
	return errors.Join(problems...)
}

// missing names a method of the interface that h has not, "" when it has all.
func missing(h Handler, optional reflect.Type) string {
	for i := range optional.NumMethod() {
		if name := optional.Method(i).Name; !reflect.ValueOf(h).MethodByName(name).IsValid() {
			return name
		}
	}
	return ""
}
