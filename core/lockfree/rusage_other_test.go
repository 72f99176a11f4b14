//go:build !unix

package lockfree

// threadSwitches is not to be had here.
func threadSwitches() int64 { return 0 }
