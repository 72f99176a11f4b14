//go:build invariants

package ringbuf

import "fmt"

// scribbled is what a byte holds once nobody may read it any more.
const scribbled = 0xDB

// check panics when a formula of the package comment does not hold.
func (b *Buffer) check() {
	capacity := len(b.storage)
	ok := 0 <= b.size && b.size <= capacity && 0 <= b.read &&
		(b.read < capacity || b.read == 0) && (b.size > 0 || b.read == 0)
	if !ok {
		panic(fmt.Sprintf("ringbuf: read %d, size %d, capacity %d", b.read, b.size, capacity))
	}
}

// scribbleFront overwrites the n bytes that Discard is about to consume.
func (b *Buffer) scribbleFront(n int) {
	first, second := b.Segments()
	k := min(n, len(first))
	scribble(first[:k])
	scribble(second[:n-k])
}

func scribble(b []byte) {
	for i := range b {
		b[i] = scribbled
	}
}
