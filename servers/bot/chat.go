package bot

import (
	"encoding/binary"
	"fmt"
	"sync"
	"time"
)

const (
	heartbeatEvery = 30 * time.Second
	moveOneIn      = 10 // packets, of which one is a move
)

// stage is how far a chat bot has come on its connection.
type stage uint8

const (
	stageAway   stage = iota // no connection, or it is leaving
	stageLogin               // log in
	stageLogged              // be placed
	stagePlaced              // talk
	stageStuck               // a reply is overdue; about to be closed
)

// chat plays messages 1 to 7: log in, move to a sector, then talk and
// move, one packet in ten a move to any sector of the map. One login or
// move is in flight at a time, and up to Depth messages.
//
// Order of locks: chat, ledger, then cell or track. A reader that hears
// another bot's message takes that bot's ledger while it holds no other.
type chat struct {
	bot     *bot
	account int64  // fixed
	names   names  // fixed
	body    []byte // owned by the writer: the payload being made

	mu          sync.Mutex
	link        *link    // guarded by mu
	me          listener // guarded by mu; fixed while a reader runs
	stage       stage    // guarded by mu
	requestAt   int64    // guarded by mu; login or move in flight, else never
	from, to    sector   // guarded by mu; of the move in flight
	heartbeatAt int64    // guarded by mu
	drawn       bool     // guarded by mu; what comes next is decided
	restless    bool     // guarded by mu; it is a move
	pacer       pacer    // guarded by mu

	track  track
	ledger ledger
}

func newChat(b *bot) *chat {
	cfg := &b.swarm.cfg
	c := &chat{
		bot:       b,
		account:   cfg.AccountBase + int64(b.index),
		requestAt: never,
		pacer:     newPacer(cfg),
		ledger:    newLedger(b),
	}
	putWide(c.names[:nameLen], fmt.Sprintf("bot%d", b.index))
	putWide(c.names[nameLen:], fmt.Sprintf("nick%d", b.index))
	return c
}

func (c *chat) begin(l *link, life uint32, now int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.link, c.me = l, listener{c.bot.index, life}
	c.stage, c.requestAt = stageLogin, never
	c.from, c.to, c.drawn = anywhere, anywhere, false
	c.heartbeatAt = now + int64(heartbeatEvery)
	c.track.reset()
}

func (c *chat) compose(dst []byte, now int64) (out []byte, packets int, due int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	due = never
	switch {
	case c.stage == stageLogin && c.requestAt == never:
		c.requestAt = now
		c.body = appendLogin(c.body[:0], c.account, &c.names, c.bot.swarm.cfg.Seed)
		dst = c.sealed(dst)
		packets++
	case c.stage == stageLogged && c.requestAt == never:
		dst = c.move(dst, now)
		packets++
	case c.stage == stagePlaced:
		dst, packets, due = c.talk(dst, now)
	}
	if now >= c.heartbeatAt {
		c.heartbeatAt = now + int64(heartbeatEvery)
		c.body = binary.LittleEndian.AppendUint16(c.body[:0], typeHeartbeat)
		dst = c.sealed(dst)
		packets++
	}
	return dst, packets, min(due, c.heartbeatAt)
}

// talk appends the messages and moves that are due. A bot that is to move
// first waits for its own copies: so a copy that never comes is missing
// for certain, and not excused by a move that came after.
func (c *chat) talk(dst []byte, now int64) (out []byte, packets int, due int64) {
	for c.pacer.ready(now) && len(dst) < writeLen {
		if !c.drawn {
			c.drawn, c.restless = true, c.requestAt == never && c.bot.draws(c.bot.swarm.cfg.moveOneIn)
		}
		switch {
		case c.restless && c.ledger.idle():
			dst = c.move(dst, now)
		case !c.restless && c.ledger.room():
			c.body = appendMessage(c.body[:0], c.account, c.ledger.post(now, c.me.life, c.from))
			dst = c.sealed(dst)
		default:
			c.pacer.full = true
			return dst, packets, never
		}
		c.drawn = false
		c.pacer.sent(now)
		packets++
	}
	return dst, packets, c.pacer.due
}

// move asks for any sector. Everybody knows before the request is out.
func (c *chat) move(dst []byte, now int64) []byte {
	c.requestAt = now
	side := c.bot.swarm.cfg.side
	c.to = sector(c.bot.rng.IntN(side)*mapSide + c.bot.rng.IntN(side))
	c.track.request(c.to, now)
	if c.from != anywhere {
		c.bot.swarm.board.moving(c.from, c.me)
	}
	c.body = appendMove(c.body[:0], c.account, c.to)
	return c.sealed(dst)
}

func (c *chat) sealed(dst []byte) []byte {
	dst, err := c.link.seal(dst, c.body)
	if err != nil {
		panic("bot: seal: " + err.Error()) // sizes were checked in New
	}
	return dst
}

func (c *chat) receive(payload []byte, now int64) error {
	c.bot.tally.received.Add(1)
	if len(payload) >= 2 {
		switch binary.LittleEndian.Uint16(payload) {
		case typeDelivery:
			c.delivered(payload, now)
			return nil
		case typeMoveResult:
			return c.moved(payload, now)
		case typeLoginResult:
			return c.loggedIn(payload)
		}
	}
	c.wrong("packet", payload)
	return nil
}

func (c *chat) wrong(what string, payload []byte) {
	c.bot.tally.wrong.Add(1)
	c.bot.swarm.book.find("bot %d: wrong: %s: %x", c.bot.index, what, clip(payload))
}

