package snapshot

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"
)

// floatBytes and xstateBytes are the largest sets of registers: FXSAVE, and XSAVE with all that exists today (AMX).
const (
	floatBytes  = 512
	xstateBytes = 16 << 10
)

// readRegisters notes the registers of every thread. A thread that was killed meanwhile is left out.
func (t *target) readRegisters() error {
	room := make([]byte, xstateBytes)
	alive := 0
	for _, th := range t.alive() {
		err := readRegs(th.tid, &th.regs)
		if errors.Is(err, unix.ESRCH) {
			th.gone = true
			continue
		}
		if err != nil {
			return fmt.Errorf("read registers of thread %d: %w", th.tid, err)
		}
		th.float = bytes.Clone(readRegSet(th.tid, unix.NT_PRFPREG, room[:floatBytes]))
		th.xstate = bytes.Clone(readRegSet(th.tid, unix.NT_X86_XSTATE, room))
		alive++
	}
	if alive == 0 {
		return fmt.Errorf("read registers of process %d: %w", t.pid, ErrGone)
	}
	return nil
}

// subject picks the thread that the picture is about, see Options.Thread. There is at least one alive.
func (t *target) subject(o Options) *thread {
	alive := t.alive()
	rules := []func(*thread) bool{
		func(th *thread) bool { return th.tid == o.Thread },
		func(th *thread) bool { return o.Pipe != 0 && writesTo(t.pid, &th.regs, o.Pipe) },
		func(th *thread) bool { return slices.ContainsFunc(th.signals, isFault) },
		func(th *thread) bool { return pendingFault(t.pid, th.tid) },
		func(th *thread) bool { return th.tid == t.pid },
	}
	for _, rule := range rules {
		if i := slices.IndexFunc(alive, rule); i >= 0 {
			return alive[i]
		}
	}
	return alive[0]
}

// ordered gives the threads that are alive, the subject first, the others by number.
func (t *target) ordered(subject *thread) []*thread {
	alive := t.alive()
	slices.SortFunc(alive, func(a, b *thread) int {
		if a == subject || b == subject {
			return map[bool]int{true: -1, false: 1}[a == subject]
		}
		return a.tid - b.tid
	})
	return alive
}
