//go:build !linux

package probe

// thisKernel knows nothing: the questions are Linux's.
type thisKernel struct{}

func (thisKernel) release() string                         { return "" }
func (thisKernel) coreLimit() (soft, hard uint64, ok bool) { return 0, 0, false }
func (thisKernel) dumpable() (yes, ok bool)                { return false, false }
func (thisKernel) pidfdInfo() (ok bool, supported uint64)  { return false, 0 }
func (thisKernel) pagemapScan() bool                       { return false }
