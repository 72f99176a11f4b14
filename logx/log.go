package logx

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"vitrine/logx/record"
	"vitrine/logx/ring"
	"vitrine/logx/segment"
)

// ErrClosed says that the log is closed.
var ErrClosed = errors.New("log is closed")

// Entry is what a record says beside its fields. Trace and Span are written when Trace is not zero, Session when it is not.
type Entry struct {
	Level   record.Level // 0 is Info
	Type    record.Type
	Session uint64
	Trace   [16]byte
	Span    [8]byte
	Message string
}

// Log is a system log that loses nothing it has accepted: see the package comment. Every method is for any goroutine.
type Log struct {
	cfg   Config        // fixed after Open
	types *record.Types // fixed
	ring  *ring.Ring    // fixed
	lock  *segment.DirLock
	found segment.Recovery // fixed: what Open found

	refilled bool      // fixed after Open: the last owner's ring had the record that is due in the files, and so all behind it
	gap      [2]uint64 // fixed after Open: the first and the last index that Open found to be lost; 0, 0 = none

	complain complainer

	levelsMu  sync.Mutex
	general   record.Level                   // guarded by levelsMu
	own       [record.MaxTypes]record.Level  // guarded by levelsMu; 0 = general
	threshold [record.MaxTypes]atomic.Uint32 // the least level of each type
	least     atomic.Uint32                  // the least of them

	room     gate // opened when slots are free
	progress gate // opened when records are in the file, or on the device
	counters counters
	failing  atomic.Bool // the files cannot be written: nobody waits
	parked   atomic.Bool // the writer sleeps until it is woken
	wake     chan struct{}
	writer   *writer
	closed   atomic.Bool
	stop     chan struct{} // closed by Close
	done     chan struct{} // closed when the writer has ended
	closing  sync.Once
	closeErr error // fixed once done is closed
}

// Write appends one record and returns its index, from 1 without gaps. It answers false for a record that is dropped, and
// counts it: at a full ring for levels that do not wait, after Config.WaitLimit or while the files cannot be written for
// those that do, and after Close. It does not ask Enabled. Neither it nor its fields are kept: no allocation for records of
// up to ring.InlineBytes of payload.
//
// Once it has returned true, the record survives the process.
func (l *Log) Write(e *Entry, fields ...record.Field) (uint64, bool) {
	var trace *[16]byte
	var span *[8]byte
	if e.Trace != ([16]byte{}) {
		trace, span = &e.Trace, &e.Span
	}
	if record.PayloadBound(trace != nil, e.Message, fields) > ring.InlineBytes &&
		record.PayloadSize(trace != nil, e.Message, fields) > ring.InlineBytes {
		return l.writeLong(e, trace, span, fields)
	}
	s, index, ok := l.claim(e.level())
	if !ok {
		return 0, false
	}
	fill(s, e, 0)
	payload := record.AppendPayload(s.Buffer(), trace, span, e.Message, fields)
	l.ring.Publish(s, index, len(payload))
	return l.accepted(index)
}

// level is the entry's, never 0 and never beyond the last.
func (e *Entry) level() record.Level {
	if e.Level == 0 {
		return record.Info
	}
	return min(e.Level, record.System)
}

// fill sets all of a slot but its payload.
func fill(s *ring.Slot, e *Entry, flags record.Flags) {
	s.Time, s.Session, s.Level, s.Type, s.Flags = time.Now().UnixNano(), e.Session, e.level(), e.Type, flags
	if e.Trace != ([16]byte{}) {
		s.Flags |= record.FlagTrace
	}
}

// accepted follows Publish: it wakes the writer when that sleeps, and waits for the device where the policy says so.
func (l *Log) accepted(index uint64) (uint64, bool) {
	if l.parked.Load() && l.parked.CompareAndSwap(true, false) {
		l.kick()
	}
	if l.cfg.Sync == SyncEach {
		l.awaitSynced(index)
	}
	runtime.KeepAlive(l) // the slot is memory that goes with the ring
	return index, true
}

// writeLong is Write for a payload that may fit no slot. What no record can hold is cut, and the record says so.
func (l *Log) writeLong(e *Entry, trace *[16]byte, span *[8]byte, fields []record.Field) (uint64, bool) {
	message, fields, cut := record.Fit(maxPayload, trace != nil, e.Message, fields)
	payload := record.AppendPayload(make([]byte, 0, record.PayloadSize(trace != nil, message, fields)), trace, span, message, fields)
	flags := record.Flags(0)
	if cut {
		flags = record.FlagCut
		l.counters.cut.Add(1)
	}
	if len(payload) > ring.InlineBytes {
		return l.writeSpilled(e, flags, payload)
	}
	s, index, ok := l.claim(e.level())
	if !ok {
		return 0, false
	}
	fill(s, e, flags)
	l.ring.Publish(s, index, len(append(s.Buffer(), payload...)))
	return l.accepted(index)
}

