package bot

import (
	"fmt"
	"testing"
	"time"

	"vitrine/core/frame"
)

// theatre is a chat of bots that never connect: the test says what happens
// and when, and looks into the columns.
type theatre struct {
	t     *testing.T
	swarm *Swarm
}

func newTheatre(t *testing.T, bots int) *theatre {
	s, err := New(Config{Addr: "nowhere", Protocol: Chat, Bots: bots, Depth: 8, Timeout: 1000})
	if err != nil {
		t.Fatal(err)
	}
	return &theatre{t, s}
}

func (h *theatre) chat(i int) *chat { return h.swarm.bots[i].play.(*chat) }

// enter logs a bot in and places it.
func (h *theatre) enter(i int, at sector, now int64) {
	c := h.chat(i)
	life := c.bot.life.Add(1)
	c.begin(&link{codec: &frame.Codec{}}, life, now)
	c.stage = stageLogged
	h.ask(i, at, now)
	h.placed(i, now)
}

func (h *theatre) ask(i int, to sector, now int64) {
	c := h.chat(i)
	c.move(nil, now)
	c.track.stays[(c.track.n-1)%staysMax].sector = to // move drew another
	c.to = to
}

func (h *theatre) placed(i int, now int64) {
	c := h.chat(i)
	payload := appendMove(nil, c.account, c.to)
	payload[0] = typeMoveResult
	c.moved(payload, now)
}

func (h *theatre) say(i int, now int64) (payload []byte) {
	c := h.chat(i)
	text := c.ledger.post(now, c.me.life, c.from)
	payload = append(appendHead(nil, typeDelivery, c.account), c.names[:]...)
	payload = append(payload, byte(len(text)), byte(len(text)>>8))
	return append(payload, text...)
}

func (h *theatre) hear(i int, payload []byte, now int64) { h.chat(i).delivered(payload, now) }

func (h *theatre) leave(i int) { h.swarm.bots[i].over() }

type figures struct{ wrong, missing, late, required, optional uint64 }

func (h *theatre) want(want figures) {
	h.t.Helper()
	r := h.swarm.Report()
	got := figures{r.Wrong, r.Missing, r.Late, r.Required, r.Optional}
	if got != want {
		h.t.Errorf("got %+v, want %+v: %s", got, want, r.Findings)
	}
}

func (h *theatre) expire(cut int64) {
	for _, b := range h.swarm.bots {
		b.play.(*chat).expire(cut, cut)
	}
}

const (
	here  sector = 10*mapSide + 10
	next  sector = 11*mapSide + 11
	apart sector = 12*mapSide + 10
)

