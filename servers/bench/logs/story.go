//go:build linux

package logs

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"vitrine/logx/record"
)

// One record in warnOdds is a WARN, one in errorOdds an ERROR, scattered.
const (
	warnOdds    = 1_000
	errorOdds   = 10_000
	zones       = 64
	playerNames = 20_000
)

// story makes up the log of a game server whose sessions come and go:
//
//	          oldest          oldest + alive
//	............[====================]...............> sessions
//	   left      those that are alive    to come
//
// The window slides from the first sessions to the last as the story goes from
// 0 to 1; who is alive speaks at random. The same seed tells the same story.
// One goroutine owns it.
type story struct {
	random   *rand.Rand
	sessions int // in all
	alive    int // at once; those of them that have joined are
	joined   int // sessions that have: oldest <= joined <= oldest+alive
	oldest   int
	names    []string
	failure  error
	record   record.Record
}

// storyBegin is when the first record is.
var storyBegin = time.Date(2026, 11, 1, 6, 0, 0, 0, time.UTC)

func newStory(seed uint64, sessions, alive int) *story {
	s := &story{random: newRandom(seed, 2), sessions: sessions, alive: alive}
	s.failure = errors.New("read tcp 127.0.0.1:3306: i/o timeout")
	s.names = make([]string, min(sessions, playerNames))
	for i := range s.names {
		s.names[i] = fmt.Sprintf("player_%05d", i)
	}
	s.record.Time = storyBegin.UnixNano()
	return s
}

// sessionID is the id of the n-th session, made as the engine makes them: a
// serial above the slot. All have 14 digits, so that none begins like another.
func sessionID(n int) uint64 { return uint64(1<<20+n)<<24 | uint64(n%8192) }

// next tells the next record; progress is how far the story has come, from 0
// to 1. The record is valid until the next call.
func (s *story) next(progress float64) *record.Record {
	r := &s.record
	r.Index++
	r.Time += int64(500*time.Microsecond) + s.random.Int64N(int64(time.Millisecond))
	r.Level, r.Fields = record.Info, r.Fields[:0]
	due := min(s.sessions-s.alive, int(progress*float64(s.sessions-s.alive)+1))
	switch {
	case s.joined < s.oldest+s.alive:
		s.join()
	case s.oldest < due:
		s.leave()
	default:
		s.speak(s.oldest + s.random.IntN(s.alive))
	}
	return r
}

func (s *story) say(n int, t record.Type, message string, fields ...record.Field) {
	r := &s.record
	r.Session, r.Type, r.Message = sessionID(n), t, message
	r.Fields = append(r.Fields, fields...)
}

func (s *story) join() {
	s.say(s.joined, record.TypeSession, "session joined", record.String("addr", "198.51.100.7:50321"),
		record.String("codec", "sealed"), record.Int("worker", s.joined%4))
	s.joined++
}

func (s *story) leave() {
	s.say(s.oldest, record.TypeSession, "session left", record.String("reason", "peer_closed"),
		record.Int("packets", s.number(4000)), record.Int("bytes", s.number(400_000)))
	s.oldest++
}

func (s *story) number(below int) int { return s.random.IntN(below) }

// speak is what a session that is alive has to say.
func (s *story) speak(n int) {
	switch odds := s.number(errorOdds); {
	case odds == 0:
		s.record.Level = record.Error
		s.say(n, record.TypeDB, "query failed", record.String("query", "save_player"), record.Err(s.failure), record.Int("attempt", 1+s.number(3)))
	case odds <= errorOdds/warnOdds:
		s.record.Level = record.Warn
		s.say(n, record.TypeNetwork, "send queue nearly full", record.Int("queued_bytes", 50_000+s.number(15_000)), record.Int("limit_bytes", 65_536))
	default:
		s.play(n)
	}
}

// play is the ordinary day.
func (s *story) play(n int) {
	player := record.String("player", s.names[n%len(s.names)])
	switch s.number(10) {
	case 0, 1, 2:
		s.say(n, record.TypeGame, "player moved", player, record.Int("x", s.number(4096)), record.Int("y", s.number(4096)), record.Int("zone", n%zones))
	case 3, 4:
		s.say(n, record.TypeGame, "monster hit", player, record.Int("monster", s.number(50_000)), record.Int("damage", s.number(900)), record.Bool("critical", s.number(8) == 0))
	case 5:
		s.say(n, record.TypeGame, "item picked up", player, record.Int("item", s.number(9000)), record.Int("count", 1+s.number(20)))
	case 6:
		s.say(n, record.TypeChat, "message sent", player, record.String("channel", "zone"), record.Int("length", 1+s.number(120)))
	case 7:
		s.say(n, record.TypeDB, "query finished", record.String("query", "load_item"), record.Duration("took", time.Duration(s.number(9_000_000))), record.Int("rows", s.number(40)))
	case 8:
		s.say(n, record.TypeLAN, "call answered", record.String("server", "chat"), record.Uint("call", s.random.Uint32()), record.Duration("took", time.Duration(s.number(2_000_000))))
	default:
		s.say(n, record.TypeAuth, "ticket renewed", player, record.Uint("account", uint64(700_000_000+n)), record.Float("trust", float64(s.number(1000))/1000))
	}
}
