package engine

import (
	"vitrine/core/packet"
	"vitrine/core/pool"
)

// Output waits in a chain of slots of outputSlotBytes. A slot begins with its own header, so the chain holds no pointer:
//
//	0        4       6          8         10                     outputSlotBytes
//	+--------+-------+----------+---------+---------------------+
//	| next 4 | end 2 | frames 2 | first 2 | sealed frames ...   |
//	+--------+-------+----------+---------+---------------------+
//
// next is the slot that follows plus one, end the offset after the last byte, frames the number of frames that end in the
// slot, first where the first frame begins that is not the rest of one from the slot before; all little-endian. A frame may
// run on into the next slot. The header is written when the next slot is added: of the last slot the session knows all that
// itself, so that a packet touches nothing but the bytes of its frame.
const (
	outputSlotBytes = 2048
	outputHeader    = 10
	packetSlack     = 64 // room for a close message beside the largest frame
)

// output is what one session has to write: off <= end of the head slot; bytes and packets are bounded by the send limits.
type output struct {
	head, tail uint32 // slot plus one, 0: none
	off        uint16 // where the unwritten part of the head begins
	end        uint16 // of the tail, like frames and first: what its header will say
	frames     uint16
	first      uint16
	bytes      int32 // not yet taken by the kernel
	packets    int32 // frames whose last byte is not yet taken; those of a head slot taken in part all count, see settle
}

// Send seals the packet into the session's output, which is written once at the end of the turn. It consumes one reference
// of the packet, even on error, and never blocks. Errors: the packet's own sticky error, ErrNoSession when the session is
// not open, ErrQueueFull (the session closes with send_queue_full), ErrDropped for a droppable packet at the limit.
func (s *Session) Send(p *packet.Packet) error {
	err := s.worker.send(s, p)
	s.worker.packets.Release(p)
	return err
}

func (w *worker) send(s *Session, p *packet.Packet) error {
	if err := p.Err(); err != nil {
		return err
	}
	if s.phase != phaseOpen {
		w.stats.Local.UnsentPackets++
		return ErrNoSession
	}
	payload := p.Payload()
	need := len(payload) + w.codec.Overhead()
	if int(s.out.bytes)+need > w.limits.SendLimitBytes || int(s.out.packets) >= w.limits.SendLimitPackets {
		return w.sendLimit(s, p.Droppable())
	}
	var ext *packet.Ext
	if p.HasExt() {
		w.sendExt = p.Ext()
		ext = &w.sendExt
	}
	// A frame that is sure to fit what is left of the last slot, as nearly all do, is sealed in place.
	if tail := w.tail(s); tail != nil && need <= outputSlotBytes-int(s.out.end) {
		end := int(s.out.end)
		sealed, err := w.codec.Seal(s.state, tail[end:end:outputSlotBytes], payload, ext)
		if err != nil {
			return w.unsealed(s, err)
		}
		s.out.end += uint16(len(sealed))
		w.appended(s, len(sealed))
	} else if err := w.appendFrame(s, payload, ext, need); err != nil {
		return err
	}
	s.sent++
	w.stats.Local.SentPackets++
	return nil
}

// sendLimit applies the policy to a packet that does not fit. It acts before sealing: a sealed frame has used its nonce.
func (w *worker) sendLimit(s *Session, droppable bool) error {
	if droppable && w.limits.SendPolicy == DropDroppable {
		w.stats.Local.DroppedPackets++
		w.queueFull(s, true)
		return ErrDropped
	}
	w.stats.Local.UnsentPackets++
	w.queueFull(s, false)
	w.close(s, SendQueueFull)
	return ErrQueueFull
}

// queueFull tells the observer. It runs within callbacks and outside them, and a panic in it goes no further.
func (w *worker) queueFull(s *Session, dropped bool) {
	defer func(caller callback) { w.callback = caller }(w.callback)
	defer w.recovered(s)
	w.callback = callbackQueueFull
	w.server.cfg.Observer.QueueFull(s, dropped)
}

// appendFrame seals payload into a new slot or, where a slot may be too small for the frame, by way of scratch and across
// slots.
func (w *worker) appendFrame(s *Session, payload []byte, ext *packet.Ext, need int) error {
	if need > outputSlotBytes-outputHeader {
		return w.appendLarge(s, payload, ext)
	}
	tail := w.extend(s)
	if tail == nil {
		return w.outputLimit(s)
	}
	sealed, err := w.codec.Seal(s.state, tail[outputHeader:outputHeader:outputSlotBytes], payload, ext)
	if err != nil {
		return w.unsealed(s, err)
	}
	s.out.end += uint16(len(sealed))
	w.appended(s, len(sealed))
	return nil
}