func TestLedgerJudgesByWindows(t *testing.T) {
	// Bot 0 in here says m from 100 to 200; bot 1 does something else.
	tests := []struct {
		name string
		play func(h *theatre)
		want figures
	}{
		{"near all the time hears", func(h *theatre) {
			h.enter(1, next, 50)
			m := h.say(0, 100)
			h.hear(1, m, 150)
			h.hear(0, m, 200)
		}, figures{required: 2}},
		{"near all the time hears last", func(h *theatre) {
			h.enter(1, next, 50)
			m := h.say(0, 100)
			h.hear(0, m, 200)
			h.hear(1, m, 900)
		}, figures{required: 2}},
		{"near all the time does not hear", func(h *theatre) {
			h.enter(1, next, 50)
			h.hear(0, h.say(0, 100), 200)
		}, figures{required: 2, missing: 1}},
		{"nobody hears, not even the sender", func(h *theatre) {
			h.enter(1, next, 50)
			h.say(0, 100)
		}, figures{required: 2, missing: 2}},
		{"apart does not hear", func(h *theatre) {
			h.enter(1, apart, 50)
			h.hear(0, h.say(0, 100), 200)
		}, figures{required: 1}},
		{"apart hears", func(h *theatre) {
			h.enter(1, apart, 50)
			m := h.say(0, 100)
			h.hear(1, m, 150)
			h.hear(0, m, 200)
		}, figures{required: 1, wrong: 1, optional: 1}},
		{"hears twice", func(h *theatre) {
			h.enter(1, next, 50)
			m := h.say(0, 100)
			h.hear(1, m, 150)
			h.hear(0, m, 200)
			h.hear(1, m, 250)
		}, figures{required: 2, wrong: 1}},
		{"came near before it was sent", func(h *theatre) {
			h.enter(1, apart, 50)
			h.ask(1, next, 60)
			h.placed(1, 99)
			h.hear(0, h.say(0, 100), 200)
		}, figures{required: 2, missing: 1}},
		{"comes near meanwhile and does not hear", func(h *theatre) {
			h.enter(1, apart, 50)
			h.ask(1, next, 60)
			m := h.say(0, 100)
			h.placed(1, 101)
			h.hear(0, m, 200)
		}, figures{required: 1}},
		{"comes near meanwhile and hears", func(h *theatre) {
			h.enter(1, apart, 50)
			h.ask(1, next, 60)
			m := h.say(0, 100)
			h.hear(1, m, 101)
			h.placed(1, 102)
			h.hear(0, m, 200)
		}, figures{required: 1, optional: 1}},
		{"asks to go meanwhile and does not hear", func(h *theatre) {
			h.enter(1, next, 50)
			m := h.say(0, 100)
			h.ask(1, apart, 199)
			h.hear(0, m, 200)
			h.placed(1, 300)
		}, figures{required: 1}},
		{"goes after it was said and does not hear", func(h *theatre) {
			h.enter(1, next, 50)
			h.hear(0, h.say(0, 100), 200)
			h.ask(1, apart, 201)
			h.placed(1, 300)
		}, figures{required: 2, missing: 1}},
		{"has gone before it was sent and hears", func(h *theatre) {
			h.enter(1, next, 50)
			h.ask(1, apart, 60)
			h.placed(1, 99)
			m := h.say(0, 100)
			h.hear(1, m, 150)
			h.hear(0, m, 200)
		}, figures{required: 1, wrong: 1, optional: 1}},
		{"comes near after it was said and hears", func(h *theatre) {
			h.enter(1, apart, 50)
			m := h.say(0, 100)
			h.hear(0, m, 200)
			h.ask(1, next, 201)
			h.placed(1, 202)
			h.hear(1, m, 300)
		}, figures{required: 1, wrong: 1, optional: 1}},
		{"the sender moves meanwhile: old place hears", func(h *theatre) {
			h.enter(1, next, 50)
			h.ask(0, apart, 90)
			m := h.say(0, 100)
			h.hear(1, m, 150)
			h.placed(0, 160)
			h.hear(0, m, 200)
		}, figures{optional: 2}},
		{"the sender moves meanwhile: new place hears", func(h *theatre) {
			h.enter(1, apart+mapSide, 50)
			h.ask(0, apart, 90)
			m := h.say(0, 100)
			h.placed(0, 140)
			h.hear(1, m, 150)
			h.hear(0, m, 200)
		}, figures{optional: 2}},
		{"the sender moves meanwhile: a third place hears", func(h *theatre) {
			h.enter(1, 0, 50)
			h.ask(0, apart, 90)
			m := h.say(0, 100)
			h.hear(1, m, 150)
			h.placed(0, 160)
			h.hear(0, m, 200)
		}, figures{wrong: 1, optional: 2}},
		{"the sender has moved and does not know yet: old place does not hear", func(h *theatre) {
			h.enter(1, here-mapSide-1, 50)
			h.ask(0, next, 90)
			m := h.say(0, 100)
			h.placed(0, 99) // read before the message was made, looked at after
			h.hear(0, m, 200)
		}, figures{optional: 1}},
		{"leaves before it hears", func(h *theatre) {
			h.enter(1, next, 50)
			h.hear(0, h.say(0, 100), 200)
			h.leave(1)
		}, figures{required: 2}},
		{"left before it was sent", func(h *theatre) {
			h.enter(1, next, 50)
			h.leave(1)
			h.hear(0, h.say(0, 100), 200)
		}, figures{required: 1}},
		{"comes back and need not hear", func(h *theatre) {
			h.enter(1, next, 50)
			m := h.say(0, 100)
			h.leave(1)
			h.enter(1, next, 150)
			h.hear(0, m, 200)
		}, figures{required: 1}},
		{"the sender leaves and nobody must hear", func(h *theatre) {
			h.enter(1, next, 50)
			h.say(0, 100)
			h.leave(0)
		}, figures{}},
		{"the sender leaves and one hears later", func(h *theatre) {
			h.enter(1, apart, 50)
			m := h.say(0, 100)
			h.leave(0)
			h.ask(1, next, 300)
			h.hear(1, m, 400)
			h.placed(1, 450)
		}, figures{optional: 1}},
		{"late is missing and late", func(h *theatre) {
			h.enter(1, next, 50)
			m := h.say(0, 100)
			h.hear(0, m, 200)
			h.expire(101)
			h.hear(1, m, 5000)
		}, figures{required: 2, missing: 1, late: 1}},
		{"another text", func(h *theatre) {
			h.enter(1, next, 50)
			m := h.say(0, 100)
			h.hear(0, m, 200)
			m[len(m)-2] ^= 1
			h.hear(1, m, 300)
		}, figures{required: 2, wrong: 1}},
		{"never said", func(h *theatre) {
			m := h.say(0, 100)
			h.hear(0, m, 200)
			putHex(m[deliveryLen:], sequenceAt, 8, 77)
			h.hear(0, m, 300)
		}, figures{required: 1, wrong: 1}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			h := newTheatre(t, 2)
			h.enter(0, here, 10)
			test.play(h)
			h.expire(1 << 40)
			h.want(test.want)
		})
	}
}

