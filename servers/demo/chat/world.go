package chat

import "vitrine/core/engine"

// MapSize is the number of sectors on a side of the map.
const MapSize = 50

// place is where a player stands and its index in that sector's list.
type place struct {
	on    bool
	x, y  uint16
	index int
}

// world is the map: for each sector the players on it, in no order. Invariant: a player that is on the map is at its index
// of its sector's list.
type world struct {
	sectors [MapSize][MapSize][]*player
}

// move puts the player on a sector, off the one it was on.
func (w *world) move(p *player, x, y uint16) {
	w.remove(p)
	sector := &w.sectors[y][x]
	p.place = place{on: true, x: x, y: y, index: len(*sector)}
	*sector = append(*sector, p)
}

// remove takes the player off the map, if it is on it.
func (w *world) remove(p *player) {
	if !p.place.on {
		return
	}
	sector := &w.sectors[p.place.y][p.place.x]
	last := len(*sector) - 1
	moved := (*sector)[last]
	(*sector)[p.place.index] = moved
	moved.place.index = p.place.index
	(*sector)[last] = nil
	*sector = (*sector)[:last]
	p.place.on = false
}

// around appends the sessions on the 3 x 3 sectors around the player, its own included, to ids.
func (w *world) around(p *player, ids []engine.ID) []engine.ID {
	if !p.place.on {
		return ids
	}
	x, y := int(p.place.x), int(p.place.y)
	for row := max(y-1, 0); row <= min(y+1, MapSize-1); row++ {
		for column := max(x-1, 0); column <= min(x+1, MapSize-1); column++ {
			for _, other := range w.sectors[row][column] {
				ids = append(ids, other.session)
			}
		}
	}
	return ids
}
