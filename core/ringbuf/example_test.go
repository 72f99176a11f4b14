package ringbuf_test

import (
	"fmt"

	"vitrine/core/ringbuf"
)

// A frame of nine bytes arrives in two reads; the first part waits in the ring.
func Example() {
	var partial ringbuf.Buffer
	partial.Attach(make([]byte, 16))

	partial.Write([]byte("\x07\x00wel"))
	fmt.Println("waiting:", partial.Len())

	partial.Write([]byte("come"))
	scratch := make([]byte, 16)
	header := partial.Peek(2, scratch)
	size := 2 + int(header[0]) + int(header[1])<<8
	frame := partial.Peek(size, scratch)
	fmt.Printf("frame: %s\n", frame[2:])

	partial.Discard(size)
	storage := partial.Detach()
	fmt.Println("given back:", len(storage))
	// Output:
	// waiting: 5
	// frame: welcome
	// given back: 16
}
