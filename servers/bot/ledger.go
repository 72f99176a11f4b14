package bot

import (
	"bytes"
	"fmt"
	"math/bits"
	"sync"
)

// ledger holds what one bot has said and who heard it.
//
// The rule. A request's window is [sent, done]: from the moment before it
// was written until the moment after its result was read. The result of a
// message is the sender's own copy of it; of a login and a move, their
// results. Two requests overlap when their windows have a moment in
// common. The server carries a message out at one moment of its window
// and a move at one moment of its own, so:
//
//   - A bot must hear a message exactly once if it was logged in and
//     placed, in a sector within the 3x3 around the sender's, throughout
//     the message's window, and no move, login or leave of its own or of
//     the sender overlaps that window.
//   - A bot must not hear it if no sector the bot may have been in during
//     the window is within the 3x3 of one the sender may have been in;
//     during a move that is the old sector and the new one.
//   - Else it may. Nobody hears a message twice, and it always has the
//     sender's account, id and nickname and the text as sent.
//   - Who leaves, or is disconnected, no longer must.
//
// Who must hear is decided when the sender's own copy arrives: the bots
// that board then shows as settled since before sent. A message whose own
// copy does not come is decided when Timeout is over.
//
//	sequence  tail .............. next
//	          Timeout not over    not sent
//
//	next - tail <= len(messages); owed = receipts that must and did not
//
// After Timeout a message is retired: what is owed is missing. Its slot
// is used again; a copy that comes later still is late, whatever it is.
type ledger struct {
	bot *bot

	mu       sync.Mutex
	messages []message  // guarded by mu; power of two; sequence & (len-1)
	tail     uint32     // guarded by mu
	next     uint32     // guarded by mu
	waiting  int        // guarded by mu; own copies not here yet
	scratch  []listener // guarded by mu
	deaf     []uint32   // guarded by mu; scratch too
}

type message struct {
	sentAt, heardAt int64 // heardAt never until the own copy came
	life            uint32
	sector          sector // the sender's when it was sent
	waits           bool   // counted in waiting
	decided         bool   // who must hear it is in receipts
	owed            int
	text            []byte
	receipts        []receipt
}

// receipt is one bot that must hear a message, or did.
type receipt struct {
	listener
	must, heard bool
}

const (
	ledgerMin = 64
	ledgerMax = 4096
)

// newLedger makes room for what may be sent until a message is retired.
func newLedger(b *bot) ledger {
	cfg := &b.swarm.cfg
	n := int(cfg.Rate*cfg.Timeout.Seconds()*1.25) + cfg.Depth + 1
	if cfg.Rate == 0 {
		n = max(ledgerMin, 4*cfg.Depth)
	}
	n = max(min(n, ledgerMax), cfg.Depth)
	return ledger{bot: b, messages: make([]message, 1<<bits.Len(uint(n-1)))}
}

func (l *ledger) at(sequence uint32) *message {
	return &l.messages[sequence&uint32(len(l.messages)-1)]
}

// room reports whether another message may be sent now. A full ledger
// retires its oldest message early if nothing of it is owed.
func (l *ledger) room() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.waiting >= l.bot.swarm.cfg.Depth {
		return false
	}
	if int(l.next-l.tail) < len(l.messages) {
		return true
	}
	if m := l.at(l.tail); m.waits || l.owes(m) > 0 {
		return false
	}
	l.retireOldest()
	return true
}

// post enters a message and returns its text, valid until it is retired.
func (l *ledger) post(now int64, life uint32, from sector) (text []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	cfg := &l.bot.swarm.cfg
	m := l.at(l.next)
	if m.text == nil {
		m.text = make([]byte, cfg.Size)
	}
	*m = message{
		sentAt: now, heardAt: never, life: life, sector: from, waits: true,
		text: m.text, receipts: m.receipts[:0],
	}
	writeText(m.text, cfg.Seed, l.bot.index, l.next)
	l.next++
	l.waiting++
	return m.text
}

// heard is what the ledger says of one copy. The message's window and the
// sector it was sent from are for the verdict on where it was heard.
type heard struct {
	verdict
	sector          sector
	sentAt, heardAt int64
}

// idle reports that no own copy is waited for.
func (l *ledger) idle() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.waiting == 0
}

