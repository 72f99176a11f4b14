package pool

import (
	"errors"
	"fmt"
)

// take fills dst, which has room for 64, with free slots and returns how
// many it found: a full batch, else what closed caches left, else a new
// chunk, else none.
func (p *Pool) take(dst []Slot) int {
	if n := p.takeBatch(dst); n > 0 {
		return n
	}
	return p.takeSlow(dst)
}

// takeBatch copies a full batch to dst, if there is one. It never blocks.
func (p *Pool) takeBatch(dst []Slot) int {
	b, ok := p.full.Pop()
	if !ok {
		return 0
	}
	p.fullCount.Add(-1)
	n := copy(dst, p.batches[b].Load()[:])
	p.empty.Push(b)
	return n
}

// takeSlow does what needs the mutex. It looks at the batches again, since
// whoever held the mutex before may have freed some.
func (p *Pool) takeSlow(dst []Slot) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := p.takeBatch(dst); n > 0 {
		return n
	}
	if n := p.takeLoose(dst); n > 0 {
		return n
	}
	return p.allocate(dst)
}

// takeLoose moves loose slots to dst. The caller holds mu.
func (p *Pool) takeLoose(dst []Slot) int {
	n := copy(dst[:batchSlots], p.loose)
	p.loose = p.loose[:copy(p.loose, p.loose[n:])]
	return n
}

// allocate makes the next chunk, and the batch that belongs to it, and gives
// the chunk's slots to dst. It returns 0 at the capacity. The caller holds mu.
func (p *Pool) allocate(dst []Slot) int {
	k := int(p.allocated.Load())
	if k == len(p.chunks) {
		return 0
	}
	memory := make([]byte, batchSlots*p.stride)
	p.chunks[k].Store(&memory[0])
	p.batches[k].Store(new(batch))
	p.allocated.Add(1)
	p.empty.Push(uint32(k))
	for i := range batchSlots {
		// The lowest slot lies on top, so that a chunk fills from its front.
		dst[i] = Slot(k*batchSlots + batchMask - i)
	}
	return batchSlots
}

// give takes back 64 free slots. It never blocks.
func (p *Pool) give(src []Slot) {
	b, ok := p.empty.Pop()
	if !ok {
		panic("pool: " + p.name + ": more free slots than were allocated: a slot was put back twice")
	}
	copy(p.batches[b].Load()[:], src[:batchSlots])
	p.fullCount.Add(1)
	p.full.Push(b)
}

// giveLoose takes back fewer than 64 slots. The caller holds mu.
func (p *Pool) giveLoose(src []Slot) {
	p.loose = append(p.loose, src...)
	if n := len(p.loose); n >= batchSlots {
		p.give(p.loose[n-batchSlots:])
		p.loose = p.loose[:n-batchSlots]
	}
}

// joinFields makes one error of those found in a Config.
func joinFields(name string, errs ...error) error {
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("new pool %q: %w", name, err)
	}
	return nil
}
