package query

import (
	"context"
	"sync"
)

// unitsPerWorker is how far planning and reading may be ahead of what is given.
const unitsPerWorker = 4

// pipe has units planned by one goroutine and searched by several while the caller consumes them in the order in which
// they were planned. It holds unitsPerWorker units per worker: a planner that is too far ahead waits.
type pipe struct {
	ctx   context.Context
	free  chan *unit // to be filled
	work  chan *unit // to be searched; has room for all
	order chan *unit // to be consumed; has room for all
}

// runPipe runs plan and workers, calls consume for each unit until it returns false, and returns when all have ended.
func runPipe(ctx context.Context, workers int, plan func(*pipe), consume func(*unit) bool) {
	ctx, cancel := context.WithCancel(ctx)
	n := workers * unitsPerWorker
	p := &pipe{ctx: ctx, free: make(chan *unit, n), work: make(chan *unit, n), order: make(chan *unit, n)}
	for range n {
		p.free <- &unit{done: make(chan struct{}, 1)}
	}
	var running sync.WaitGroup
	defer running.Wait()
	defer cancel()
	running.Go(func() { // ends with plan, which ends with ctx
		plan(p)
		close(p.work)
		close(p.order)
	})
	for range workers {
		running.Go(p.search) // ends when the planner has closed work
	}
	for u := range p.order {
		<-u.done
		if ctx.Err() != nil || !consume(u) {
			return
		}
		u.reset()
		p.free <- u
	}
}

// search is a worker. After the end of ctx it only passes units on.
func (p *pipe) search() {
	var g grepper
	for u := range p.work {
		if p.ctx.Err() == nil {
			u.search(&g)
		}
		u.done <- struct{}{}
	}
}

// take gives the planner an empty unit, nil when the search is over.
func (p *pipe) take() *unit {
	select {
	case u := <-p.free:
		return u
	case <-p.ctx.Done():
		return nil
	}
}

// send hands a filled unit on.
func (p *pipe) send(u *unit) {
	p.order <- u
	p.work <- u
}
