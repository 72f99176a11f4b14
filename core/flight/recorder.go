package flight

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"

	"vitrine/core/stats"
)

// Recorder writes one worker's records.
//
// The worker's goroutine owns it and alone calls Turn, Begin, End, Break,
// Mark, Panic, Event, Flush, Ref and Close; none of them allocates, locks or,
// Close aside, calls the system. Snapshot, Since, Session, Lifecycle, Published
// and Lost are for any goroutine, at any time, also after Close.
//
// What is stored when, and why a reader may trust it: see ring. Invariants:
//
//	group <= head <= group+Config.Group     packets of the open group
//	start <= every Begin of the group       its stamp was read before
//	end of the group >= every End in it     its stamp was read after
//
// hence a packet's own duration <= its group's Handle, always.
type Recorder struct {
	packets ring
	start   int64  // owned by the owner: stamp that started the open group
	group   uint64 // owned by the owner: first record of the open group
	full    uint64 // owned by the owner: head at which the group closes
	size    uint64 // fixed: Config.Group
	slow    uint32 // fixed: ns; MaxUint32 = no group is slow
	worker  uint64 // fixed: the worker in its place in wInput
	clock   func() int64
	hist    *stats.Histogram // owned by the owner, snapshots by anyone
	life    ring

	_     [64]byte      // keeps what readers touch off the owner's cache lines
	lost  atomic.Uint64 // records readers missed
	mu    sync.RWMutex  // guards the image against Close; no writer takes it
	image *image        // guarded by mu: the rings' memory; nil after Close
}

// NewRecorder returns a recorder for one worker. It reports every bad field of
// c at once, and what stood in the way of creating the file: ErrInUse when a
// living recorder has it. When Dir is set on a system other than Linux it
// returns ErrUnsupported TOGETHER with a recorder that works on the heap, for a
// caller who would rather go on.
func NewRecorder(c Config) (*Recorder, error) {
	c.setDefaults()
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("flight recorder: %w", err)
	}
	img, err := newImage(&c)
	if err != nil {
		err = fmt.Errorf("flight recorder: %w", err)
	}
	if img == nil {
		return nil, err
	}
	return newRecorder(&c, img), err
}

func newRecorder(c *Config, img *image) *Recorder {
	r := &Recorder{
		image:  img,
		size:   uint64(c.Group),
		slow:   math.MaxUint32,
		worker: uint64(c.Worker) << 48,
		clock:  c.Clock,
		hist:   stats.NewHistogram(),
	}
	if c.Slow > 0 {
		r.slow = uint32(c.Slow)
	}
	r.packets.init(img.packets, img.packetCursors, 1)
	r.life.init(img.life, img.lifeCursors, lifeBit|1)
	r.openGroup(r.clock())
	return r
}

// Close lets the file go, which stays where it is, marked as closed. The owner
// calls it after its last write; readers find nothing from then on. A second
// Close does nothing.
func (r *Recorder) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	img := r.image
	if img == nil {
		return nil
	}
	r.image = nil
	if img.release == nil {
		return nil
	}
	// A late write goes to memory that is nobody's instead of an unmapped page.
	away := heapImage(minRecords, minRecords)
	r.packets.init(away.packets, away.packetCursors, 1)
	r.life.init(away.life, away.lifeCursors, lifeBit|1)
	r.openGroup(r.start)
	if err := img.release(); err != nil {
		return fmt.Errorf("close flight recorder: %w", err)
	}
	return nil
}

// Turn starts the chain of stamps after the poller's wait; now is a stamp of
// the recorder's clock read after it. A group left open is closed first.
func (r *Recorder) Turn(now int64) {
	if !Enabled {
		return
	}
	if r.group != r.packets.head {
		r.settle(now)
	}
	r.start = now
}

