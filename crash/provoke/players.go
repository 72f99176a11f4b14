package provoke

import (
	"fmt"
	"math/rand/v2"
	"unsafe"
)

// players are in a variable of the package, since a debugger finds that by its name in any core.
var players map[int]*player

// player is what a game knows of one.
type player struct {
	ID      int
	Name    string
	HP      int
	Friends [8]*player
}

// The players that every victim has.
const (
	playerCount = 100
	waiting     = 8 // goroutines that wait for a message
	chunk       = 1 << 20
)

// populate makes the players, and a heap of so many bytes besides: half random bytes, which do not compress, half players full
// of pointers.
func populate(heap int64) (ballast [][]byte, crowd []player) {
	players = make(map[int]*player, playerCount)
	for id := range playerCount {
		players[id] = &player{ID: id, Name: fmt.Sprintf("player %d", id), HP: 100}
	}
	players[42].HP = -1
	source := rand.NewChaCha8([32]byte{1})
	for filled := int64(0); filled < heap/2; filled += chunk {
		b := make([]byte, chunk)
		_, _ = source.Read(b) // never fails
		ballast = append(ballast, b)
	}
	crowd = make([]player, heap/2/int64(unsafe.Sizeof(player{})))
	for i := range crowd {
		p := &crowd[i]
		p.ID, p.Name, p.HP = i, "bot", i%100
		for f := range p.Friends {
			p.Friends[f] = &crowd[(i*31+f*17)%len(crowd)]
		}
	}
	return ballast, crowd
}
