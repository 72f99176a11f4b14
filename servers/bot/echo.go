package bot

import (
	"bytes"
	"encoding/binary"
	"sync"
	"time"
)

const (
	counterLen = 8
	greeting   = 0x7fffffffffffffff // the family's first packet, as i64
)

// echo plays the bare echo test: payloads of Size bytes, without a type,
// that must come back as they are and in order.
//
//	offset  0            8
//	        | counter u64 | pattern [Size-8] |    little-endian
//
// The counter starts at a number of the connection's own and steps by
// one; the pattern is a function of counter and seed, so that a reply is
// compared byte for byte without keeping what was sent.
type echo struct {
	bot  *bot
	want []byte // owned by the reader: what a reply must be
	out  []byte // owned by the writer: the payload being made

	mu      sync.Mutex
	link    *link  // guarded by mu
	open    bool   // guarded by mu; between begin and end
	greeted bool   // guarded by mu
	window  window // guarded by mu
	pacer   pacer  // guarded by mu
}

func newEcho(b *bot) *echo {
	cfg := &b.swarm.cfg
	return &echo{
		bot:    b,
		want:   make([]byte, cfg.Size),
		out:    make([]byte, cfg.Size),
		window: newWindow(cfg.Depth),
		pacer:  newPacer(cfg),
	}
}

func (e *echo) begin(l *link, life uint32, now int64) {
	cfg := &e.bot.swarm.cfg
	first := mix(cfg.Seed ^ uint64(e.bot.index)<<32 ^ uint64(life))
	e.mu.Lock()
	defer e.mu.Unlock()
	e.link, e.open, e.greeted = l, true, !cfg.Greeting
	e.window.reset(first >> 2) // never the greeting
	e.pacer.start(now, e.bot.rng.Float64())
}

func (e *echo) compose(dst []byte, now int64) ([]byte, int, int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	packets := 0
	for e.window.room() && e.pacer.ready(now) && len(dst) < writeLen {
		e.fillPayload(e.out, e.window.post(now))
		dst = e.sealed(dst)
		e.pacer.sent(now)
		packets++
	}
	if !e.window.room() {
		e.pacer.full = true
		return dst, packets, never
	}
	return dst, packets, e.pacer.due
}

// sealed appends the payload in out as a frame.
func (e *echo) sealed(dst []byte) []byte {
	dst, err := e.link.seal(dst, e.out)
	if err != nil {
		panic("bot: seal: " + err.Error()) // sizes were checked in New
	}
	return dst
}

func (e *echo) fillPayload(b []byte, counter uint64) {
	binary.LittleEndian.PutUint64(b, counter)
	var word [8]byte
	for at := counterLen; at < len(b); at += 8 {
		binary.LittleEndian.PutUint64(word[:], mix(counter+uint64(at)^e.bot.swarm.cfg.Seed))
		copy(b[at:], word[:])
	}
}

func (e *echo) receive(payload []byte, now int64) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.open {
		return nil // the bot is leaving and no longer listens
	}
	if !e.greeted {
		e.greeted = true
		return e.greet(payload)
	}
	e.bot.tally.received.Add(1)
	verdict, took := e.judge(payload, now)
	e.count(verdict, payload)
	if took >= 0 {
		e.bot.addRTT(took)
	}
	if e.pacer.full && e.window.waiting <= e.bot.swarm.cfg.Depth/2 {
		e.pacer.resume(now)
		e.bot.wake()
	}
	return nil
}

func (e *echo) greet(payload []byte) error {
	if len(payload) == counterLen && binary.LittleEndian.Uint64(payload) == greeting {
		return nil
	}
	e.bot.tally.wrong.Add(1)
	e.bot.swarm.book.find("bot %d: wrong: greeting is %x", e.bot.index, clip(payload))
	return nil
}

// judge compares a reply; took is its round trip, negative without one.
func (e *echo) judge(payload []byte, now int64) (v verdict, took int64) {
	if len(payload) < counterLen {
		return e.window.unknown(), -1
	}
	counter := binary.LittleEndian.Uint64(payload)
	v, sentAt := e.window.answer(counter)
	if v != right {
		return v, -1
	}
	if e.fillPayload(e.want, counter); !bytes.Equal(payload, e.want) {
		return differs, -1
	}
	return right, now - sentAt
}

func (e *echo) count(v verdict, payload []byte) {
	switch v {
	case right:
	case tardy:
		e.bot.tally.late.Add(1)
	default:
		e.bot.tally.wrong.Add(1)
		e.bot.swarm.book.find("bot %d: wrong: reply %s: %x", e.bot.index, v, clip(payload))
	}
}

func (e *echo) end(int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.open {
		return
	}
	e.open = false
	e.bot.tally.lost.Add(uint64(e.window.waiting))
	e.window.reset(0)
}

func (e *echo) sweep(now int64) string {
	e.expire(now - int64(e.bot.swarm.cfg.Timeout))
	return ""
}

func (e *echo) settle(now int64) { e.expire(now + 1) }

// expire counts what was sent before cut and is unanswered as missing.
func (e *echo) expire(cut int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.open {
		return
	}
	n := e.window.expire(cut)
	if n == 0 {
		return
	}
	e.bot.tally.missing.Add(uint64(n))
	e.bot.swarm.book.find("bot %d: missing: %d echoes after %v", e.bot.index, n, e.bot.swarm.cfg.Timeout)
	e.pacer.resume(e.bot.swarm.now())
	e.bot.wake()
}

func (e *echo) pending() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.open {
		return 0
	}
	return e.window.waiting
}

// pacer says when the next request may leave: by the clock when there is
// a rate, else when the replies are in and a pause has passed.
type pacer struct {
	interval, think int64 // ns, fixed; interval 0: closed loop
	slack           int64 // ns a bot may be behind its rate and catch up
	due             int64
	full            bool // the writer waits for replies
}

func newPacer(cfg *Config) pacer {
	p := pacer{think: int64(cfg.Think)}
	if cfg.Rate > 0 {
		p.interval = int64(float64(time.Second) / cfg.Rate)
		p.slack = p.interval * int64(cfg.Depth)
	}
	return p
}

// start begins at a moment of the bot's own, so that not all send at once.
func (p *pacer) start(now int64, phase float64) {
	p.full = false
	p.due = now + int64(phase*float64(max(p.interval, p.think)))
}

func (p *pacer) ready(now int64) bool { return now >= p.due }

func (p *pacer) sent(now int64) {
	if p.interval > 0 {
		p.due = max(p.due, now-p.slack) + p.interval
	}
}

// resume is told that there is room again after full.
func (p *pacer) resume(now int64) {
	p.full = false
	if p.interval == 0 {
		p.due = now + p.think
	}
}

// mix is splitmix64: every bit of x changes half of the result's.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// clip keeps a finding short.
func clip(b []byte) []byte { return b[:min(len(b), 64)] }
