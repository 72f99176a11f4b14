package engine

import (
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// Limits are the fields of [Config] that a running server can change, with the same meanings, defaults and bounds.
type Limits struct {
	// AllowFrom, when not empty, refuses connections from all other addresses. Sessions that are there stay.
	AllowFrom []netip.Prefix
	// IdleTimeout, FrameTimeout and HandshakeTimeout count for the sessions that are there too, from when they did last.
	IdleTimeout, FrameTimeout, HandshakeTimeout time.Duration
	// SendLimitBytes, SendLimitPackets and SendPolicy count from the next packet on: what waits already is not dropped.
	SendLimitBytes, SendLimitPackets int
	SendPolicy                       SendPolicy
	// RecvBudgetBytes is the most that one session's turn reads.
	RecvBudgetBytes int
	// PacketRate and PacketBurst begin anew when one of them changes: every session has a whole burst.
	PacketRate, PacketBurst int
	// AcceptRate is the most connections accepted a second.
	AcceptRate int
	// SessionsPerIP counts the sessions that are there. Those above it stay; no other is accepted from their address.
	SessionsPerIP int
	// LimitLoopback lets SessionsPerIP and AcceptRate count connections from loopback too.
	LimitLoopback bool
}

// Limits returns the part of the configuration that a running server can change, defaults not filled in.
func (c Config) Limits() Limits {
	return Limits{
		AllowFrom: slices.Clone(c.AllowFrom), IdleTimeout: c.IdleTimeout, FrameTimeout: c.FrameTimeout,
		HandshakeTimeout: c.HandshakeTimeout, SendLimitBytes: c.SendLimitBytes, SendLimitPackets: c.SendLimitPackets,
		SendPolicy: c.SendPolicy, RecvBudgetBytes: c.RecvBudgetBytes, PacketRate: c.PacketRate,
		PacketBurst: c.PacketBurst, AcceptRate: c.AcceptRate, SessionsPerIP: c.SessionsPerIP,
		LimitLoopback: c.LimitLoopback,
	}
}

// with returns the configuration with other limits.
func (c Config) with(l Limits) Config {
	c.AllowFrom, c.IdleTimeout, c.FrameTimeout, c.HandshakeTimeout = l.AllowFrom, l.IdleTimeout, l.FrameTimeout, l.HandshakeTimeout
	c.SendLimitBytes, c.SendLimitPackets, c.SendPolicy = l.SendLimitBytes, l.SendLimitPackets, l.SendPolicy
	c.RecvBudgetBytes, c.PacketRate, c.PacketBurst = l.RecvBudgetBytes, l.PacketRate, l.PacketBurst
	c.AcceptRate, c.SessionsPerIP, c.LimitLoopback = l.AcceptRate, l.SessionsPerIP, l.LimitLoopback
	return c
}

// limits are Limits with defaults filled in and what follows from them. They never change: the server points to others.
type limits struct {
	packets allowance // of each session
	Limits
	accepts allowance // of the listener
}

// allowance is a rate as the generic cell rate algorithm wants it, in ns: at most slack ahead of the clock, each thing costs.
type allowance struct{ cost, slack int64 } // cost 0: no limit

func newLimits(cfg Config) *limits {
	return &limits{
		Limits:  cfg.Limits(),
		packets: newAllowance(cfg.PacketRate, cfg.PacketBurst),
		accepts: newAllowance(cfg.AcceptRate, cfg.AcceptRate),
	}
}

func newAllowance(rate, burst int) allowance {
	if rate <= 0 {
		return allowance{}
	}
	cost := int64(time.Second) / int64(rate)
	return allowance{cost: cost, slack: cost * int64(burst-1)}
}

// spend takes one thing at now from an allowance whose next thing conforms without burst at *at; false when there is none.
func (a *allowance) spend(at *int64, now int64) bool {
	from := max(*at, now)
	if from-now > a.slack {
		return false
	}
	*at = from + a.cost
	return true
}

// Limits returns the limits in force, defaults filled in. A PacketBurst that was to follow PacketRate is a number here:
// who changes the rate sets it too.
func (srv *Server) Limits() Limits {
	l := srv.limits.Load().Limits
	l.AllowFrom = slices.Clone(l.AllowFrom)
	return l
}

// SetLimits puts other limits in the place of all those in force; a zero field means its default, as in Config. It may be
// called at any time from any goroutine and waits for no worker. Each worker goes by them from its next turn on, which it
// begins at once, and looks at each of its sessions once. The error names every bad field; then nothing has changed.
func (srv *Server) SetLimits(l Limits) error {
	cfg, err := srv.cfg.with(l).withDefaults()
	if err != nil {
		return fmt.Errorf("set limits of %s: %w", srv.cfg.Name, err)
	}
	srv.mu.Lock()
	defer srv.mu.Unlock()
	srv.limits.Store(newLimits(cfg))
	for _, w := range srv.workers {
		w.wake()
	}
	return nil
}

// takeLimits puts those in force that SetLimits left since the last turn.
func (w *worker) takeLimits() {
	if from := w.server.limits.Load(); from != w.limitsFrom {
		before := w.limits
		w.limits, w.limitsFrom = *from, from
		w.applyLimits(&before)
	}
}

// applyLimits goes through the sessions once: a deadline that is nearer now needs an earlier timer, and an allowance spent
// at the old rate is not worth the same at the new.
func (w *worker) applyLimits(before *limits) {
	rated := w.limits.packets != before.packets
	for _, s := range w.sessions {
		w.arm(s)
		if rated {
			s.allowedAt = 0
		}
	}
	if w.limits.accepts != before.accepts {
		w.accept.allowedAt = 0
	}
}
