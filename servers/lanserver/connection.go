package lanserver

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"vitrine/core/engine"
	"vitrine/core/packet"
)

// connection is one connection of a client, from OnClientJoin to OnClientLeave.
type connection struct {
	id    ID            // fixed
	since time.Time     // fixed
	left  chan struct{} // closed after OnClientLeave

	mu      sync.Mutex
	over    bool                   // guarded by mu: no more calls
	nextID  uint32                 // guarded by mu
	pending map[uint32]chan answer // guarded by mu; calls in flight, len(pending) <= CallLimit
}

// watched stands between the engine and the application's handler. Its Unwrap keeps the optional callbacks of that.
type watched struct {
	Handler
	client *Client
}

// Unwrap returns the application's handler.
func (w *watched) Unwrap() Handler { return w.Handler }

// OnClientJoin makes the connection the present one.
func (w *watched) OnClientJoin(s *Session) {
	conn := &connection{id: s.ID(), since: time.Now(), left: make(chan struct{}), pending: map[uint32]chan answer{}}
	w.client.count.connects.Add(1)
	w.client.current.Store(conn)
	select {
	case w.client.joined <- conn:
	default: // an earlier one was given up while it joined, and nobody waits
	}
	w.Handler.OnClientJoin(s)
}

// OnRecv gives answers to the calls that wait for them and all else to the application.
func (w *watched) OnRecv(s *Session, in *packet.Reader) {
	if w.client.peer {
		if ext := in.Ext(); isAnswer(ext) {
			w.client.answered(s, ext, in)
			return
		}
	}
	w.Handler.OnRecv(s, in)
}

// OnClientLeave ends the connection and reports what went with it.
func (w *watched) OnClientLeave(s *Session, reason Reason) {
	c := w.client
	conn := c.current.Load()
	if conn == nil || conn.id != s.ID() {
		w.Handler.OnClientLeave(s, reason) // the present one is another
		return
	}
	c.current.Store(nil)
	defer close(conn.left)
	lost := Lost{
		Session: s.ID(), Reason: reason, Accepted: s.Written() + s.Unsent(), Written: s.Written(), Packets: s.Unsent(),
		Calls: conn.end(),
	}
	if reason.Abnormal() {
		lost.Unknown = lost.Written
	}
	c.count.accepted.Add(lost.Accepted)
	c.count.written.Add(lost.Written)
	c.count.lost.Add(lost.Packets)
	c.count.unknown.Add(lost.Unknown)
	defer c.report(lost)
	w.Handler.OnClientLeave(s, reason)
}

func (c *Client) report(lost Lost) {
	if lost.Packets > 0 || lost.Unknown > 0 {
		c.cfg.OnLost(lost)
	}
}

// connect makes one connection.
func (c *Client) connect(ctx context.Context) (*connection, error) {
	c.count.attempts.Add(1)
	addr, err := engine.Resolve(ctx, c.cfg.Addr)
	if err != nil {
		return nil, err
	}
	if _, err := c.dialer.Connect(ctx, addr); err != nil {
		return nil, err
	}
	return <-c.joined, nil // OnClientJoin is about to run
}

// keep connects whenever there is no connection, until ctx is done. It ends with Close.
func (c *Client) keep(ctx context.Context, conn *connection) {
	defer close(c.ended)
	pause := newBackoff(c.cfg)
	for first := conn == nil; ; first = false {
		if conn != nil {
			select {
			case <-conn.left:
			case <-ctx.Done():
				return
			}
			pause.lasted(time.Since(conn.since))
		}
		if !first && !wait(ctx, pause.next()) {
			return
		}
		conn, _ = c.connect(ctx) // the pause grows until it succeeds
		if ctx.Err() != nil {
			return
		}
	}
}

// wait returns true after d, false when ctx is done.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// backoff is the sequence of pauses between attempts.
type backoff struct {
	min, max, now time.Duration // min <= now <= max
	random        *rand.Rand
}

func newBackoff(cfg ClientConfig) *backoff {
	seed := cfg.Seed
	if seed == 0 {
		seed = rand.Uint64()
	}
	return &backoff{min: cfg.BackoffMin, max: cfg.BackoffMax, now: cfg.BackoffMin, random: rand.New(rand.NewPCG(seed, 0))}
}

// next returns a pause between half of now and now, and doubles now.
func (b *backoff) next() time.Duration {
	pause := b.now - time.Duration(b.random.Int64N(int64(b.now/2)+1))
	b.now = min(2*b.now, b.max)
	return pause
}

// lasted starts anew after a connection that was not just made to fail.
func (b *backoff) lasted(d time.Duration) {
	if d >= b.max {
		b.now = b.min
	}
}
