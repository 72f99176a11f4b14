//go:build !invariants

package pool

// audit checks the use of slots under the invariants tag. Without it nothing
// of it is left: no field, no call.
type audit struct{}

func (audit) got(*Pool, Slot) {}
func (audit) put(*Pool, Slot) {}
func (audit) use(*Pool, Slot) {}

// A Leak is a call site that took slots which were not put back.
type Leak struct {
	Site  string // file:line function
	Count int    // slots outstanding
}

// Leaks lists the outstanding slots by call site. It is empty unless the
// program was built with the invariants tag.
func (p *Pool) Leaks() []Leak { return nil }
