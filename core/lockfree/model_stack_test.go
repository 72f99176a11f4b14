package lockfree

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/anishathalye/porcupine"
)

// Indexes are written as the letters of a string, a for 0, so that states
// compare and print.
func letters(idx []uint32) string {
	var b strings.Builder
	for _, i := range idx {
		b.WriteByte(byte('a' + i))
	}
	return b.String()
}

// stackOp is an operation on a free list: n indexes are asked for, or those
// of give are put back.
type stackOp struct {
	kind string // push, pop, all, empty
	n    int
	give string
}

// stackModel is a free list that starts with all its indexes and gives the
// newest first. Its state is what is free, the newest first. That an index
// is handed out twice, the mark of ABA, is a pop of what is not there.
//
// The clients matter as much as the model: they put indexes back in random
// order and number. Histories in which each puts back at once what it took
// restore the order they found and miss an ABA nearly always.
func stackModel(capacity int) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return letters(indexes(capacity)) },
		Step: func(state, input, output any) (bool, any) {
			free, op, got := state.(string), input.(stackOp), *output.(*string)
			switch op.kind {
			case "push":
				return !strings.ContainsAny(free, op.give), op.give + free
			case "pop":
				n := min(op.n, len(free))
				return got == free[:n], free[n:]
			case "all":
				return got == free, ""
			default:
				return got == fmt.Sprint(free == ""), free
			}
		},
		DescribeOperation: func(input, output any) string {
			return fmt.Sprintf("%+v -> %q", input, *output.(*string))
		},
	}
}

func indexes(n int) []uint32 {
	idx := make([]uint32, n)
	for i := range idx {
		idx[i] = uint32(i)
	}
	return idx
}

// stackHistory lets clients work on a free list.
func stackHistory(s freeList, capacity, clients, ops int, seed uint64, run runner) (*history, error) {
	s.PushN(indexes(capacity))
	h := new(history)
	workers := make([]client, clients)
	for i := range workers {
		workers[i] = func(r *rand.Rand) {
			c := stackClient{h: h, s: s, r: r}
			for range ops {
				c.act()
			}
		}
	}
	err := run(seed, workers)
	return h, err
}

// stackClient takes indexes and puts them back.
type stackClient struct {
	h    *history
	s    freeList
	r    *rand.Rand
	held []uint32
}

func (c *stackClient) act() {
	got := new(string)
	switch k := c.r.IntN(20); {
	case k < 9 && len(c.held) > 0:
		c.push(c.give(1 + c.r.IntN(2)))
	case k < 13:
		c.h.record(stackOp{kind: "pop", n: 1}, got, func() {
			if i, ok := c.s.Pop(); ok {
				c.take(got, i)
			}
		})
	case k < 18:
		dst := make([]uint32, 1+c.r.IntN(3))
		c.h.record(stackOp{kind: "pop", n: len(dst)}, got, func() { c.take(got, dst[:c.s.PopN(dst)]...) })
	case k == 18:
		c.h.record(stackOp{kind: "all"}, got, func() { c.take(got, c.s.PopAll(nil)...) })
	default:
		c.h.record(stackOp{kind: "empty"}, got, func() { *got = fmt.Sprint(c.s.Empty()) })
	}
}

func (c *stackClient) take(got *string, idx ...uint32) {
	*got = letters(idx)
	c.held = append(c.held, idx...)
}

// give picks up to n of the indexes held, in random order.
func (c *stackClient) give(n int) []uint32 {
	c.r.Shuffle(len(c.held), func(i, j int) { c.held[i], c.held[j] = c.held[j], c.held[i] })
	rest := max(0, len(c.held)-n)
	idx := c.held[rest:]
	c.held = c.held[:rest:rest]
	return idx
}

func (c *stackClient) push(idx []uint32) {
	c.h.record(stackOp{kind: "push", give: letters(idx)}, new(string), func() {
		if len(idx) == 1 {
			c.s.Push(idx[0])
		} else {
			c.s.PushN(idx)
		}
	})
}
