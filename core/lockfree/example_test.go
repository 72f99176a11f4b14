package lockfree_test

import (
	"fmt"

	"vitrine/core/lockfree"
)

// A free list for an array of slots, and a queue that carries slot numbers
// from those who fill them to the one who empties them.
func Example() {
	var slots [4]string
	free := lockfree.NewStack(len(slots))
	free.PushN([]uint32{0, 1, 2, 3})
	filled := lockfree.NewMPSC[uint32](4)

	for _, text := range []string{"one", "two", "three"} {
		if i, ok := free.Pop(); ok {
			slots[i] = text
			filled.Push(i)
		}
	}

	batch := make([]uint32, 4)
	n := filled.PopN(batch)
	for _, i := range batch[:n] {
		fmt.Println(slots[i])
	}
	free.PushN(batch[:n])
	// Output:
	// one
	// two
	// three
}
