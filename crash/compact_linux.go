package crash

import (
	"errors"
	"time"

	"vitrine/crash/snapshot"
)

// How a large process is made ready for live snapshots: its memory is moved onto huge pages, a little at a time.
const (
	compactEvery  = time.Second
	compactBudget = 30 * time.Millisecond // of compactEvery, so long as there is something to move
	compactRest   = 5 * time.Second       // after a look that found nothing to move
)

// compact keeps the memory of the process on huge pages. A snapshot stops the process for as long as the kernel copies its page
// tables, which are 512 times smaller then.
func (p *Process) compact() {
	for wait := compactEvery; ; {
		select {
		case <-time.After(wait):
		case <-p.done:
			return
		}
		done, err := snapshot.Prepare(compactBudget)
		p.moved.Add(uint64(done.Moved))
		if errors.Is(err, errors.ErrUnsupported) {
			return // the line of capabilities has told
		}
		wait = compactEvery
		if err != nil || done.Moved == 0 {
			wait = compactRest // there is no memory for it now, or nothing to move
		}
	}
}
