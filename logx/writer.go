package logx

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"vitrine/logx/record"
)

// The writer's limits.
const (
	flushBytes = 256 << 10 // so much is gathered for one write(2)
	idleSpins  = 8         // looks at an empty ring before it naps
	nap        = time.Millisecond
	parkAfter  = 50 // naps in a row without a record before it sleeps until a caller wakes it
	// The pause after a failed write doubles from the first to the last.
	firstRetry = 10 * time.Millisecond
	lastRetry  = time.Second
)

// output is where records go: segments, or files of text.
type output interface {
	Add(h *record.Head, payload []byte) // h.Index follows the last one's; only buffers
	Skip(index uint64) error            // the next record is index: those between are lost
	Buffered() int                      // bytes that wait for Flush
	Flush() error                       // after an error the next Flush goes on where this one stopped
	Written() uint64                    // the last index whose bytes are in the file, 0 before the first
	Sync() error
	Close() error
}

// writer is the goroutine between ring and files. All fields are its own.
type writer struct {
	log                    *Log
	output                 output
	next                   uint64      // index to write next: ring.tail <= written+1 <= next <= ring.head
	head                   record.Head // of the record that is being added: output is an interface, and a local would be on the heap
	scratch                []byte      // a payload from chunks
	urgent                 bool        // a record of ERROR or above waits for the device
	unsaved                bool        // something was written since the last sync
	synced                 time.Time
	told                   uint64 // drops that records have told of
	naps                   int
	unwritable, unsyncable bool          // the last write, the last sync failed
	retry                  time.Duration // the pause after the last failure, 0 while all is well
	timer                  *time.Timer
}

func newWriter(l *Log, o output, next uint64) *writer {
	return &writer{log: l, output: o, next: next, scratch: make([]byte, 0, record.MaxBytes), synced: time.Now(), timer: time.NewTimer(nap)}
}

// run ends after Close, when the ring is empty or the files do not take what is in it.
func (w *writer) run() {
	defer close(w.log.done)
	for !w.stopping() {
		if w.turn() {
			w.naps = 0
			continue
		}
		w.idle()
	}
	w.finish()
}

func (w *writer) stopping() bool {
	select {
	case <-w.log.stop:
		return true
	default:
		return false
	}
}

// turn moves what is published into the files; it answers false when there was nothing to do.
func (w *writer) turn() bool {
	w.drain()
	if w.output.Buffered() == 0 && !w.unwritable {
		w.syncWhenDue()
		return w.tellDrops()
	}
	if !w.flush() {
		return true
	}
	w.syncWhenDue()
	w.tellDrops()
	return true
}

// drain gives the sink what is published, as much as one write should take.
func (w *writer) drain() {
	r := w.log.ring
	for most := w.next + uint64(r.Cap()/2); w.next < most && w.output.Buffered() < flushBytes; w.next++ {
		s, ok := r.Peek(w.next)
		if !ok {
			return
		}
		w.head = record.Head{Index: w.next, Time: s.Time, Session: s.Session, Level: s.Level, Flags: s.Flags, Type: s.Type}
		w.urgent = w.urgent || s.Level >= record.Error
		w.output.Add(&w.head, r.Payload(s, w.scratch))
	}
}

// flush writes what is buffered; false when the files did not take it all.
func (w *writer) flush() bool {
	err := w.output.Flush()
	w.settle()
	if err != nil {
		w.failed(&w.unwritable, fmt.Errorf("write log: %w", err))
		return false
	}
	w.mended(&w.unwritable)
	return true
}

// settle frees the slots of what the files have taken.
func (w *writer) settle() {
	written := w.output.Written()
	if written <= w.log.counters.written.Load() {
		return
	}
	w.unsaved = true
	w.log.ring.Release(written + 1)
	w.log.counters.written.Store(written)
	w.log.room.open()
	w.log.progress.open()
}

// failed frees those who wait and pauses: records go on into the ring while it has room.
func (w *writer) failed(what *bool, err error) {
	*what = true
	w.log.counters.errors.Add(1)
	w.log.failing.Store(true)
	w.log.room.open()
	w.log.progress.open()
	w.tell(err)
	w.retry = min(max(firstRetry, 2*w.retry), lastRetry)
	w.pause(w.retry)
}

// mended ends a trouble, and the trouble of the log when there is no other.
func (w *writer) mended(what *bool) {
	if !*what {
		return
	}
	*what = false
	if w.unwritable || w.unsyncable {
		return
	}
	w.retry = 0
	w.log.failing.Store(false)
	w.log.complain.must("the files can be written again")
}

// tell says what is wrong and what it has cost so far.
func (w *writer) tell(err error) {
	w.log.complain.say("%v; %d records dropped so far, %d wait in the ring", err, w.log.counters.allDropped(), w.log.ring.Len())
}