// hear enters that who received a copy; the own copy decides the message.
func (l *ledger) hear(d *delivery, n *names, who listener, now int64) heard {
	sequence, ok := sequence(d.text)
	l.mu.Lock()
	defer l.mu.Unlock()
	if !ok || int32(l.next-sequence) <= 0 {
		return heard{verdict: stranger}
	}
	if int(l.next-sequence) > len(l.messages) {
		return heard{verdict: tardy}
	}
	m := l.at(sequence)
	v := l.enter(m, who, int32(sequence-l.tail) < 0)
	if !bytes.Equal(d.text, m.text) || !bytes.Equal(d.names, n[:]) {
		v = differs
	}
	if m.waits && who.bot == l.bot.index && who.life == m.life {
		m.heardAt = now
		l.close(m)
		l.decide(m)
	}
	return heard{v, m.sector, m.sentAt, m.heardAt}
}

func (l *ledger) enter(m *message, who listener, retired bool) verdict {
	r := m.receipt(who)
	if r.heard {
		return twice
	}
	r.heard = true
	if retired {
		return tardy
	}
	if r.must {
		m.owed--
	}
	return right
}

func (m *message) receipt(who listener) *receipt {
	for i := range m.receipts {
		if m.receipts[i].listener == who {
			return &m.receipts[i]
		}
	}
	m.receipts = append(m.receipts, receipt{listener: who})
	return &m.receipts[len(m.receipts)-1]
}

// close stops waiting for the own copy. Unless it came, the window stays
// open: the server may carry the message out at any later time.
func (l *ledger) close(m *message) {
	m.waits = false
	l.waiting--
}

// decide enters who must hear the message: nobody, unless the sender
// itself was settled in the sector it thought it was in. A move may have
// been answered, and read, a moment before the message was made, and the
// sender not know yet.
func (l *ledger) decide(m *message) {
	m.decided = true
	board := l.bot.swarm.board
	if !board.isSettled(m.sector, listener{l.bot.index, m.life}, m.sentAt) {
		return
	}
	l.scratch = board.settled(m.sector, m.sentAt, l.scratch[:0])
	for _, who := range l.scratch {
		r := m.receipt(who)
		r.must = true
		if !r.heard {
			m.owed++
		}
	}
	l.bot.tally.required.Add(uint64(len(l.scratch)))
}

// leave ends the connection of the sender: what it has not heard itself,
// nobody must. It returns how many messages that are.
func (l *ledger) leave() (lost int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for s := l.tail; s != l.next; s++ {
		if m := l.at(s); m.waits {
			l.close(m)
			m.decided = true
			lost++
		}
	}
	return lost
}

// retire closes the books on what was sent before cut and returns how
// many deliveries are missing, and what is known of the first of them.
func (l *ledger) retire(cut int64) (missing int, first string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for l.tail != l.next && l.at(l.tail).sentAt < cut {
		m, sequence := l.at(l.tail), l.tail
		n := l.retireOldest()
		if n > 0 && missing == 0 {
			first = l.story(m, sequence)
		}
		missing += n
	}
	return missing, first
}

// story tells of a message that somebody did not hear.
func (l *ledger) story(m *message, sequence uint32) string {
	own := "came back"
	if m.heardAt == never {
		own = "never came back"
	}
	deaf := l.deaf[:0]
	heard := 0
	for i := range m.receipts {
		r := &m.receipts[i]
		switch {
		case r.heard:
			heard++
		case r.must && l.bot.swarm.bots[r.bot].alive(r.life):
			deaf = append(deaf, r.bot)
		}
	}
	l.deaf = deaf
	x, y := m.sector.xy()
	return fmt.Sprintf("message %d, %.3f s into the run, from sector %d/%d, %s, heard by %d, not by %v",
		sequence, float64(m.sentAt)/1e9, x, y, own, heard, deaf)
}

func (l *ledger) retireOldest() (missing int) {
	m := l.at(l.tail)
	if m.waits {
		l.close(m)
	}
	if !m.decided {
		l.decide(m)
	}
	missing = l.owes(m)
	optional := 0
	for i := range m.receipts {
		if r := &m.receipts[i]; r.heard && !r.must {
			optional++
		}
	}
	l.bot.tally.optional.Add(uint64(optional))
	l.tail++
	return missing
}

// owes counts who must hear m, did not, and is still there to do so.
func (l *ledger) owes(m *message) (n int) {
	if m.owed == 0 {
		return 0
	}
	for i := range m.receipts {
		r := &m.receipts[i]
		if r.must && !r.heard && l.bot.swarm.bots[r.bot].alive(r.life) {
			n++
		}
	}
	return n
}

// pending counts what would be missing if nothing came any more.
func (l *ledger) pending() (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n = l.waiting
	for s := l.tail; s != l.next; s++ {
		n += l.owes(l.at(s))
	}
	return n
}
