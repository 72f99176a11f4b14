package lockfree

// onYield is what yield calls in the checked copies and the mutants. The
// tests of this package do not run in parallel; each that sets it does so
// before its goroutines start and clears it after they ended.
var onYield = func(window) {}

// hook sets onYield and returns what undoes it.
func hook(f func(window)) (undo func()) {
	onYield = f
	return func() { onYield = func(window) {} }
}

// freeList is what Stack and its copies have in common.
type freeList interface {
	Push(uint32)
	PushN([]uint32)
	Pop() (uint32, bool)
	PopN([]uint32) int
	PopAll([]uint32) []uint32
	Empty() bool
}
