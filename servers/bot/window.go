package bot

import "math/bits"

// verdict is what an oracle says of one reply.
type verdict uint8

const (
	right     verdict = iota
	tardy             // it had been counted missing
	differs           // its request is known, its content is another
	twice             // its request had been answered
	overtaken         // a later request was answered before it
	stranger          // no request can be found for it
)

func (v verdict) String() string {
	return [...]string{"right", "late", "differs", "twice", "out of order", "unknown"}[v]
}

// window is what one connection has sent and not yet closed the books on.
//
//	counter  first ........... low ................ next
//	         answered, expired  | some of them wait  not sent yet
//	                            the lowest that waits
//
//	first <= low, top <= next <= low + len(shots)
//	waiting = shots in [low, next) that wait <= depth
//
// top is one above the highest answered: an answer below it is out of
// order. A server that drops one reply leaves a gap, which waits until it
// expires, while the replies behind it are right.
type window struct {
	shots   []shot // power of two; counter & (len-1)
	depth   int
	waiting int

	first, low, top, next uint64
	expired               int // counted missing, may still come
}

type shot struct {
	sentAt int64
	state  shotState
}

type shotState uint8

const (
	shotDone shotState = iota
	shotWaits
	shotExpired
)

func newWindow(depth int) window {
	n := max(16, 2*depth)
	return window{shots: make([]shot, 1<<bits.Len(uint(n-1))), depth: depth}
}

func (w *window) reset(first uint64) {
	clear(w.shots)
	w.first, w.low, w.top, w.next = first, first, first, first
	w.waiting, w.expired = 0, 0
}

func (w *window) at(counter uint64) *shot {
	return &w.shots[counter&uint64(len(w.shots)-1)]
}

func (w *window) room() bool {
	return w.waiting < w.depth && w.next-w.low < uint64(len(w.shots))
}

// post returns the counter of the next request; there must be room.
func (w *window) post(now int64) uint64 {
	counter := w.next
	*w.at(counter) = shot{now, shotWaits}
	w.next++
	w.waiting++
	return counter
}

// answer closes the request with this counter and says when it was sent.
func (w *window) answer(counter uint64) (v verdict, sentAt int64) {
	age := w.next - counter // 1: the last one sent
	switch {
	case counter-w.first >= w.next-w.first:
		return w.unknown(), 0
	case age > uint64(len(w.shots)):
		return w.old(), 0
	}
	s := w.at(counter)
	switch s.state {
	case shotDone:
		return twice, 0
	case shotExpired:
		return w.old(), 0
	}
	w.done(s)
	if counter-w.first < w.top-w.first {
		return overtaken, 0
	}
	w.top = counter + 1
	return right, s.sentAt
}

// old is an answer to a request that was closed before.
func (w *window) old() verdict {
	if w.expired == 0 {
		return twice
	}
	w.expired--
	return tardy
}

// unknown is an answer that names no request: a server that answers in
// order meant the oldest one.
func (w *window) unknown() verdict {
	if w.waiting > 0 {
		w.done(w.at(w.low))
	}
	return stranger
}

func (w *window) done(s *shot) {
	s.state = shotDone
	w.waiting--
	w.advance()
}

// advance moves low to the lowest that waits.
func (w *window) advance() {
	for w.low != w.next && w.at(w.low).state != shotWaits {
		w.low++
	}
}

// expire closes what was sent before cut and returns how many that were.
func (w *window) expire(cut int64) (n int) {
	for w.low != w.next && w.at(w.low).sentAt < cut {
		w.at(w.low).state = shotExpired
		w.waiting--
		w.expired++
		n++
		w.advance()
	}
	return n
}
