package engine

import (
	"syscall"

	"vitrine/core/pool"
)

// iovLimit is the most slots one write takes: 128 KiB.
const iovLimit = 64

// flushDirty writes every session that has output, once.
func (w *worker) flushDirty() {
	for i := 0; i < len(w.dirty); i++ { // OnSend may make more sessions dirty
		s := w.dirty[i]
		s.clear(flagDirty)
		if s.phase < phaseReleased && s.phase != phaseFree {
			w.flush(s)
		}
	}
	w.dirty = w.dirty[:0]
}

// flush writes the session's output until it is empty or the kernel takes no more; then the next Writable event goes on.
func (w *worker) flush(s *Session) {
	defer w.recovered(s)
	for s.out.head != 0 && !s.has(flagBlocked) {
		n, errno := w.write(s)
		w.stats.Local.SendCalls++
		switch {
		case errno == syscall.EINTR:
		case errno == syscall.EAGAIN:
			w.stats.Local.SendBlocked++
			s.set(flagBlocked)
		case errno != 0:
			w.unwritable(s)
			return
		default:
			w.taken(s, n)
			w.callback = callbackSend
			w.calls.send(s, n)
			w.callback = callbackNone
		}
	}
}

// write gives the kernel all that waits, or as many slots as one call takes.
func (w *worker) write(s *Session) (int, syscall.Errno) {
	if s.out.head == s.out.tail {
		return w.poll.Write(int(s.fd), w.tail(s)[s.out.off:s.out.end])
	}
	iov, begin := w.iov[:0], s.out.off
	for at := s.out.head; at != 0 && len(iov) < iovLimit; begin = outputHeader {
		slot := w.slot(s, at)
		iov = append(iov, slot.b[begin:slot.end])
		at = slot.next
	}
	return w.poll.Writev(int(s.fd), iov)
}

// taken removes n bytes from the front of the session's output and gives written slots back.
func (w *worker) taken(s *Session, n int) {
	s.out.bytes -= int32(n)
	w.stats.Local.SentBytes += uint64(n)
	for {
		head := w.slot(s, s.out.head)
		left := int(head.end) - int(s.out.off)
		if n < left {
			s.out.off += uint16(n)
			return
		}
		n -= left
		s.out.packets -= int32(head.frames)
		if w.dropSlot(s, head.next) == 0 {
			return
		}
	}
}

// dropSlot gives back the head slot and makes next the head.
func (w *worker) dropSlot(s *Session, next uint32) uint32 {
	w.output.Put(pool.Slot(s.out.head - 1))
	s.out.head, s.out.off = next, outputHeader
	if next == 0 {
		s.out.tail = 0
	}
	return next
}

// unwritable closes a session whose socket takes nothing more. What waits is counted as unsent when it is released.
func (w *worker) unwritable(s *Session) {
	s.set(flagBlocked)
	w.close(s, WriteError)
}

// settle makes out.packets exact before the session's leave: frames of a head slot taken in part wait no longer when their
// last byte is among what was taken. It finds them by their lengths, which no codec hides.
func (w *worker) settle(s *Session) {
	if s.out.head == 0 {
		return
	}
	head := w.slot(s, s.out.head)
	at, off := int(head.first), int(s.out.off)
	if at > outputHeader && at <= off {
		s.out.packets--
	}
	for at < off {
		size, err := w.codec.Size(head.b[at:head.end])
		if at += size; size == 0 || err != nil || at > off {
			return
		}
		s.out.packets--
	}
}

// discard drops the session's output, counting what the kernel never took.
func (w *worker) discard(s *Session) {
	w.stats.Local.UnsentBytes += uint64(s.out.bytes)
	w.stats.Local.UnsentPackets += s.waitingPackets()
	w.giveSlots(s, s.out.head)
	s.out = output{}
}