// pause waits, at most until Close.
func (w *writer) pause(d time.Duration) {
	w.timer.Reset(d)
	select {
	case <-w.timer.C:
	case <-w.log.stop:
	}
}

// syncWhenDue brings what was written to the device as the policy says.
func (w *writer) syncWhenDue() {
	if !w.unsaved || w.log.cfg.Sync == SyncNone || w.output.Buffered() > 0 {
		return
	}
	at := w.log.cfg.Sync == SyncEach || w.log.cfg.Sync == SyncOnError && w.urgent
	if at || time.Since(w.synced) >= w.log.cfg.SyncEvery {
		w.sync()
	}
}

func (w *writer) sync() {
	written := w.output.Written()
	if err := w.output.Sync(); err != nil {
		w.failed(&w.unsyncable, fmt.Errorf("sync log: %w", err))
		return
	}
	w.mended(&w.unsyncable)
	w.synced, w.unsaved, w.urgent = time.Now(), false, false
	w.log.counters.syncs.Add(1)
	w.log.counters.synced.Store(written)
	w.log.progress.open()
}

// tellDrops writes a record about what was dropped since the last one, if there is something to tell and the ring takes it.
func (w *writer) tellDrops() bool {
	now := w.log.counters.allDropped()
	if now == w.told {
		return false
	}
	s, index, err := w.log.ring.Claim()
	if err != nil {
		return false
	}
	fill(s, &Entry{Level: record.System}, record.FlagDropped)
	payload := w.drops(s.Buffer(), now)
	w.log.ring.Publish(s, index, len(payload))
	w.told = now
	return true
}

// drops appends the payload of a record about drops, of which there are now so many.
func (w *writer) drops(dst []byte, now uint64) []byte {
	fields := append(w.log.counters.droppedFields(), record.Uint("records", now-w.told))
	return record.AppendPayload(dst, nil, nil, "records dropped", fields)
}

// idle yields, then naps, then sleeps until a caller wakes it or something is due.
func (w *writer) idle() {
	w.naps++
	switch {
	case w.naps <= idleSpins:
		runtime.Gosched()
	case w.naps <= idleSpins+parkAfter:
		w.sleep(nap)
	default:
		w.park()
	}
}

// park sets the flag that callers look at before it looks at the ring again, as they publish before they look at the flag.
func (w *writer) park() {
	l := w.log
	l.parked.Store(true)
	if _, published := l.ring.Peek(w.next); !published {
		limit := lastRetry
		if w.unsaved && l.cfg.Sync != SyncNone {
			limit = l.cfg.SyncEvery
		}
		w.sleep(limit)
	}
	l.parked.Store(false)
}

// sleep waits until a caller wakes the writer, or for d.
func (w *writer) sleep(d time.Duration) {
	w.timer.Reset(d)
	select {
	case <-w.timer.C:
	case <-w.log.wake:
	case <-w.log.stop:
	}
}

// finish writes what was accepted before Close. Once the ring is closed its head stands still.
func (w *writer) finish() {
	l := w.log
	w.tellDrops()
	l.ring.Close()
	for deadline := time.Now().Add(l.cfg.closeLimit); w.left() > 0 && time.Now().Before(deadline); {
		w.drain()
		if w.output.Buffered() == 0 {
			runtime.Gosched() // a caller is between Claim and Publish
			continue
		}
		if err := w.output.Flush(); err != nil {
			w.tell(fmt.Errorf("write log: %w", err))
			time.Sleep(firstRetry)
		}
		w.settle()
	}
	left := w.left()
	if left == 0 {
		w.lastWord()
	}
	l.closeErr = w.end(left)
}

// lastWord tells of drops that the ring had no room to tell of. It goes past the ring, which is closed and empty.
func (w *writer) lastWord() {
	now := w.log.counters.allDropped()
	if now == w.told {
		return
	}
	w.head = record.Head{Index: w.next, Time: time.Now().UnixNano(), Level: record.System, Flags: record.FlagDropped}
	w.output.Add(&w.head, w.drops(w.scratch[:0], now))
	if err := w.output.Flush(); err != nil {
		w.tell(fmt.Errorf("write log: %w", err))
		return
	}
	w.told, w.unsaved = now, true
	w.log.counters.written.Store(w.next)
}

// left returns how many records were accepted and are not in a file.
func (w *writer) left() uint64 { return w.log.ring.Head() - 1 - w.log.counters.written.Load() }

// end lets files and ring go. A ring that still holds records stays where the next Open finds it.
func (w *writer) end(left uint64) error {
	var errs []error
	if w.unsaved && w.log.cfg.Sync != SyncNone {
		errs = append(errs, w.output.Sync())
	}
	errs = append(errs, w.output.Close())
	if left > 0 {
		errs = append(errs, fmt.Errorf("%d records could not be written and wait in %q", left, w.log.ring.Path()))
	} else {
		errs = append(errs, w.log.ring.Remove())
	}
	return errors.Join(append(errs, w.log.lock.Close())...)
}
