package ring_test

import (
	"fmt"

	"vitrine/logx/ring"
)

func Example() {
	r, err := ring.Create(ring.Config{Slots: 64, First: 1})
	if err != nil {
		fmt.Println(err)
		return
	}
	// A caller.
	s, index, err := r.Claim()
	if err != nil {
		fmt.Println(err)
		return
	}
	r.Publish(s, index, len(append(s.Buffer(), "hello"...)))
	// The writer.
	if s, ok := r.Peek(1); ok {
		fmt.Printf("%d: %s\n", index, r.Payload(s, nil))
		r.Release(2)
	}
	// Output: 1: hello
}
