package bot

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"time"
)

// never is a due time that does not come.
const never = math.MaxInt64

const (
	backoffMin = 50 * time.Millisecond
	backoffMax = time.Second
	returnMax  = 200 * time.Millisecond // a bot that left is away at most so long
	resetOneIn = 4                      // leaves that are resets
)

// player is one bot's side of a protocol, and its oracle. The bot's
// writing goroutine calls begin, compose and end, its reader receive, the
// monitor sweep, pending and settle; all may run at once but begin and
// end, which run while there is no reader.
type player interface {
	// begin starts on a new connection.
	begin(l *link, life uint32, now int64)

	// compose appends the frames that are due and returns how many they
	// are and when it wants to be called again; bot.wake calls it earlier.
	compose(dst []byte, now int64) (out []byte, packets int, due int64)

	// receive checks one packet. An error closes the connection, as a
	// fault of the server if it is a *fault.
	receive(payload []byte, now int64) error

	// end forgets what the connection that ended left unanswered.
	end(now int64)

	// sweep counts what is missing because it waited too long. An overdue
	// reply that the bot cannot go on without is returned by its name.
	sweep(now int64) (stuck string)

	// pending is how many replies are still waited for.
	pending() int

	// settle counts whatever is still waited for as missing.
	settle(now int64)
}

// fault is an error in what the server said that a bot cannot go on with.
type fault struct{ reason string }

func (f *fault) Error() string { return f.reason }

// bot is one client: it connects, plays, leaves, and comes back.
type bot struct {
	swarm *Swarm
	index uint32
	tally tally
	kick  chan struct{} // wakes the writer; capacity 1
	rng   *rand.Rand    // owned by the writer
	play  player
	rest  time.Duration // fixed; between two reads

	// life counts the connections' beginnings and ends: odd while one is
	// open. Atomic, written by the bot's writer.
	life atomic.Uint32

	conn  atomic.Pointer[link]   // open connection, for the monitor
	asked atomic.Pointer[string] // why this side closed it; nil: it did not
}

func newBot(s *Swarm, index uint32) *bot {
	b := &bot{
		swarm: s,
		index: index,
		kick:  make(chan struct{}, 1),
		rng:   rand.New(rand.NewPCG(s.cfg.Seed, uint64(index))),
	}
	if index%promptOne != 0 {
		b.rest = s.cfg.Gather
	}
	if s.cfg.Protocol == Chat {
		b.play = newChat(b)
	} else {
		b.play = newEcho(b)
	}
	return b
}

// wake makes the writer compose again soon. Any goroutine; never blocks.
func (b *bot) wake() {
	select {
	case b.kick <- struct{}{}:
	default:
	}
}

// addRTT counts a round trip, unless a rest of the reader is part of it.
func (b *bot) addRTT(ns int64) {
	if b.rest == 0 {
		b.swarm.book.addRTT(b.index, ns)
	}
}

// draws is true once in n times, never for a negative n. Writer only.
func (b *bot) draws(n int) bool { return n > 0 && b.rng.IntN(n) == 0 }

// alive reports whether that connection of the bot is still open.
func (b *bot) alive(life uint32) bool { return life&1 == 1 && b.life.Load() == life }

// run is the bot's life, on its own goroutine. It returns once the swarm
// drains while it is away, or closes.
func (b *bot) run(ctx context.Context, start time.Duration) {
	backoff := backoffMin
	for pause := start; b.sleep(pause); {
		l, err := dial(ctx, b.swarm.cfg.Addr, &b.swarm.cfg.Codec, b.swarm.cfg.Timeout)
		if err != nil {
			b.dialFailed(err)
			pause = backoff/2 + time.Duration(b.rng.Int64N(int64(backoff)))
			backoff = min(2*backoff, backoffMax)
			continue
		}
		backoff = backoffMin
		b.tally.refused.Store(false)
		b.tally.connects.Add(1)
		b.tally.sessions.Add(1)
		b.session(l)
		pause = time.Duration(b.rng.Int64N(int64(returnMax)))
	}
}

// sleep reports false when the swarm takes no new sessions.
func (b *bot) sleep(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-b.swarm.draining:
		return false
	case <-t.C:
		return !b.swarm.isDraining()
	}
}

// dialFailed counts an attempt that made no session: as a connect error
// when nobody answered, as a server disconnect when the server hung up in
// the handshake.
func (b *bot) dialFailed(err error) {
	b.swarm.book.failed(err)
	var shake *shakeError
	inHandshake := errors.As(err, &shake)
	if inHandshake {
		b.tally.connects.Add(1)
	}
	switch timeout := errors.Is(err, os.ErrDeadlineExceeded); {
	case inHandshake && timeout:
		b.connectError()
		b.swarm.book.closed("handshake_timeout")
	case inHandshake:
		b.disconnected("handshake_failed", err)
	case !b.swarm.isDraining():
		b.connectError()
	}
}