// Begin records that the handler of a packet is about to run: after it, a
// reader, or whoever opens the file of a killed process, finds the packet with
// FlagOpen. Each Begin is followed by one End; a packet whose End is left out
// becomes FlagDropped with its group.
func (r *Recorder) Begin(session uint64, typ uint16, size uint32) {
	if Enabled {
		r.begin(session, typ, size, r.start, 0)
	}
}

// BeginFrom is Begin for a packet that waited: another worker received it at
// stamp recv, as its record cause. Wait becomes the time from recv to the start
// of the group.
func (r *Recorder) BeginFrom(cause Ref, recv int64, session uint64, typ uint16, size uint32) {
	if Enabled {
		r.begin(session, typ, size, recv, cause)
	}
}

// begin fills the next slot: the number first, the mark last, see ring. What
// wTimes holds of an older record counts for nothing while Group is 0.
func (r *Recorder) begin(session uint64, typ uint16, size uint32, recv int64, cause Ref) {
	if invariants {
		r.check(!r.open(), "Begin before the End of the last packet")
	}
	seq := r.packets.head
	s := r.packets.next()
	put(&s[wSeq], seq)
	put(&s[wSession], session)
	put(&s[wRecv], uint64(recv))
	put(&s[wCause], uint64(cause))
	put(&s[wResult], openBit)
	put(&s[wInput], uint64(size)|uint64(typ)<<32|r.worker)
	putLast(&s[wMark], uint64(uint32(seq))|uint64(KindPacket)<<kindShift)
}

// End records that the handler returned: the bytes it sent and its error, 0 =
// none. Every Config.Group-th End reads the clock and closes the group.
func (r *Recorder) End(out uint32, err uint16) {
	if !Enabled {
		return
	}
	if invariants {
		r.check(r.open(), "End without Begin")
	}
	s := r.cur()
	result := s[wResult]&^openBit | uint64(out) | uint64(err)<<errShift
	if err != 0 {
		result |= errorBit
	}
	put(&s[wResult], result)
	if r.packets.head >= r.full {
		r.closeGroup(r.clock())
	}
}

// Flush ends the turn: it closes the open group with now, a stamp read after
// the last End, and makes records and durations readable as final. A record
// still open is ended with FlagDropped.
func (r *Recorder) Flush(now int64) {
	if !Enabled {
		return
	}
	r.settle(now)
	r.packets.publish()
	r.life.publish()
	r.hist.Publish()
}

// Break is called before a handler blocks (a database job, a call to another
// server), so that its wait is not laid at other packets' door: the packets
// before it are closed as a group now, and it becomes a group of its own, with
// FlagBlocked. Between packets it closes the open group.
func (r *Recorder) Break() {
	if !Enabled || r.group == r.packets.head {
		return
	}
	if !r.open() {
		r.closeGroup(r.clock())
		return
	}
	r.isolate()
}

// isolate makes the open record a group of its own. Its start stays that of
// the group it leaves: its own Begin has no stamp, and only an earlier one
// keeps Handle above its true duration.
func (r *Recorder) isolate() {
	last, start := r.packets.head-1, r.start
	if r.group != last {
		r.closeRange(r.group, last, r.clock())
	}
	r.group, r.start = last, start
	r.full = r.packets.head
	r.Mark(FlagBlocked)
}

// Ref returns the reference of the record begun last; its Seq is 0 before the
// first.
func (r *Recorder) Ref() Ref {
	if !Enabled {
		return 0
	}
	return Ref(r.worker | (r.packets.head - 1))
}

// Handling returns the reference of the packet whose handler runs now; its Seq
// is 0 when none does.
func (r *Recorder) Handling() Ref {
	if !Enabled || !r.open() {
		return 0
	}
	return r.Ref()
}

// Mark sets flags on the record begun last, whether it is still open or not. It
// shows at once.
func (r *Recorder) Mark(f Flags) {
	if !Enabled {
		return
	}
	s := r.cur()
	put(&s[wResult], s[wResult]|uint64(f)<<flagShift)
}

// Panic marks the record begun last: its handler panicked. It stays open until
// End, so a dump taken meanwhile shows it in flight.
func (r *Recorder) Panic() { r.Mark(FlagPanic) }

