package chaos

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync/atomic"

	"vitrine/core/engine"
	"vitrine/core/packet"
)

// seam is a callback of an engine.Handler.
type seam uint32

const (
	none seam = iota
	request
	join
	recv
	send
	leave
	workerBegin
	workerEnd
)

var seams = [...]string{"", "request", "join", "recv", "send", "leave", "worker-begin", "worker-end"}

// Seams returns the names of the seams that can be armed.
func Seams() []string { return slices.Clone(seams[1:]) }

// Handler is a handler that panics when told to. It has every optional callback and hands each on to the wrapped handler
// where that has it.
type Handler struct {
	engine.Handler
	armed atomic.Uint32 // a seam

	request engine.ConnectionRequestHandler // of the wrapped handler; nil = it has none, like the others
	send    engine.SendHandler
	worker  engine.WorkerHandler
	fault   engine.ErrorHandler
}

// Wrap returns a handler around h that is not armed.
func Wrap(h engine.Handler) *Handler {
	c := &Handler{Handler: h}
	c.request, _ = h.(engine.ConnectionRequestHandler)
	c.send, _ = h.(engine.SendHandler)
	c.worker, _ = h.(engine.WorkerHandler)
	c.fault, _ = h.(engine.ErrorHandler)
	return c
}

// Arm has the next call at the seam panic, in place of what was armed before. The error lists the seams there are. Any goroutine.
func (h *Handler) Arm(name string) error {
	at := slices.Index(seams[:], name)
	if at <= 0 {
		return fmt.Errorf("no seam %.40q: there are %s", name, strings.Join(seams[1:], ", "))
	}
	h.armed.Store(uint32(at))
	return nil
}

// trip panics where the seam is armed, once.
func (h *Handler) trip(at seam) {
	if h.armed.Load() == uint32(at) && h.armed.CompareAndSwap(uint32(at), uint32(none)) {
		panic("chaos at " + seams[at])
	}
}

// OnConnectionRequest trips request.
func (h *Handler) OnConnectionRequest(addr netip.AddrPort) bool {
	h.trip(request)
	return h.request == nil || h.request.OnConnectionRequest(addr)
}

// OnClientJoin trips join, after the wrapped handler has its join: a leave will follow.
func (h *Handler) OnClientJoin(s *engine.Session) {
	h.Handler.OnClientJoin(s)
	h.trip(join)
}

// OnRecv trips recv.
func (h *Handler) OnRecv(s *engine.Session, in *packet.Reader) {
	h.trip(recv)
	h.Handler.OnRecv(s, in)
}

// OnSend trips send.
func (h *Handler) OnSend(s *engine.Session, bytes int) {
	h.trip(send)
	if h.send != nil {
		h.send.OnSend(s, bytes)
	}
}

// OnClientLeave trips leave, after the wrapped handler has its leave.
func (h *Handler) OnClientLeave(s *engine.Session, reason engine.Reason) {
	h.Handler.OnClientLeave(s, reason)
	h.trip(leave)
}

// OnWorkerThreadBegin trips worker-begin.
func (h *Handler) OnWorkerThreadBegin(worker int) {
	h.trip(workerBegin)
	if h.worker != nil {
		h.worker.OnWorkerThreadBegin(worker)
	}
}

// OnWorkerThreadEnd trips worker-end.
func (h *Handler) OnWorkerThreadEnd(worker int) {
	h.trip(workerEnd)
	if h.worker != nil {
		h.worker.OnWorkerThreadEnd(worker)
	}
}

// OnError hands on what went wrong.
func (h *Handler) OnError(err error) {
	if h.fault != nil {
		h.fault.OnError(err)
	}
}
