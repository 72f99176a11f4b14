//go:build !invariants

package pool

// invariants is false: every "if invariants" is gone before the compiler
// decides what to inline.
const invariants = false

// audit has no field and takes no room.
type audit struct{}

func (p *Pool) auditGet(Slot) {}
func (p *Pool) auditPut(Slot) {}
func (p *Pool) auditUse(Slot) {}

var _ audit // used by the invariants build alone

// Leaks lists the slots that are out of the pool by the call site that took
// them, most first. It needs the invariants tag: without it the list is
// always empty. Any goroutine may call it.
func (p *Pool) Leaks() []Leak {
	return nil
}
