package engine

import (
	"vitrine/core/pool"
	"vitrine/core/ringbuf"
)

// partial is the unfinished frame of a session: bytes that arrived in an earlier read. It exists only while there are some,
// so an idle session holds no receive buffer. The storage is a small slot, or a large one once the frame outgrows it.
type partial struct {
	buf   ringbuf.Buffer
	slot  pool.Slot
	large bool
	since int64 // when its first byte arrived
}

// partials are the worker's unfinished frames: both pools have room for one frame of every session, so they cannot run out.
type partials struct {
	small, large *pool.Cache
	from         *Server
	spare        []*partial
}

func newPartials(server *Server) partials {
	return partials{small: server.partialSmall.NewCache(), large: server.partialLarge.NewCache(), from: server}
}

func (p *partials) publish() {
	p.small.Publish()
	p.large.Publish()
}

func (p *partials) close() {
	p.small.Close()
	p.large.Close()
}

// front returns all that is held, in one piece: a partial is filled from empty, so it never wraps.
func (in *partial) front() []byte {
	first, _ := in.buf.Segments()
	return first
}

// take returns an empty partial, or nil when the small pool is exhausted.
func (p *partials) take(now int64) *partial {
	slot, ok := p.small.Get()
	if !ok {
		return nil
	}
	var in *partial
	if n := len(p.spare); n > 0 {
		in, p.spare = p.spare[n-1], p.spare[:n-1]
	} else {
		in = new(partial)
	}
	in.slot, in.large, in.since = slot, false, now
	in.buf.Attach(p.from.partialSmall.Bytes(slot))
	return in
}

// grow moves the content to a large slot; false when there is none.
func (p *partials) grow(in *partial) bool {
	slot, ok := p.large.Get()
	if !ok || in.large {
		return false
	}
	in.buf.Move(p.from.partialLarge.Bytes(slot))
	p.small.Put(in.slot)
	in.slot, in.large = slot, true
	return true
}

// give takes back a partial whose content is done with.
func (p *partials) give(in *partial) {
	in.buf.Discard(in.buf.Len())
	in.buf.Detach()
	if in.large {
		p.large.Put(in.slot)
	} else {
		p.small.Put(in.slot)
	}
	if len(p.spare) < eventsPerTurn {
		p.spare = append(p.spare, in)
	}
}

// keep holds data, the beginning of a frame, until more arrives.
func (w *worker) keep(s *Session, data []byte) {
	s.in = w.partials.take(w.now)
	if s.in == nil || !w.store(s.in, data) {
		w.close(s, BadLength)
		return
	}
	w.stats.Local.PartialFrames++
	w.arm(s)
}

func (w *worker) store(in *partial, data []byte) bool {
	if in.buf.Room() < len(data) && !w.partials.grow(in) {
		return false
	}
	return in.buf.Write(data) == len(data)
}

// complete adds as much of data to the unfinished frame as it lacks, delivers it when it is whole, and returns the rest.
func (w *worker) complete(s *Session, data []byte) []byte {
	in := s.in
	for len(data) > 0 {
		have := in.buf.Len()
		head := in.front()
		size, err := w.size(s, head)
		if err != nil {
			w.badFrame(s, err)
			return nil
		}
		want := size
		if size == 0 {
			want = have + 1 // a header's length may depend on its bytes, and what follows it may be the next frame's
		}
		take := min(want-have, len(data))
		if !w.store(in, data[:take]) {
			w.close(s, BadLength)
			return nil
		}
		data = data[take:]
		if size != 0 && have+take == size {
			w.deliverPartial(s, in, size)
			return data
		}
	}
	// The header may have become whole with the last byte: look before waiting for more.
	if _, err := w.size(s, in.front()); err != nil {
		w.badFrame(s, err)
	}
	return data
}

// deliverPartial delivers a frame that came in pieces. The session lets go of it first: a callback may close the session.
func (w *worker) deliverPartial(s *Session, in *partial, size int) {
	s.in = nil
	defer w.partials.give(in)
	if s.phase == phaseHandshake {
		w.handshake(s, in.front()[:size])
		return
	}
	w.deliver(s, in.front()[:size])
}