func TestLedgerIsBounded(t *testing.T) {
	h := newTheatre(t, 1)
	h.enter(0, here, 10)
	c := h.chat(0)
	size := len(c.ledger.messages)
	for now := int64(100); now < 100_000; now++ {
		if !c.ledger.room() {
			t.Fatalf("no room at %d though every message was heard", now)
		}
		h.hear(0, h.say(0, now), now)
	}
	if len(c.ledger.messages) != size || len(c.ledger.at(0).receipts) != 1 {
		t.Errorf("ledger grew to %d messages, %d receipts", len(c.ledger.messages), len(c.ledger.at(0).receipts))
	}
	for c.ledger.room() {
		h.say(0, 200_000)
	}
	if c.ledger.waiting != 8 {
		t.Errorf("waiting = %d at the limit, want the depth, 8", c.ledger.waiting)
	}
}

func TestTrackForgivesWhatItForgot(t *testing.T) {
	var tr track
	tr.reset()
	for i := range int64(3 * staysMax) {
		tr.request(sector(i*2), i*10)
		tr.confirm(i*10 + 5)
	}
	last := sector(2 * (3*staysMax - 1))
	if tr.reaches(mapSide*mapSide-1, 225, 300) {
		t.Error("reaches a corner it never was near")
	}
	if !tr.reaches(last, 225, 300) || !tr.reaches(mapSide*mapSide-1, 10, 300) {
		t.Error("does not reach where it is, or judges what it forgot")
	}
}

func TestNearIsThe3x3AndStopsAtTheEdge(t *testing.T) {
	for s := range sector(mapSide * mapSide) {
		for o := range sector(mapSide * mapSide) {
			sx, sy := s.xy()
			ox, oy := o.xy()
			dx, dy := int(sx)-int(ox), int(sy)-int(oy)
			want := dx >= -1 && dx <= 1 && dy >= -1 && dy <= 1
			if s.near(o) != want {
				t.Fatalf("%d near %d = %v, want %v", s, o, !want, want)
			}
		}
	}
}

func TestBoardListsThe3x3(t *testing.T) {
	b := newBoard()
	for s := range sector(mapSide * mapSide) {
		b.enter(s, listener{uint32(s), 1}, 0)
	}
	for _, test := range []struct {
		at   sector
		want int
	}{{0, 4}, {1, 6}, {mapSide - 1, 4}, {here, 9}, {mapSide*mapSide - 1, 4}} {
		got := b.settled(test.at, 1, nil)
		for _, who := range got {
			if !test.at.near(sector(who.bot)) {
				t.Errorf("%d is listed around %d", who.bot, test.at)
			}
		}
		if len(got) != test.want {
			t.Errorf("%d around %d, want %d", len(got), test.at, test.want)
		}
	}
}

