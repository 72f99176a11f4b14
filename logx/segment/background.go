package segment

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"sync/atomic"
	"time"
)

// How often the age of segments is looked at, when nothing else wakes the background.
const (
	minAgeLook = time.Second
	maxAgeLook = 10 * time.Minute
	ageLooks   = 20 // per Config.KeepAge
)

// background compresses sealed segments, makes index files again that are missing or have an older form, and removes old
// segments, in one goroutine that stop ends. It reads the directory each time and keeps nothing but what it could not do, so whatever an earlier process left undone is done too.
type background struct {
	config   *Config         // fixed
	counters *counters       // atomic
	live     atomic.Uint64   // base of the segment being written: nothing from here on is touched
	filled   atomic.Uint64   // base of the last segment that has a record in its file; before live = that one has none
	held     atomic.Bool     // retention waits until that reaches live
	wake     chan struct{}   // one token: look again
	quit     chan struct{}   // closed by stop
	done     chan struct{}   // closed when the goroutine has ended
	broken   map[uint64]bool // its own: segments that are damaged, told of once
	packed   map[uint64]bool // its own: compressed segments whose index has been seen to have the packed form
}

func startBackground(c *Config, n *counters, live uint64) *background {
	b := &background{
		config: c, counters: n, broken: map[uint64]bool{},
		wake: make(chan struct{}, 1), quit: make(chan struct{}), done: make(chan struct{}),
	}
	b.live.Store(live)
	go b.run() // Ends with stop, which Writer.Close calls.
	return b
}

// sealed tells that everything before live is complete. It does not wait.
func (b *background) sealed(live uint64) {
	b.live.Store(live)
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// began tells that the segment being written has a record in its file. It does not wait.
func (b *background) began(base uint64) {
	if b.filled.Swap(base) != base && b.held.CompareAndSwap(true, false) {
		b.sealed(b.live.Load())
	}
}

// stop returns when the goroutine has ended. A compression that is under way is given up.
func (b *background) stop() {
	close(b.quit)
	<-b.done
}

func (b *background) stopping() bool {
	select {
	case <-b.quit:
		return true
	default:
		return false
	}
}

func (b *background) run() {
	defer close(b.done)
	var look <-chan time.Time
	if age := b.config.KeepAge; age > 0 {
		ticker := time.NewTicker(min(max(age/ageLooks, minAgeLook), maxAgeLook))
		defer ticker.Stop()
		look = ticker.C
	}
	for {
		b.pass()
		select {
		case <-b.quit:
			return
		case <-b.wake:
		case <-look:
		}
	}
}

// pass removes what is too much, brings in order what is left, and counts.
func (b *background) pass() {
	live := b.live.Load()
	if err := b.retain(live); err != nil {
		b.trouble(fmt.Errorf("remove old log segments: %w", err))
	}
	segments, err := b.sealedSegments(live)
	if err != nil {
		b.trouble(fmt.Errorf("list log segments: %w", err))
	}
	maps.DeleteFunc(b.packed, func(base uint64, _ bool) bool { return len(segments) == 0 || base < segments[0].base })
	for i := 0; i < len(segments) && !b.stopping() && b.tend(&segments[i]); i++ {
	}
	b.count(live)
}

// tend makes index and postings of a sealed segment if they are missing, and compresses it. It is false when the others
// have to wait for the next time: the disk is full, as a rule.
func (b *background) tend(s *stored) bool {
	if b.broken[s.base] || !s.data() {
		return true
	}
	var err error
	if !s.index || !s.warn || s.zipped && !b.isPacked(s) {
		err = b.remake(s)
	}
	if err == nil && b.config.Compress && !s.zipped {
		err = b.compress(s.base)
	}
	if err == nil || errors.Is(err, errStopped) {
		return true
	}
	b.broken[s.base] = errors.Is(err, ErrCorrupt)
	b.trouble(fmt.Errorf("tend log segment %d: %w", s.base, err))
	return b.broken[s.base]
}

// isPacked tells whether the index of a compressed segment has the packed form. It has not where a crash came between, or an
// earlier version compressed it: readers take it as it is. One that cannot be read is left alone.
func (b *background) isPacked(s *stored) bool {
	if b.packed[s.base] {
		return true
	}
	file, err := b.config.FS.OpenFile(b.config.path(s.base, suffixIndex), os.O_RDONLY, 0)
	if err != nil {
		return true
	}
	defer file.Close()
	packed, err := isPacked(file)
	if err != nil && !errors.Is(err, ErrCorrupt) {
		return true
	}
	if packed {
		if b.packed == nil {
			b.packed = make(map[uint64]bool)
		}
		b.packed[s.base] = true
	}
	return packed
}

func (b *background) remake(s *stored) error {
	suffix := suffixLog
	if s.zipped {
		suffix = suffixZstd
	}
	return Rebuild(b.config.FS, b.config.path(s.base, suffix))
}

func (b *background) trouble(err error) {
	b.config.Notify(err)
	b.counters.errors.Add(1)
}

// sealedSegments lists what is before the live segment.
func (b *background) sealedSegments(live uint64) ([]stored, error) {
	all, _, err := list(b.config)
	for i := range all {
		if all[i].base >= live {
			return all[:i], err
		}
	}
	return all, err
}

func (b *background) count(live uint64) {
	segments, err := b.sealedSegments(live)
	if err != nil {
		return // retain has told of it
	}
	bytes := int64(0)
	for _, s := range segments {
		bytes += s.bytes
	}
	b.counters.segments.Store(int64(len(segments)))
	b.counters.bytes.Store(bytes)
}
