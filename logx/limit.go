package logx

import (
	"math"
	"strings"
	"sync"
	"time"

	"vitrine/logx/record"
)

const (
	defaultRepeatEvery = time.Second
	minRepeatEvery     = time.Millisecond

	// maxRepeatKeys is how many messages a limiter knows at once. Beyond it the one not seen for longest is forgotten,
	// and its count written.
	maxRepeatKeys = 1024

	// maxRepeatMessage is how much of a message the limiter keeps and compares: longer ones with the same beginning are
	// the same to it.
	maxRepeatMessage = 512
)

// Repeat limits records of the same type and message. In a window of Every, from the first of them on, Records are
// written and the others held back and counted. When the window ends, or earlier when more than 1024 messages take turns, a
// record of that type and message with the field held_back tells how many there were; it has the highest level among
// them. Records of level SYSTEM are never held back. At the end of the program EndRepeat writes what is held back then.
//
// A call that is held back takes one mutex, shared by all callers of the handler, and allocates nothing.
type Repeat struct {
	Records int           // at most so many records in a window; 0 = no limit
	Every   time.Duration // the window; default 1 s, at least 1 ms
}

// repeatKey is what records have in common that say the same.
type repeatKey struct {
	typ     record.Type
	message string // at most maxRepeatMessage bytes
}

// held counts what was held back of one key.
type held struct {
	repeatKey
	level record.Level // the highest of them
	count uint64
}

// repeated is one key that the limiter knows.
type repeated struct {
	held
	end          time.Duration // of its window, since the limiter's epoch
	written      int           // in its window
	newer, older int32         // neighbours by use; entries[0] stands between the oldest and the newest
}

// limiter counts what is said again and again.
//
//	len(keys) = len(entries) - 1 <= maxRepeatKeys; entries[0] is no key but both ends of the list by use
type limiter struct {
	records int           // fixed
	every   time.Duration // fixed
	write   func(held)    // fixed; called without the mutex
	epoch   time.Time     // fixed; windows are measured on the monotonic clock
	timer   *time.Timer   // fixed; runs sweep at due

	sweeping sync.Mutex // held while a sweep writes; taken before mu

	mu      sync.Mutex
	keys    map[repeatKey]int32 // guarded by mu
	entries []repeated          // guarded by mu
	due     time.Duration       // guarded by mu; when the timer goes off, 0 = it rests
	closed  bool                // guarded by mu
}

// newLimiter returns nil where nothing is limited. Its timer runs only while something is held back; close ends it for good.
func newLimiter(c Repeat, write func(held)) *limiter {
	if c.Records <= 0 {
		return nil
	}
	if c.Every == 0 {
		c.Every = defaultRepeatEvery
	}
	l := &limiter{
		records: c.Records, every: max(c.Every, minRepeatEvery), write: write, epoch: time.Now(),
		keys: make(map[repeatKey]int32), entries: make([]repeated, 1, 16),
	}
	l.timer = time.AfterFunc(time.Hour, l.sweep)
	l.timer.Stop()
	return l
}

// hold counts one record and tells whether it is held back. What an earlier window held back of it is written first.
func (l *limiter) hold(level record.Level, typ record.Type, message string) bool {
	if l == nil || level >= record.System {
		return false
	}
	now := time.Since(l.epoch)
	l.mu.Lock()
	e, over := l.find(repeatKey{typ, message[:min(len(message), maxRepeatMessage)]})
	if now >= e.end {
		over = e.take(over)
		e.end, e.written = now+l.every, 0
	}
	keep := e.written >= l.records && !l.closed
	if keep {
		e.count++
		e.level = max(e.level, level)
		l.arm(e.end, now)
	} else {
		e.written++
	}
	l.mu.Unlock()
	if over.count > 0 {
		l.write(over)
	}
	return keep
}

// take returns what is held back and forgets it; other when that is nothing.
func (e *repeated) take(other held) held {
	if e.count == 0 {
		return other
	}
	taken := e.held
	e.level, e.count = 0, 0
	return taken
}

// find returns the entry of a key as the newest. For a new key that takes the place of the oldest, it also returns what
// was held back of that one. mu is held.
func (l *limiter) find(key repeatKey) (*repeated, held) {
	i, known := l.keys[key]
	var over held
	switch {
	case known:
		l.unlink(i)
	case len(l.entries) <= maxRepeatKeys:
		i = int32(len(l.entries))
		l.entries = append(l.entries, repeated{})
	default:
		i = l.entries[0].newer
		over = l.entries[i].take(over)
		l.unlink(i)
		delete(l.keys, l.entries[i].repeatKey)
	}
	if !known {
		key.message = strings.Clone(key.message) // it may be a small part of something large
		l.entries[i] = repeated{held: held{repeatKey: key}}
		l.keys[key] = i
	}
	l.link(i)
	return &l.entries[i], over
}

// link makes entry i the newest. mu is held.
func (l *limiter) link(i int32) {
	newest := l.entries[0].older
	l.entries[i].older, l.entries[i].newer = newest, 0
	l.entries[newest].newer, l.entries[0].older = i, i
}

// unlink takes entry i out of the list. mu is held.
func (l *limiter) unlink(i int32) {
	e := &l.entries[i]
	l.entries[e.older].newer, l.entries[e.newer].older = e.newer, e.older
}

// arm makes the timer go off at end at the latest. mu is held.
func (l *limiter) arm(end, now time.Duration) {
	if l.due == 0 || end < l.due {
		l.due = end
		l.timer.Reset(end - now)
	}
}

// sweep writes what was held back in windows that are over. It runs on the timer's goroutine.
func (l *limiter) sweep() {
	l.sweeping.Lock()
	defer l.sweeping.Unlock()
	now := time.Since(l.epoch)
	l.mu.Lock()
	over := l.takeUntil(now)
	l.mu.Unlock()
	l.writeAll(over)
}

func (l *limiter) writeAll(over []held) {
	for _, h := range over {
		l.write(h)
	}
}

// takeUntil takes what windows that end until now held back, and sets the timer for the others. mu is held.
func (l *limiter) takeUntil(now time.Duration) []held {
	var over []held
	l.due = 0
	for i := 1; i < len(l.entries); i++ {
		e := &l.entries[i]
		switch {
		case e.count == 0:
		case e.end <= now:
			over = append(over, e.take(held{}))
		default:
			l.arm(e.end, now)
		}
	}
	return over
}

// close writes everything that is held back and lets all records pass from now on. It waits for a sweep under way; none
// begins to write after it. It may be called again.
func (l *limiter) close() {
	if l == nil {
		return
	}
	l.sweeping.Lock()
	defer l.sweeping.Unlock()
	l.mu.Lock()
	l.closed = true
	over := l.takeUntil(math.MaxInt64)
	l.timer.Stop()
	l.mu.Unlock()
	l.writeAll(over)
}
