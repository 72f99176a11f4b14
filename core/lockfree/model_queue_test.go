package lockfree

import (
	"fmt"
	"math/rand/v2"

	"github.com/anishathalye/porcupine"
)

// queueOp is an operation on a queue: values to push, or how many to pop.
type queueOp struct {
	push string // one value per byte
	pop  int
	// lenient: the answer may fall short, see forgive.
	lenient bool
}

// queueModel is a bounded queue. Its state is what waits, the oldest first.
func queueModel(capacity int) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return "" },
		Step: func(state, input, output any) (bool, any) {
			waiting, op, got := state.(string), input.(queueOp), *output.(*string)
			if op.push != "" {
				fits := min(len(op.push), capacity-len(waiting))
				legal := len(got) == fits || op.lenient && len(got) < fits
				return legal, waiting + op.push[:len(got)]
			}
			has := min(op.pop, len(waiting))
			legal := len(got) == has || op.lenient && len(got) < has
			if !legal || waiting[:len(got)] != got {
				return false, waiting
			}
			return true, waiting[len(got):]
		},
		DescribeOperation: func(input, output any) string {
			return fmt.Sprintf("%+v -> %q", input, *output.(*string))
		},
	}
}

// promise is what a queue says of "full" and "empty": whether they are true
// at some moment during the call, whatever others are doing.
type promise struct {
	exactFull  bool
	exactEmpty bool
}

// forgive marks the operations whose answer may fall short of the model's
// although the queue is correct. A push takes effect when it claims or
// publishes its cells and a pop when it gives them back, so
//
//   - a batch may be cut short by what the other side had not done when it
//     was measured, even if that happened before the batch took effect;
//   - without the promise, "empty" may come while a push runs that claimed a
//     cell and has not published it, and "full" while a pop runs.
//
// Where nothing of the kind ran at the same time the answer must be exact.
func (p promise) forgive(ops []porcupine.Operation) {
	for i := range ops {
		op := ops[i].Input.(queueOp)
		pushing := op.push != ""
		exact := pushing && p.exactFull || !pushing && p.exactEmpty
		if exact && *ops[i].Output.(*string) == "" {
			continue
		}
		for _, other := range ops {
			opposite := (other.Input.(queueOp).push != "") != pushing
			if opposite && other.Call < ops[i].Return && ops[i].Call < other.Return {
				op.lenient = true
			}
		}
		ops[i].Input = op
	}
}

// roles says how many goroutines may push, pop, or do both.
type roles struct{ producers, consumers, both int }

func (r roles) total() int { return r.producers + r.consumers + r.both }

// queueHistory lets clients work on a queue. Every value is pushed once.
func queueHistory(q queue, who roles, ops int, seed uint64, run runner) (*history, error) {
	h := new(history)
	workers := make([]client, who.total())
	for i := range workers {
		c := queueClient{h: h, q: q, next: 1 + i*256/len(workers)}
		c.pushes = i < who.producers || i >= who.producers+who.consumers
		c.pops = i >= who.producers
		workers[i] = func(r *rand.Rand) {
			for range ops {
				c.act(r)
			}
		}
	}
	err := run(seed, workers)
	return h, err
}

// queueClient pushes and pops.
type queueClient struct {
	h            *history
	q            queue
	pushes, pops bool
	next         int // the value pushed next
}

func (c *queueClient) act(r *rand.Rand) {
	n := 1 + max(0, r.IntN(5)-1) // 1 twice as often as 2, 3 or 4
	if c.pushes && (!c.pops || r.IntN(2) == 0) {
		c.push(n)
		return
	}
	c.pop(n)
}

func (c *queueClient) push(n int) {
	vs := make([]int, n)
	for i := range vs {
		vs[i] = c.next + i
	}
	text, got := bytesOf(vs), new(string)
	c.h.record(queueOp{push: text}, got, func() {
		accepted := 0
		if n > 1 {
			accepted = c.q.PushN(vs)
		} else if c.q.Push(vs[0]) {
			accepted = 1
		}
		*got = text[:accepted]
		c.next += accepted
	})
}

func (c *queueClient) pop(n int) {
	got := new(string)
	c.h.record(queueOp{pop: n}, got, func() {
		vs := make([]int, n)
		if n > 1 {
			*got = bytesOf(vs[:c.q.PopN(vs)])
		} else if v, ok := c.q.Pop(); ok {
			*got = bytesOf([]int{v})
		}
	})
}

func bytesOf(vs []int) string {
	b := make([]byte, len(vs))
	for i, v := range vs {
		b[i] = byte(v)
	}
	return string(b)
}