func (w *worker) appendLarge(s *Session, payload []byte, ext *packet.Ext) error {
	sealed, err := w.codec.Seal(s.state, w.scratch[:0], payload, ext)
	if err != nil {
		return w.unsealed(s, err)
	}
	return w.appendBytes(s, sealed)
}

// appendBytes copies one whole frame into the output, across slots.
func (w *worker) appendBytes(s *Session, whole []byte) error {
	tail := w.tail(s)
	continued := false // the slot begins within this frame
	for rest := whole; len(rest) > 0; {
		if tail == nil || s.out.end == outputSlotBytes {
			if tail = w.extend(s); tail == nil {
				w.tear(s, len(whole)-len(rest))
				return w.outputLimit(s)
			}
			continued = len(rest) < len(whole)
		}
		n := copy(tail[s.out.end:outputSlotBytes], rest)
		s.out.end += uint16(n)
		if continued {
			s.out.first = s.out.end
		}
		s.out.bytes += int32(n)
		rest = rest[n:]
	}
	s.out.bytes -= int32(len(whole))
	w.appended(s, len(whole))
	return nil
}

func (w *worker) appended(s *Session, n int) {
	s.out.frames++
	s.out.bytes += int32(n)
	s.out.packets++
	w.queued += uint64(n)
	w.markDirty(s)
}

// unsealed counts a packet that the codec refused and takes back the slot that was added for it.
func (w *worker) unsealed(s *Session, err error) error {
	w.stats.Local.UnsentPackets++
	w.cut(s)
	return err
}

// tear takes back the first n bytes of a frame that finds no room for its rest, so that the stream stays whole for the peer
// until its end. A sealed frame has used its nonce: that stream has no close message any more.
func (w *worker) tear(s *Session, n int) {
	s.out.bytes -= int32(n)
	w.cut(s)
	w.codec.SealClose(s.state, w.scratch[:0])
}

// cut gives back the slots, or parts of them, behind the out.bytes that are accounted for.
func (w *worker) cut(s *Session) {
	if s.out.bytes == 0 {
		w.giveSlots(s, s.out.head)
		s.out = output{}
		return
	}
	at, begin, left := s.out.head, int(s.out.off), int(s.out.bytes)
	last := w.slot(s, at)
	for left > int(last.end)-begin {
		left -= int(last.end) - begin
		at, begin = last.next, outputHeader
		last = w.slot(s, at)
	}
	w.giveSlots(s, last.next)
	s.out.tail, s.out.end, s.out.frames, s.out.first = at, uint16(begin+left), last.frames, last.first
}

// giveSlots gives back the end of the session's chain, from at on.
func (w *worker) giveSlots(s *Session, at uint32) {
	for at != 0 {
		next := w.slot(s, at).next
		w.output.Put(pool.Slot(at - 1))
		at = next
	}
}

// outputLimit closes a session that finds no room although it is within its own limit: the server's is reached.
func (w *worker) outputLimit(s *Session) error {
	w.stats.Local.UnsentPackets++
	w.outputFull = true
	w.queueFull(s, false)
	w.outputFull = false
	w.close(s, SendQueueFull)
	return ErrQueueFull
}

func (w *worker) markDirty(s *Session) {
	if !s.has(flagDirty) {
		s.set(flagDirty)
		w.dirty = append(w.dirty, s)
	}
}

// tail returns the memory of the last slot of the session's output, nil when it has none. The worker remembers the slot it
// looked at last: a session's answers come one after the other, and a slot's memory never moves.
func (w *worker) tail(s *Session) []byte {
	if s.out.tail == 0 {
		return nil
	}
	if s.out.tail != w.tailSlot {
		w.tailSlot, w.tailBytes = s.out.tail, w.server.output.Bytes(pool.Slot(s.out.tail-1))
	}
	return w.tailBytes
}

// extend adds an empty slot to the session's output, or answers nil when the server has no more.
func (w *worker) extend(s *Session) []byte {
	slot, ok := w.output.Get()
	if !ok {
		return nil
	}
	if s.out.tail == 0 {
		s.out.head, s.out.off = uint32(slot)+1, outputHeader
	} else {
		writeHeader(w.tail(s), uint32(slot)+1, &s.out)
	}
	s.out.tail, s.out.end, s.out.frames, s.out.first = uint32(slot)+1, outputHeader, 0, outputHeader
	return w.tail(s)
}