// Event records a life-cycle event of a session: a and b become Size and Out,
// and mean what the kind says. Its Cause is the packet whose handler runs now,
// if one does; its Recv is the last stamp taken.
func (r *Recorder) Event(kind Kind, session uint64, typ, err uint16, a, b uint32) {
	if !Enabled {
		return
	}
	result := uint64(b) | uint64(err)<<errShift
	if err != 0 {
		result |= errorBit
	}
	var cause Ref
	if r.open() {
		cause = r.Ref()
	}
	seq := r.life.head
	s := r.life.next()
	put(&s[wSeq], seq)
	put(&s[wSession], session)
	put(&s[wRecv], uint64(r.start))
	put(&s[wCause], uint64(cause))
	put(&s[wTimes], 0)
	put(&s[wResult], result)
	put(&s[wInput], uint64(a)|uint64(typ)<<32|r.worker)
	putLast(&s[wMark], uint64(uint32(seq))|uint64(kind)<<kindShift|1<<groupShift)
}

// Duration returns the histogram of packet durations in ns: of each group,
// every packet's equal share. Its snapshots are for any goroutine.
func (r *Recorder) Duration() *stats.Histogram { return r.hist }

// cur returns the slot of the record begun last. Before the first that is a
// slot nobody reads yet: its mark names no record.
func (r *Recorder) cur() *slot { return r.packets.at(r.packets.head - 1) }

// open reports whether the record begun last has not been ended.
func (r *Recorder) open() bool {
	return r.cur()[wResult]&openBit != 0
}

// settle ends what is open and closes the group.
func (r *Recorder) settle(now int64) {
	if r.group == r.packets.head {
		return
	}
	if r.open() {
		s := r.cur()
		put(&s[wResult], s[wResult]&^openBit|uint64(FlagDropped)<<flagShift)
	}
	r.closeGroup(now)
}

// closeGroup ends the open group at now, where the next one starts.
func (r *Recorder) closeGroup(now int64) {
	r.closeRange(r.group, r.packets.head, now)
	r.openGroup(now)
}

func (r *Recorder) openGroup(now int64) {
	r.group = r.packets.head
	r.full = r.group + r.size
	r.start = now
}

// check panics unless what holds and the counts agree. Builds with -tags
// invariants alone call it.
func (r *Recorder) check(what bool, broken string) {
	g := &r.packets
	ok := g.cursors.published.Load() <= r.group && r.group <= g.head &&
		g.head-r.group <= r.size && g.head <= g.limit && g.limit <= g.head+g.step
	if !what || !ok {
		panic(fmt.Sprintf("flight: %s (group %d, head %d, limit %d)", broken, r.group, g.head, g.limit))
	}
}

// closeRange makes records [from, to), at least one, a group that ended at now.
func (r *Recorder) closeRange(from, to uint64, now int64) {
	took, n := saturate(now-r.start), uint32(to-from)
	if took > r.slow {
		r.markSlow(from, to)
	}
	mark := uint64(n) << groupShift
	for seq := from; seq != to; seq++ {
		s := r.packets.at(seq)
		times := uint64(took) << handleShift
		if recv := int64(s[wRecv]); recv != r.start {
			times |= uint64(saturate(r.start - recv))
		}
		put(&s[wTimes], times)
		putLast(&s[wMark], s[wMark]|mark)
		mark += 1 << posShift
	}
	r.hist.AddN(uint64(took/n), uint64(n))
}

func (r *Recorder) markSlow(from, to uint64) {
	for seq := from; seq != to; seq++ {
		s := r.packets.at(seq)
		put(&s[wResult], s[wResult]|uint64(FlagSlow)<<flagShift)
	}
}

// saturate turns a duration into 32 bits: 0 when negative, at most 4.29 s.
func saturate(ns int64) uint32 {
	return uint32(min(max(ns, 0), math.MaxUint32))
}
