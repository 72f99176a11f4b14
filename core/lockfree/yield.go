package lockfree

// A window is a moment at which a goroutine has half done its operation and
// may lose the processor to another.
type window uint8

const (
	beforeSwap    window = iota // a word was read, the CAS that rests on it comes next
	beforePublish               // cells are claimed and not yet visible to the other side
	amidScan                    // some of several links or cells were looked at
	beforeTake                  // cells are known to be published and not yet read
	beforeRelease               // cells were read and not yet given back
	beforeRetry                 // another goroutine was faster, the operation starts again
)

// yield marks a window. It is empty and leaves no instruction behind; the
// tests check copies of this source in which it calls a hook instead.
func yield(window) {}
