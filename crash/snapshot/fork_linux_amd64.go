package snapshot

import (
	"fmt"
	"math"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// carrier picks the thread that is borrowed for the fork: best one that waits in a system call, since no restartable
// sequence (rseq) can be under way there, which a detour would spoil; else one that no signal stopped.
func (t *target) carrier() *thread {
	var best *thread
	rank := 0
	for _, th := range t.alive() {
		r := 1
		if len(th.signals) == 0 {
			r += 2
		}
		if int64(th.regs.Orig_rax) >= 0 {
			r += 4
		}
		if r > rank {
			best, rank = th, r
		}
	}
	return best
}

// gateFor gives a `syscall` instruction: the one of the vdso, or where there is none the one behind which the thread waits.
func (t *target) gateFor(th *thread) uint64 {
	if t.info.gate != 0 {
		return t.info.gate
	}
	code := make([]byte, len(syscallCode))
	at := th.regs.Rip - uint64(len(code))
	if n, _ := readMemory(th.tid, at, code); n == len(code) && string(code) == string(syscallCode) {
		return at
	}
	return 0
}

// fork makes the process copy itself. The copy has one thread, which stands and is traced; it dies with the tracer.
func (t *target) fork() (child int, err error) {
	th := t.carrier()
	t.info.gate = t.gateFor(th)
	j, err := borrow(th, t.info.gate, borrowOptions)
	if err != nil {
		return 0, err
	}
	child, err = t.clone(j)
	if endErr := j.end(); err == nil && endErr != nil {
		err = endErr
	}
	if child != 0 && err == nil {
		err = t.bind(child)
	}
	if err != nil && child != 0 {
		kill(child)
		return 0, &OrphanError{PID: child, Err: err}
	}
	return child, err
}

// clone calls clone without flags and without a signal at its end: the process gets no SIGCHLD for a child that it does
// not know. What the kernel counts on behalf of memory nobody has touched may be the reason for a refusal: once more
// without it.
func (t *target) clone(j *injection) (child int, err error) {
	result, err := j.call(unix.SYS_CLONE)
	if err == nil && result == -int64(unix.ENOMEM) {
		restore := t.hideUntouched(j)
		result, err = j.call(unix.SYS_CLONE)
		child = j.child
		restore()
	}
	child = max(child, j.child)
	switch {
	case err != nil:
		return child, err
	case result < 0:
		return 0, fmt.Errorf("fork process %d: %w: %w", t.pid, ErrNoFork, unix.Errno(-result))
	case child == 0:
		return 0, fmt.Errorf("fork process %d: no child reported", t.pid)
	}
	return child, nil
}

// The memory that a second fork leaves out: stretches of at least this size without a single page, so many at most.
const (
	hideBytes = 1 << 30
	maxHidden = 64
)

// hideUntouched marks long stretches without pages as not to be inherited, and gives what takes the marks away.
func (t *target) hideUntouched(j *injection) (restore func()) {
	var hidden []Range
	for _, r := range t.untouched() {
		if result, err := j.call(unix.SYS_MADVISE, r.Start, r.Size, unix.MADV_DONTFORK); err == nil && result == 0 {
			hidden = append(hidden, r)
		}
	}
	return func() {
		for _, r := range hidden {
			_, _ = j.call(unix.SYS_MADVISE, r.Start, r.Size, unix.MADV_DOFORK) // the process is dying or has the room now
		}
	}
}

// untouched lists the stretches of memory that the kernel counts as promised though no page is in them.
func (t *target) untouched() []Range {
	var out []Range
	p, err := openPages(t.pid)
	if err != nil {
		return nil
	}
	defer p.close()
	_ = eachMapping(t.pid, "smaps", func(m mapping) bool { // what cannot be read stays
		if !m.private() || !m.writable() || m.notInherited || m.end-m.start < hideBytes {
			return true
		}
		used := m.start
		add := func(end uint64) {
			if end-used >= hideBytes {
				out = append(out, Range{Start: used, Size: end - used})
			}
		}
		complete := p.each(m.start, m.end, t.deadline, func(start, end uint64) bool {
			add(start)
			used = end
			return len(out) < maxHidden
		})
		if complete {
			add(m.end)
		}
		return len(out) < maxHidden
	})
	return out
}

// bind waits until the child stands, and has it tell of nothing but calls.
func (t *target) bind(child int) error {
	st, err := await(child, time.Now().Add(callTime))
	if err == nil && st.gone {
		err = ErrGone
	}
	if err == nil {
		err = ptrace(unix.PTRACE_SETOPTIONS, child, 0, childOptions)
	}
	if err != nil {
		return fmt.Errorf("hold copy %d of process %d: %w", child, t.pid, err)
	}
	return nil
}

// closeFiles closes all descriptors of the child: it would keep sockets listening and the crash pipe open.
func closeFiles(child int, gate uint64) error {
	j, err := borrow(&thread{tid: child}, gate, childOptions)
	if err != nil {
		return err
	}
	result, err := j.call(unix.SYS_CLOSE_RANGE, 0, math.MaxUint32, 0)
	if err == nil && result < 0 {
		err = closeEach(j) // older than Linux 5.9, or filtered
	}
	if err != nil {
		return fmt.Errorf("close files of copy %d: %w", child, err)
	}
	return nil
}

// closeEach closes one descriptor after the other.
func closeEach(j *injection) error {
	entries, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", j.th.tid))
	if err != nil {
		return err
	}
	for _, e := range entries {
		fd, err := strconv.ParseUint(e.Name(), 10, 31)
		if err != nil {
			continue
		}
		if _, err := j.call(unix.SYS_CLOSE, fd); err != nil {
			return err
		}
	}
	return nil
}

// killTime is how long a killed child may take to go: its memory is taken down page by page.
const killTime = 2 * time.Second

// kill ends a child and waits for it; what is not gone by killTime goes with the tracer.
func kill(child int) (gone bool) {
	if unix.Kill(child, unix.SIGKILL) != nil {
		return true
	}
	deadline := time.Now().Add(killTime)
	for {
		if st, err := await(child, deadline); err != nil || st.gone {
			return err == nil
		}
	}
}
