package lockfree

import (
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/anishathalye/porcupine"
)

// A history is what clients did to one structure: each operation with the
// two moments between which it took effect, on a clock that counts events.
type history struct {
	clock atomic.Int64
	mu    sync.Mutex
	ops   []porcupine.Operation // guarded by mu
}

// record performs an operation and notes when, and what it gave. It yields
// before the operation, so that one follows another in every order.
func (h *history) record(input, output any, do func()) {
	onYield(beforeRetry)
	call := h.clock.Add(1)
	do()
	end := h.clock.Add(1)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops = append(h.ops, porcupine.Operation{Input: input, Call: call, Output: output, Return: end})
}

// A client is one goroutine's operations, one after the other. What it does
// depends on r alone, and on what its operations give.
type client func(r *rand.Rand)

// A runner lets clients work on one structure at the same time. It returns
// an error if one of them panics or never ends.
type runner func(seed uint64, clients []client) error

// patience is how many windows a history may pass through before an
// operation is taken to go round in circles. The largest pass through a few
// hundred.
const patience = 10_000

var (
	errStopped = errors.New("stopped")
	errEndless = errors.New("an operation never ends")
)

// interleave runs the clients as coroutines of the calling goroutine. They
// change places only in windows, as the seed says: the same seed gives the
// same history, under the race detector too.
func interleave(seed uint64, clients []client) error {
	s := &scheduler{r: random(seed, 0)}
	defer hook(s.pause)()
	defer s.stop()
	for i, c := range clients {
		s.start(c, random(seed, uint64(i)+1))
	}
	for len(s.waiting) > 0 {
		if err := s.step(); err != nil {
			return err
		}
	}
	return nil
}

// scheduler owns the coroutines of one history.
type scheduler struct {
	r       *rand.Rand
	waiting []*coroutine // those that have not ended
	running *coroutine
	windows int
}

type coroutine struct {
	next  func() (struct{}, bool)
	stop  func()
	yield func(struct{}) bool
	err   error // why it ended
}

func (s *scheduler) start(c client, r *rand.Rand) {
	co := new(coroutine)
	co.next, co.stop = iter.Pull(func(yield func(struct{}) bool) {
		co.yield = yield
		defer func() {
			if p := recover(); p != nil && p != any(errStopped) {
				co.err = fmt.Errorf("panic: %v", p)
			}
		}()
		c(r)
	})
	s.waiting = append(s.waiting, co)
}

// step lets one coroutine run to its next window.
func (s *scheduler) step() error {
	i := s.r.IntN(len(s.waiting))
	s.running = s.waiting[i]
	if _, more := s.running.next(); !more {
		s.waiting = append(s.waiting[:i], s.waiting[i+1:]...)
		return s.running.err
	}
	if s.windows++; s.windows > patience {
		return errEndless
	}
	return nil
}

// pause is the hook: the running coroutine waits for its next turn.
func (s *scheduler) pause(window) {
	if !s.running.yield(struct{}{}) {
		panic(errStopped)
	}
}

// stop ends the coroutines that are still waiting, after an error.
func (s *scheduler) stop() {
	for _, co := range s.waiting {
		s.running = co
		co.stop()
	}
}

// parallel runs the clients as goroutines, which often give up the processor
// in windows: here the memory model and the race detector have their say,
// but no history comes twice.
func parallel(seed uint64, clients []client) error {
	defer hook(func(window) {
		if rand.IntN(3) == 0 {
			runtime.Gosched()
		}
	})()
	var wg sync.WaitGroup
	for i, c := range clients {
		wg.Go(func() { c(random(seed, uint64(i)+1)) })
	}
	wg.Wait()
	return nil
}

func random(seed, stream uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed, stream))
}
