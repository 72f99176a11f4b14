package logx

import (
	"sync"
	"sync/atomic"
)

// gate lets goroutines wait for the writer's progress. Opening one that nobody waits at costs a load.
//
// Who waits takes the channel first and looks at what it waits for afterwards: what happens in between has closed it.
type gate struct {
	waiting atomic.Int32
	mu      sync.Mutex
	passage chan struct{} // guarded by mu; closed by the next open
}

// enter returns the channel that the next open closes; leave is to follow.
func (g *gate) enter() <-chan struct{} {
	g.waiting.Add(1)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.passage == nil {
		g.passage = make(chan struct{})
	}
	return g.passage
}

func (g *gate) leave() { g.waiting.Add(-1) }

// open wakes all who wait.
func (g *gate) open() {
	if g.waiting.Load() == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.passage != nil {
		close(g.passage)
		g.passage = nil
	}
}
