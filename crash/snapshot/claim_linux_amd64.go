package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// ClaimLimit is how long a thread is waited for that somebody else traces: a monitor that tests whether it may lets go at
// once, and one that was killed as soon as it is gone. A debugger does not.
const ClaimLimit = 300 * time.Millisecond

// claim attaches to a thread.
func (t *target) claim(tid int) error {
	late := time.Now().Add(ClaimLimit)
	for i := 0; ; i++ {
		before := t.traced(tid)
		err := ptrace(unix.PTRACE_SEIZE, tid, 0, 0)
		if !errors.Is(err, unix.EPERM) || !before && !t.traced(tid) || time.Now().After(late) {
			return err
		}
		pause(i)
	}
}

// traced tells whether somebody traces a thread.
func (t *target) traced(tid int) bool {
	b, _ := readProc(fmt.Sprintf("/proc/%d/task/%d/status", t.pid, tid)) // a thread that is gone is traced by nobody
	_, after, found := bytes.Cut(b, []byte("\nTracerPid:\t"))
	return found && !bytes.HasPrefix(after, []byte("0\n"))
}