// crowd is a chat in which bot 0 speaks and all 18 hear.
func crowd(tb testing.TB) (say func() []byte, hear func(payload []byte)) {
	s, err := New(Config{Addr: "nowhere", Protocol: Chat, Bots: 18, Timeout: time.Hour})
	if err != nil {
		tb.Fatal(err)
	}
	h := &theatre{swarm: s}
	for i := range 18 {
		h.enter(i, here, 10)
	}
	c, now := h.chat(0), int64(100)
	payload := append(appendHead(nil, typeDelivery, c.account), c.names[:]...)
	say = func() []byte {
		now += 10
		if !c.ledger.room() {
			tb.Fatal("no room")
		}
		text := c.ledger.post(now, c.me.life, c.from)
		payload = append(payload[:deliveryLen-2], byte(len(text)), 0)
		payload = append(payload, text...)
		return payload
	}
	return say, func(payload []byte) {
		for i := range 18 {
			if err := h.chat(i).receive(payload, now+1); err != nil {
				tb.Fatal(err)
			}
		}
	}
}

func TestOraclesDoNotAllocate(t *testing.T) {
	say, hear := crowd(t)
	message := func() { hear(say()) }
	for range 200 { // every slot of the ledger has grown to its size
		message()
	}
	if n := testing.AllocsPerRun(100, message); n != 0 {
		t.Errorf("chat: %v allocations a message heard by 18", n)
	}
	e, reply := echoAtWork(t)
	if n := testing.AllocsPerRun(100, func() { e.receive(reply(), 5) }); n != 0 {
		t.Errorf("echo: %v allocations a reply", n)
	}
}

// echoAtWork is an echo bot without a connection, and the right replies.
func echoAtWork(tb testing.TB) (e *echo, reply func() []byte) {
	s, err := New(Config{Addr: "nowhere", Depth: 4, Size: 32, Think: -1})
	if err != nil {
		tb.Fatal(err)
	}
	e = s.bots[0].play.(*echo)
	e.begin(&link{codec: &s.cfg.Codec}, 1, 0)
	out, payload := make([]byte, 0, 4096), make([]byte, 32)
	return e, func() []byte {
		counter := e.window.next
		out, _, _ = e.compose(out[:0], 1<<40)
		for c := counter; c != e.window.next-1; c++ {
			e.window.answer(c) // the others are of no interest
		}
		e.fillPayload(payload, e.window.next-1)
		return payload
	}
}

func BenchmarkChatDelivery(b *testing.B) {
	say, hear := crowd(b)
	b.ReportAllocs()
	for b.Loop() {
		hear(say())
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/18, "ns/delivery")
}

func BenchmarkEchoReply(b *testing.B) {
	e, reply := echoAtWork(b)
	b.ReportAllocs()
	for b.Loop() {
		e.receive(reply(), 5)
	}
}

func TestTextsSayWhoseTheyAre(t *testing.T) {
	text := make([]byte, 64)
	writeText(text, 3, 0xabcdef, 0x12345678)
	letters := ""
	for i := 0; i < len(text); i += 2 {
		letters += string(rune(text[i]))
	}
	if got := letters[:16]; got != "abcdef 12345678 " {
		t.Errorf("text begins %q", got)
	}
	if n, ok := sequence(text); !ok || n != 0x12345678 {
		t.Errorf("sequence = %x, %v", n, ok)
	}
	other := make([]byte, 64)
	writeText(other, 4, 0xabcdef, 0x12345678)
	if fmt.Sprint(text) == fmt.Sprint(other) {
		t.Error("another seed, the same text")
	}
	for i := range textLeast {
		bad := append([]byte(nil), text...)
		bad[i] ^= 0x80
		if n, ok := sequence(bad); ok && i >= 2*sequenceAt && i < 2*sequenceAt+16 {
			t.Errorf("byte %d spoilt, still sequence %x", i, n)
		}
	}
}