// writeSpilled puts the payload into chunks.
func (l *Log) writeSpilled(e *Entry, flags record.Flags, payload []byte) (uint64, bool) {
	spilled, err := l.spill(e.level(), payload)
	if err != nil {
		return 0, l.drop(e.level())
	}
	s, index, ok := l.claim(e.level())
	if !ok {
		l.ring.Unspill(spilled)
		return 0, false
	}
	fill(s, e, flags)
	l.ring.PublishSpilled(s, index, spilled)
	return l.accepted(index)
}

// maxPayload is the longest payload of a record.
const maxPayload = record.MaxBytes - record.HeadBytes

// claim returns a slot, waiting for one if the level may.
func (l *Log) claim(level record.Level) (*ring.Slot, uint64, bool) {
	s, index, err := l.ring.Claim()
	if err == nil {
		return s, index, true
	}
	err = l.await(level, func() (err error) {
		s, index, err = l.ring.Claim()
		return err
	})
	if err != nil {
		return nil, 0, l.drop(level)
	}
	return s, index, true
}

func (l *Log) spill(level record.Level, payload []byte) (ring.Spilled, error) {
	spilled, err := l.ring.Spill(payload)
	if err != nil {
		err = l.await(level, func() (err error) {
			spilled, err = l.ring.Spill(payload)
			return err
		})
	}
	return spilled, err
}

// spins is how often a caller yields before it sleeps at a full ring.
const spins = 16

// await tries until the ring has room, the wait limit is over, or nobody may wait. The caller has tried once.
func (l *Log) await(level record.Level, try func() error) error {
	if !l.mayWait(level) {
		return ring.ErrFull
	}
	l.counters.waits.Add(1)
	for range spins {
		l.kick()
		runtime.Gosched()
		if err := try(); err != ring.ErrFull {
			return err
		}
	}
	limit := time.NewTimer(l.cfg.WaitLimit)
	defer limit.Stop()
	for l.mayWait(level) {
		room := l.room.enter()
		err := try()
		if err == ring.ErrFull {
			select {
			case <-room:
			case <-limit.C:
				l.room.leave()
				return ring.ErrFull
			}
		}
		l.room.leave()
		if err != ring.ErrFull {
			return err
		}
	}
	return ring.ErrFull
}

// mayWait tells whether calls of a level wait now.
func (l *Log) mayWait(level record.Level) bool {
	return l.cfg.Block&(1<<level) != 0 && !l.failing.Load() && !l.closed.Load()
}

// drop counts a record that is not taken; it answers false.
func (l *Log) drop(level record.Level) bool {
	l.counters.dropped[level].Add(1)
	return false
}

// kick wakes the writer if it sleeps.
func (l *Log) kick() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// awaitSynced returns when the record is on the device, or cannot be brought there.
func (l *Log) awaitSynced(index uint64) {
	for l.counters.synced.Load() < index && !l.failing.Load() {
		passage := l.progress.enter()
		if l.counters.synced.Load() < index && !l.failing.Load() {
			select {
			case <-passage:
			case <-l.done:
				l.progress.leave()
				return
			}
		}
		l.progress.leave()
	}
}

// Flush returns when everything that Write accepted before is in the file, or with the error of ctx or ErrClosed.
func (l *Log) Flush(ctx context.Context) error {
	last := l.ring.Head() - 1
	for l.counters.written.Load() < last {
		passage := l.progress.enter()
		l.kick()
		if l.counters.written.Load() >= last {
			l.progress.leave()
			return nil
		}
		select {
		case <-passage:
		case <-l.done:
			l.progress.leave()
			return l.afterEnd(last)
		case <-ctx.Done():
			l.progress.leave()
			return fmt.Errorf("flush log: %w", ctx.Err())
		}
		l.progress.leave()
	}
	return nil
}

func (l *Log) afterEnd(last uint64) error {
	if l.counters.written.Load() >= last {
		return nil
	}
	return fmt.Errorf("flush log: %w", ErrClosed)
}

// Types returns the names of the log's types.
func (l *Log) Types() *record.Types { return l.types }