func (c *chat) loggedIn(payload []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ignores() {
		return nil
	}
	if c.stage != stageLogin || len(payload) != loginResultLen ||
		int64(binary.LittleEndian.Uint64(payload[3:])) != c.account {
		c.wrong("login result", payload)
		return &fault{"bad_login_result"}
	}
	if payload[2] != 1 {
		c.wrong("login refused", payload)
		return &fault{"login_refused"}
	}
	c.stage, c.requestAt = stageLogged, never
	c.bot.wake()
	return nil
}

func (c *chat) moved(payload []byte, now int64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ignores() {
		return nil
	}
	if c.requestAt == never || c.stage == stageLogin || !c.isResult(payload) {
		c.wrong("move result", payload)
		return &fault{"bad_move_result"}
	}
	c.bot.addRTT(now - c.requestAt)
	c.track.confirm(now)
	if c.from != anywhere {
		c.bot.swarm.board.leave(c.from, c.me)
	}
	c.bot.swarm.board.enter(c.to, c.me, now)
	c.from, c.requestAt = c.to, never
	if c.stage == stageLogged {
		c.stage = stagePlaced
		c.pacer.start(now, mixed(c.bot))
		c.bot.wake()
	}
	return nil
}

// ignores reports whether results mean nothing any more; c.mu is held.
func (c *chat) ignores() bool {
	if c.stage == stageStuck {
		c.bot.tally.late.Add(1)
	}
	return c.stage == stageStuck || c.stage == stageAway
}

// mixed is a fraction of the bot's own, drawn without its writer's rng.
func mixed(b *bot) float64 {
	return float64(mix(b.swarm.cfg.Seed^uint64(b.index))>>11) / (1 << 53)
}

// isResult compares a move result with the request, which it repeats.
func (c *chat) isResult(payload []byte) bool {
	var buf [moveLen]byte
	want := appendMove(buf[:0], c.account, c.to)
	want[0] = typeMoveResult
	return string(payload) == string(want)
}

// delivered judges one message heard. It runs without the lock of c: me
// does not change while the reader runs.
func (c *chat) delivered(payload []byte, now int64) {
	d, ok := parseDelivery(payload)
	sender := c.bot.swarm.chatOf(d.account)
	if !ok || sender == nil {
		c.unknown(ok, payload)
		return
	}
	h := sender.ledger.hear(&d, &sender.names, c.me, now)
	if sender == c {
		c.own(&h, now)
	}
	switch {
	case h.verdict == tardy:
		c.bot.tally.late.Add(1)
	case h.verdict != right:
		c.wrong("message "+h.verdict.String(), payload)
	case !c.within(sender, &h, now):
		c.wrong("message from outside the 3x3", payload)
	}
}

func (c *chat) unknown(ok bool, payload []byte) {
	if ok && c.bot.swarm.cfg.Foreign {
		c.bot.tally.foreign.Add(1)
		return
	}
	c.wrong("message of nobody", payload)
}

// own takes in the bot's own copy, the result of its message.
func (c *chat) own(h *heard, now int64) {
	if h.verdict != right {
		return
	}
	c.bot.addRTT(now - h.sentAt)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.pacer.full {
		c.pacer.resume(now)
		c.bot.wake()
	}
}

// within reports whether this bot may have been in the 3x3 around the
// sender at a moment of the message's window.
func (c *chat) within(sender *chat, h *heard, now int64) bool {
	until := min(now, h.heardAt)
	if c.track.reaches(h.sector, h.sentAt, until) {
		return true
	}
	var buf [staysMax + 1]sector
	for _, s := range sender.track.during(h.sentAt, until, buf[:0]) {
		if c.track.reaches(s, h.sentAt, until) {
			return true
		}
	}
	return false
}

func (s *Swarm) chatOf(account int64) *chat {
	i := account - s.cfg.AccountBase
	if i < 0 || i >= int64(len(s.bots)) {
		return nil
	}
	return s.bots[i].play.(*chat)
}

func (c *chat) end(int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stage == stageAway {
		return
	}
	if c.from != anywhere {
		c.bot.swarm.board.leave(c.from, c.me)
	}
	lost := c.ledger.leave()
	if c.requestAt != never {
		lost++
	}
	c.stage, c.requestAt = stageAway, never
	c.bot.tally.lost.Add(uint64(lost))
}

func (c *chat) sweep(now int64) (stuck string) {
	return c.expire(now-int64(c.bot.swarm.cfg.Timeout), now)
}

func (c *chat) settle(now int64) { c.expire(now+1, now) }

// expire counts as missing what was sent before cut and did not come.
func (c *chat) expire(cut, now int64) (stuck string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	missing, first := c.ledger.retire(cut)
	if c.requestAt < cut {
		c.stage, c.requestAt = stageStuck, never
		missing++
		stuck = "reply_timeout"
		if first == "" {
			first = "the answer to a login or a move"
		}
	}
	if c.pacer.full {
		c.pacer.resume(now)
		c.bot.wake()
	}
	if missing > 0 {
		c.bot.tally.missing.Add(uint64(missing))
		c.bot.swarm.book.find("bot %d: missing: %d replies of its requests, the first: %s", c.bot.index, missing, first)
	}
	return stuck
}

func (c *chat) pending() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := c.ledger.pending()
	if c.requestAt != never {
		n++
	}
	return n
}
