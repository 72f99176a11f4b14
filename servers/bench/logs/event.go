//go:build linux

package logs

import "math/rand/v2"

// message is what every record says.
const message = "player moved"

// event is one record: five fields beside message, level and time.
type event struct {
	session uint64
	player  string
	x, y    int
	op      string
	warn    bool // WARN instead of INFO
}

// warnEvery is how many records make one of them a WARN, in mixed ones.
const warnEvery = 16

// players and ops are what the strings of an event are taken from.
var (
	players = [...]string{"ayla", "borin", "cassandra", "dax", "eowyn", "fen", "guinevere", "hal"}
	ops     = [...]string{"walk", "run", "teleport", "jump"}
)

// set makes the n-th event of a session.
func (e *event) set(session uint64, n int) {
	e.session, e.x, e.y = session, n, n&1023
	e.player, e.op = players[n%len(players)], ops[n%len(ops)]
}

// newRandom returns the source of a run's choices. The same seed and purpose
// give the same ones.
func newRandom(seed, purpose uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, purpose)) }
