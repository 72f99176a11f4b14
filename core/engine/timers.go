package engine

import (
	"math/bits"
	"time"
)

// The wheel has one entry per session. A tick is 16 ms and the wheel 1,024 ticks, 16.4 s around; a later deadline is put at
// the far end and looked at again from there. Deadlines are never early and at most two ticks late.
const (
	tickBits   = 24 // 2^24 ns = 16.8 ms
	tickNanos  = 1 << tickBits
	wheelTicks = 1024
)

// timer is a session's place in the wheel: a doubly linked list per bucket.
type timer struct {
	next, prev *Session
	tick       int64 // absolute; 0: not armed
}

// wheel is the worker's timers. Invariant: done < tick <= done + wheelTicks for every armed timer.
type wheel struct {
	buckets [wheelTicks]*Session
	used    [wheelTicks / 64]uint64 // bit set: the bucket is not empty
	done    int64                   // every tick up to this one has been served
}

func (h *wheel) start(now int64) { h.done = now >> tickBits }

func (h *wheel) add(s *Session, deadline int64) {
	tick := (deadline + tickNanos - 1) >> tickBits
	tick = min(max(tick, h.done+1), h.done+wheelTicks)
	i := tick % wheelTicks
	s.timer = timer{tick: tick, next: h.buckets[i]}
	if s.timer.next != nil {
		s.timer.next.timer.prev = s
	}
	h.buckets[i] = s
	h.used[i/64] |= 1 << (i % 64)
}

func (h *wheel) remove(s *Session) {
	if s.timer.tick == 0 {
		return
	}
	i := s.timer.tick % wheelTicks
	if s.timer.next != nil {
		s.timer.next.timer.prev = s.timer.prev
	}
	if s.timer.prev != nil {
		s.timer.prev.timer.next = s.timer.next
	} else if h.buckets[i] = s.timer.next; h.buckets[i] == nil {
		h.used[i/64] &^= 1 << (i % 64)
	}
	s.timer = timer{}
}

// until returns how long the wheel has nothing to do, -1 when nothing is armed.
func (h *wheel) until(now int64) time.Duration {
	first := h.done + 1
	for step := int64(0); step < wheelTicks; {
		i := (first + step) % wheelTicks
		if word := h.used[i/64] >> (i % 64); word != 0 {
			due := (first + step + int64(bits.TrailingZeros64(word))) << tickBits
			return time.Duration(max(due-now, 1))
		}
		step += 64 - i%64
	}
	return -1
}

// deadlineOf returns when the session is next to be looked at and the reason it closes with if that passes; 0 for never.
func (w *worker) deadlineOf(s *Session) (int64, Reason) {
	limits := &w.limits
	switch {
	case s.phase == phaseConnecting || s.phase == phaseHandshake:
		return after(s.openedAt, limits.HandshakeTimeout), HandshakeTimeout
	case s.phase != phaseOpen:
		return 0, NotClosed
	}
	due, reason := after(s.frameAt, limits.IdleTimeout), IdleTimeout
	if s.in != nil {
		if partial := after(s.in.since, limits.FrameTimeout); partial != 0 && (due == 0 || partial < due) {
			due, reason = partial, FrameTimeout
		}
	}
	return due, reason
}

func after(from int64, timeout time.Duration) int64 {
	if timeout == Unlimited {
		return 0
	}
	return from + int64(timeout)
}

// arm sees to it that the session is looked at by its next deadline. A timer that is due earlier is left alone: it will
// find nothing and be armed again, which costs less than moving it at every frame.
func (w *worker) arm(s *Session) {
	due, _ := w.deadlineOf(s)
	if due == 0 || (s.timer.tick != 0 && s.timer.tick<<tickBits <= due) {
		return
	}
	w.wheel.remove(s)
	w.wheel.add(s, due)
}

func (w *worker) disarm(s *Session) { w.wheel.remove(s) }

// expireUnless leaves the timers for a later turn while more events may wait than this turn took: after the worker was held
// up, who has sent in time must be read before it is found idle. Once every session has had its event, timers are served.
func (w *worker) expireUnless(more bool) {
	if more && w.full*eventsPerTurn < len(w.sessions) {
		w.full++
		return
	}
	w.full = 0
	w.expire()
}

// expire looks at the sessions whose timers are due.
func (w *worker) expire() {
	h := &w.wheel
	for target := w.now >> tickBits; h.done < target; {
		h.done++
		i := h.done % wheelTicks
		s := h.buckets[i]
		h.buckets[i] = nil
		h.used[i/64] &^= 1 << (i % 64)
		for s != nil {
			next := s.timer.next
			s.timer = timer{}
			w.lookAt(s)
			s = next
		}
	}
}

func (w *worker) lookAt(s *Session) {
	defer w.recovered(s)
	w.callback = callbackTimer
	due, reason := w.deadlineOf(s)
	switch {
	case due == 0:
	case due <= w.now:
		w.close(s, reason)
	default:
		w.wheel.add(s, due)
	}
	w.callback = callbackNone
}

// idleTime is how long the worker may sleep: until the next timer, accept's pause or the drain's deadline; -1 for ever.
func (w *worker) idleTime() time.Duration {
	idle := w.wheel.until(w.now)
	for _, at := range [...]int64{w.accept.resumeAt, w.drainCheckAt()} {
		if wait := time.Duration(max(at-w.now, 1)); at != 0 && (idle < 0 || wait < idle) {
			idle = wait
		}
	}
	return idle
}
