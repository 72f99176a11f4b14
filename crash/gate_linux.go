package crash

import (
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// gate holds the goroutine that panicked until its picture is taken. It waits in a system call, since a goroutine that waits in
// the runtime has left its thread, and a debugger shows that thread's. Process.mu guards open and shut.
type gate struct{ event int }

func newGate() (gate, error) {
	event, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return gate{}, fmt.Errorf("make a gate: %w", err)
	}
	return gate{event}, nil
}

// wait waits until the gate is open, at most for limit.
func (g gate) wait(limit time.Duration) {
	fds := []unix.PollFd{{Fd: int32(g.event), Events: unix.POLLIN}}
	late := time.Now().Add(limit)
	for left := limit; left > 0; left = time.Until(late) {
		n, err := unix.Poll(fds, int(left.Milliseconds())+1)
		if n > 0 || err != nil && err != unix.EINTR {
			return
		}
	}
}

// open lets the waiter go on.
func (g gate) open() { _, _ = unix.Write(g.event, []byte{1, 0, 0, 0, 0, 0, 0, 0}) } // it was made by newGate, and is written once

// shut ends the gate, after which nobody may open it.
func (g gate) shut() { unix.Close(g.event) }
