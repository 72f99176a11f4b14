package observe

import (
	"context"
	"log/slog"

	"vitrine/core/engine"
	"vitrine/logx"
)

// The reasons of lines about limits that no single session is at, as the limits of send queues in the field limit.
const (
	reasonQueueFull = "queue_full"        // engine.ErrQueueFull
	reasonExhausted = "packets_exhausted" // packet.ErrExhausted

	limitSession = "session" // engine.Config.SendLimitBytes, SendLimitPackets
	limitServer  = "server"  // engine.Config.OutputLimitBytes
)

// hits are how often limits of a server were hit since its start whose hits happen on any goroutine, often many at once: the
// engine counts them, and the sampler logs each second how many there were.
type hits struct {
	queues  uint64 // commands that a worker's full queue refused
	packets uint64 // packets that the pool refused
}

func hitsOf(s *engine.Status) hits { return hits{queues: s.FullQueues, packets: s.Packets.Exhausted} }

// tellLimits logs how often the limits of a server were hit since it was last called.
func (st *Stack) tellLimits(s *server, status *engine.Status) {
	now := hitsOf(status)
	tell := func(message, reason string, n uint64, more ...slog.Attr) {
		if n == 0 {
			return
		}
		st.log.LogAttrs(context.Background(), slog.LevelWarn, message, append([]slog.Attr{
			slog.String(logx.TypeKey, typeNetwork), slog.String("server", s.name), slog.String("reason", reason), slog.Uint64("refused", n),
		}, more...)...)
	}
	tell("worker queue full", reasonQueueFull, now.queues-s.told.queues)
	tell("packet pool exhausted", reasonExhausted, now.packets-s.told.packets, slog.Uint64("capacity", status.Packets.Capacity))
	s.told = now
}

// tellLastLimits logs what happened since the sampler's last look. The sampler has ended.
func (st *Stack) tellLastLimits() {
	for _, s := range st.added() {
		status := s.engine.Status()
		st.tellLimits(s, &status)
	}
}

// limitOf tells which limit the send queue of a session is at. It is called in the hook QueueFull.
func limitOf(s *engine.Session) slog.Attr {
	if s.OutputFull() {
		return slog.String("limit", limitServer)
	}
	return slog.String("limit", limitSession)
}
