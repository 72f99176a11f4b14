//go:build unix

package lockfree

import "syscall"

// threadSwitches returns the context switches of this process so far, those
// it asked for and those it did not.
func threadSwitches() int64 {
	var r syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &r) != nil {
		return 0
	}
	return int64(r.Nvcsw + r.Nivcsw)
}
