package lockfree

import "fmt"

// falseSharing is the distance in bytes that keeps two words out of each
// other's way: two cache lines, since some processors fetch lines in pairs.
const falseSharing = 128

// minCapacity is the least capacity of a queue. With a single cell "free for
// the next lap" and "published in this lap" would be the same number.
const minCapacity = 2

// checkCapacity panics unless capacity is a power of two, so that a position
// becomes an index by masking, and at least minCapacity.
func checkCapacity(queue string, capacity int) {
	if capacity < minCapacity || capacity&(capacity-1) != 0 {
		panic(fmt.Sprintf("lockfree: %s capacity %d is not a power of two from %d up", queue, capacity, minCapacity))
	}
}

// length is the number of elements between two positions that were read one
// after the other, which others may have moved in between.
func length(head, tail uint64, capacity int) int {
	n := int64(tail - head)
	return int(max(0, min(n, int64(capacity))))
}
