package blackbox

import "fmt"

// Beat tells of one loop when it is in a turn. It belongs to the loop's
// goroutine. A nil Beat is fine and does nothing.
type Beat struct {
	box  *Box      // fixed
	slot *loopSlot // count: written by the loop's goroutine
}

// Loop is what a box says of one loop.
type Loop struct {
	Name  string
	Count uint64 // turns begun
	Busy  bool   // in a turn; a loop whose Busy and Count stay as they are is stuck
}

// Loop enters a loop, or worker, under its name and returns its Beat. At the
// limit of MaxLoops, or with a name that is empty or longer than MaxLoopName,
// it is an error, and the Beat is nil. Names need not be unique.
func (b *Box) Loop(name string) (*Beat, error) {
	if b == nil {
		return nil, nil
	}
	if name == "" || len(name) > MaxLoopName {
		return nil, fmt.Errorf("black box loop %q: a name has 1 to %d bytes", name, MaxLoopName)
	}
	if !b.owner {
		return nil, fmt.Errorf("black box loop %q: the box is another process's", name)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.image.loops {
		if s := &b.image.loops[i]; s.used.Load() == 0 {
			s.enter(name)
			return &Beat{box: b, slot: s}, nil
		}
	}
	return nil, fmt.Errorf("black box loop %q: %d loops are there, the limit", name, MaxLoops)
}

func (s *loopSlot) enter(name string) {
	s.count.Store(0)
	clear(s.name[:])
	s.size = uint32(copy(s.name[:], name))
	s.used.Store(1)
}

// Begin tells that a turn begins: a load and an atomic store, no clock. A turn that
// begins in another, whose End a panic skipped, ends that one.
func (t *Beat) Begin() {
	if t != nil {
		t.slot.count.Store((t.slot.count.Load() + 1) | 1)
	}
}

// End tells that the turn is over.
func (t *Beat) End() {
	if t != nil {
		t.slot.count.Store((t.slot.count.Load() + 1) &^ 1)
	}
}

// Close takes the loop out of the box when its goroutine ends; the Beat must
// not be used again. A loop that is left in the box shows as idle.
func (t *Beat) Close() {
	if t == nil {
		return
	}
	t.box.mu.Lock()
	defer t.box.mu.Unlock()
	t.slot.used.Store(0)
}

// Loops appends to dst the loops of the box. It reads memory alone and holds up
// nobody but Loop and Close, so a watchdog may call it every few milliseconds.
func (b *Box) Loops(dst []Loop) []Loop {
	if b == nil {
		return dst
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for i := range b.image.loops {
		if s := &b.image.loops[i]; s.used.Load() == 1 {
			dst = append(dst, s.loop())
		}
	}
	return dst
}

// loop reads a slot and believes nothing of it.
func (s *loopSlot) loop() Loop {
	count := s.count.Load()
	name := clean(s.name[:min(int(s.size), MaxLoopName)])
	return Loop{Name: name, Count: count/2 + count%2, Busy: count%2 == 1}
}
