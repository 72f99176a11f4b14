package bot

import "sync"

const mapSide = 50 // sectors a side; a message reaches the 3x3 around it

// sector is y*50+x.
type sector uint16

const anywhere sector = mapSide * mapSide // not on the map: not known

func (s sector) xy() (x, y uint16) { return uint16(s % mapSide), uint16(s / mapSide) }

// near reports whether the 3x3 sectors around s have o in them. What may
// be anywhere may be near.
func (s sector) near(o sector) bool {
	if s == anywhere || o == anywhere {
		return true
	}
	dx, dy := int(s%mapSide)-int(o%mapSide), int(s/mapSide)-int(o/mapSide)
	return dx*dx <= 1 && dy*dy <= 1
}

// board is who is where, as far as the bots have been told: a bot is in
// the cell of its sector from the result that placed it there until the
// result that placed it elsewhere.
type board struct {
	cells [mapSide * mapSide]cell
}

type cell struct {
	mu      sync.Mutex
	present []presence // guarded by mu; in no order
}

// presence is one bot in its sector. It is settled since its result was
// received, unless it asked to go elsewhere.
type presence struct {
	listener
	moving bool
	since  int64
}

// listener is a bot on one of its connections.
type listener struct {
	bot, life uint32
}

func newBoard() *board { return &board{} }

func (b *board) enter(s sector, who listener, now int64) {
	c := &b.cells[s]
	c.mu.Lock()
	c.present = append(c.present, presence{listener: who, since: now})
	c.mu.Unlock()
}

// moving is told before the request to move is written.
func (b *board) moving(s sector, who listener) {
	c := &b.cells[s]
	c.mu.Lock()
	if i := c.find(who); i >= 0 {
		c.present[i].moving = true
	}
	c.mu.Unlock()
}

func (b *board) leave(s sector, who listener) {
	c := &b.cells[s]
	c.mu.Lock()
	if i := c.find(who); i >= 0 {
		last := len(c.present) - 1
		c.present[i] = c.present[last]
		c.present = c.present[:last]
	}
	c.mu.Unlock()
}

func (c *cell) find(who listener) int {
	for i := range c.present {
		if c.present[i].listener == who {
			return i
		}
	}
	return -1
}

// settled appends all that have been settled in the 3x3 around s since
// before the given time without a break until now.
func (b *board) settled(s sector, before int64, dst []listener) []listener {
	x, y := int(s%mapSide), int(s/mapSide)
	for cy := max(0, y-1); cy <= min(mapSide-1, y+1); cy++ {
		for cx := max(0, x-1); cx <= min(mapSide-1, x+1); cx++ {
			dst = b.cells[cy*mapSide+cx].settled(before, dst)
		}
	}
	return dst
}

func (c *cell) settled(before int64, dst []listener) []listener {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.present {
		if p := &c.present[i]; p.settled(before) {
			dst = append(dst, p.listener)
		}
	}
	return dst
}

// isSettled reports whether one has been settled in s itself.
func (b *board) isSettled(s sector, who listener, before int64) bool {
	c := &b.cells[s]
	c.mu.Lock()
	defer c.mu.Unlock()
	i := c.find(who)
	return i >= 0 && c.present[i].settled(before)
}

func (p *presence) settled(before int64) bool { return !p.moving && p.since < before }

const staysMax = 8 // sectors a track remembers; what is older is forgiven

// track is where one bot may have been, for the server, at any time in
// the recent past. A move adds a stay when it is requested and closes the
// one before when its result was received: in between both hold.
type track struct {
	mu    sync.Mutex
	stays [staysMax]stay // guarded by mu; ring, newest at (n-1)%staysMax
	n     int            // guarded by mu; stays ever added
}

type stay struct {
	sector      sector
	from, until int64 // ns; until never while it lasts
}

// reset begins a connection: until it is placed the bot may be anywhere.
func (t *track) reset() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n = 0
	t.add(stay{anywhere, 0, never})
}

func (t *track) add(s stay) {
	t.stays[t.n%staysMax] = s
	t.n++
}

func (t *track) request(to sector, now int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.add(stay{to, now, never})
}

func (t *track) confirm(now int64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.stays[(t.n-2)%staysMax].until = now
}

// reaches reports whether the bot may have been near s in [from, until].
func (t *track) reaches(s sector, from, until int64) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range min(t.n, staysMax) {
		v := &t.stays[i]
		if v.sector.near(s) && v.from <= until && v.until >= from {
			return true
		}
	}
	return t.forgotten(from)
}

// during appends the sectors the bot may have been in in [from, until].
func (t *track) during(from, until int64, dst []sector) []sector {
	t.mu.Lock()
	defer t.mu.Unlock()
	for i := range min(t.n, staysMax) {
		if v := &t.stays[i]; v.from <= until && v.until >= from {
			dst = append(dst, v.sector)
		}
	}
	if t.forgotten(from) {
		dst = append(dst, anywhere)
	}
	return dst
}

// forgotten reports whether stays that held after from were overwritten.
func (t *track) forgotten(from int64) bool {
	return t.n > staysMax && t.stays[t.n%staysMax].from > from
}