func (b *bot) connectError() {
	b.tally.connectErrors.Add(1)
	b.tally.refused.Store(true)
}

// unconnected reports whether the bot is one that ought to be in the game
// and is not; over tells that the whole time of the run has passed.
func (b *bot) unconnected(over bool) bool {
	return b.tally.refused.Load() || over && b.tally.sessions.Load() == 0
}

func (b *bot) disconnected(reason string, err error) {
	b.tally.disconnects.Add(1)
	b.swarm.book.closed(reason)
	b.swarm.book.find("bot %d: server disconnect: %s: %v", b.index, reason, err)
}

// session plays one connection to its end.
func (b *bot) session(l *link) {
	b.asked.Store(nil)
	b.play.begin(l, b.life.Add(1), b.swarm.now())
	b.conn.Store(l)
	ended := make(chan error, 1)
	go func() { // ends when the connection does
		err := l.receive(b.rest, b.swarm.now, b.play.receive)
		l.conn.Close()
		ended <- err
	}()
	err := b.write(l, ended)
	b.conn.Store(nil)
	b.over()
	b.record(l, err)
}

// over ends the life of a connection; a second call does nothing. Writer
// only.
func (b *bot) over() {
	if b.life.Load()&1 == 1 {
		b.life.Add(1)
		b.play.end(b.swarm.now())
	}
}

// record counts how a connection ended.
func (b *bot) record(l *link, err error) {
	if asked := b.asked.Load(); asked != nil {
		b.swarm.book.closed(*asked)
		return
	}
	var f *fault
	if errors.As(err, &f) {
		b.swarm.book.closed(f.reason)
		return
	}
	reason, server := l.reasonOf(err)
	if server {
		b.disconnected(reason, err)
		return
	}
	b.tally.wrong.Add(1)
	b.swarm.book.closed(reason)
	b.swarm.book.find("bot %d: wrong: %s", b.index, reason)
}

// write sends what the player composes until the connection ends, and
// returns what ended its reader.
func (b *bot) write(l *link, ended <-chan error) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	leaveAt := b.leaveAt()
	for buf := []byte(nil); ; {
		if b.swarm.isDraining() {
			return b.await(l, ended)
		}
		now := b.swarm.now()
		if now >= leaveAt {
			b.leaveEarly(l)
			return <-ended
		}
		var due int64
		if buf, due = b.send(l, buf[:0], now); due < 0 {
			return <-ended
		}
		timer.Reset(time.Duration(min(due, leaveAt) - now))
		select {
		case err := <-ended:
			return err
		case <-b.kick: // a reply, or the drain
		case <-timer.C:
		}
	}
}

// send writes what is due once and returns when the next is; negative
// when the connection is broken: then the reader knows why.
func (b *bot) send(l *link, buf []byte, now int64) ([]byte, int64) {
	out, packets, due := b.play.compose(buf, now)
	if len(out) == 0 {
		return out, due
	}
	b.tally.sent.Add(uint64(packets))
	if _, err := l.conn.Write(out); err != nil {
		// What arrived before the break is still to be read.
		l.conn.SetReadDeadline(time.Now().Add(time.Second))
		return out, -1
	}
	return out, due
}

// await reads on without sending until the swarm closes.
func (b *bot) await(l *link, ended <-chan error) error {
	select {
	case err := <-ended:
		return err
	case <-b.swarm.closing:
	}
	b.ask("bot_finished")
	l.leave()
	return <-ended
}

func (b *bot) ask(reason string) { b.asked.CompareAndSwap(nil, &reason) }

// leaveAt draws when the bot will leave of its own accord.
func (b *bot) leaveAt() int64 {
	churn := b.swarm.cfg.Churn
	if churn == 0 {
		return never
	}
	stay := b.rng.ExpFloat64() / churn
	return b.swarm.now() + int64(min(stay, 1e6)*float64(time.Second))
}

// leaveEarly closes in the middle of it. The life ends before the close
// does, so that nobody expects this bot to hear any more.
func (b *bot) leaveEarly(l *link) {
	b.ask("bot_left")
	b.over()
	if b.rng.IntN(resetOneIn) == 0 {
		l.reset()
		return
	}
	l.leave()
}

// giveUp closes a connection on which a reply is overdue that the bot
// cannot go on without. Called by the monitor.
func (b *bot) giveUp(reason string) {
	if l := b.conn.Load(); l != nil {
		b.ask(reason)
		l.conn.Close()
	}
}

// abort ends a connection that would not end in time.
func (b *bot) abort() {
	if l := b.conn.Load(); l != nil {
		b.ask("bot_finished")
		l.conn.Close()
	}
}
