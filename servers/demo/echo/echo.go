// Package echo is the family's echo server: every packet comes back as it was.
//
// With the greeting on, a session hears ff ff ff ff ff ff ff 7f (0x7fffffffffffffff) first, as the family's dummy client
// expects. Packets may be of any size the codec takes; there is no type field.
package echo

import (
	"math"

	"vitrine/core/engine"
	"vitrine/core/packet"
)

// Greeting is the number that a session hears first.
const Greeting uint64 = math.MaxInt64

// Config says how the server behaves.
type Config struct {
	Greeting bool // send the family's greeting on join
}

// New returns the handler of an echo server.
func New(cfg Config) engine.Handler { return &handler{greeting: cfg.Greeting} }

type handler struct{ greeting bool }

func (h *handler) OnClientJoin(s *engine.Session) {
	if h.greeting {
		s.Send(s.NewPacket().U64(Greeting))
	}
}

func (h *handler) OnRecv(s *engine.Session, in *packet.Reader) {
	s.Send(s.NewPacket().Bytes(in.Rest()))
}

func (h *handler) OnClientLeave(*engine.Session, engine.Reason) {}
