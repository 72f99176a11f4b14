package snapshot

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// thread is one thread of the process. Its fields are owned by the tracer until Take returns, and fixed then.
type thread struct {
	tid     int
	stopped bool
	gone    bool          // it ended, or cannot be traced: a zombie, a worker of the kernel
	signals []unix.Signal // held up by the stop, or taken while a call was injected: delivered when it is let go
	regs    unix.PtraceRegs
	float   []byte // NT_PRFPREG
	xstate  []byte // NT_X86_XSTATE
	calm    func() // takes its haste back; nil: none
}

// target is a process that is being stopped. Owned by the tracer.
type target struct {
	pid      int
	info     info
	threads  []*thread
	known    map[int]*thread
	deadline time.Time
	began    time.Time // first interrupt
	tracer   *tracer
}

// stopAll stops every thread. A round takes hold of the threads it sees and waits until they stand; when a round sees
// nobody new, nobody is left who could make a thread.
func (t *target) stopAll() error {
	t.began = time.Now()
	for {
		fresh, err := t.seizeNew()
		if err != nil || fresh == 0 {
			return err
		}
		if err := t.awaitAll(); err != nil {
			return err
		}
	}
}

// seizeNew takes hold of the threads that are not known yet and interrupts them.
func (t *target) seizeNew() (fresh int, err error) {
	tids, err := t.tasks()
	if err != nil {
		return 0, err
	}
	for _, tid := range tids {
		if t.known[tid] != nil {
			continue
		}
		if len(t.threads) == MaxThreads {
			return 0, fmt.Errorf("stop process %d: more than %d threads", t.pid, MaxThreads)
		}
		th, err := t.seize(tid)
		if err != nil {
			return 0, err
		}
		t.threads, t.known[tid] = append(t.threads, th), th
		fresh++
	}
	return fresh, nil
}

// tasks lists the threads.
func (t *target) tasks() ([]int, error) {
	dir, err := os.Open(fmt.Sprintf("/proc/%d/task", t.pid))
	if err != nil {
		return nil, fmt.Errorf("list threads of process %d: %w", t.pid, ErrGone)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil && len(names) == 0 {
		return nil, fmt.Errorf("list threads of process %d: %w", t.pid, ErrGone)
	}
	tids := make([]int, 0, len(names))
	for _, name := range names {
		if tid, err := strconv.Atoi(name); err == nil {
			tids = append(tids, tid)
		}
	}
	return tids, nil
}

// seize takes hold of one thread and asks it to stop.
func (t *target) seize(tid int) (*thread, error) {
	th := &thread{tid: tid}
	err := t.claim(tid)
	switch {
	case errors.Is(err, unix.ESRCH), errors.Is(err, unix.EPERM) && t.untraceable(tid):
		th.gone = true
		return th, nil
	case err != nil:
		return nil, fmt.Errorf("seize thread %d of process %d%s: %w", tid, t.pid, tracedBy(tid), err)
	}
	th.calm = hurry(tid)
	// A thread that is on its way out refuses the interrupt; the wait tells of its end.
	_ = ptrace(unix.PTRACE_INTERRUPT, tid, 0, 0)
	return th, nil
}

// The flags of a thread in /proc (PF_x) that is a worker of the kernel in the guise of a thread of the process.
const workerFlags = 0x10 | 0x4000 | 0x200000

// untraceable tells whether a thread has ended without having been waited for, or works for the kernel.
func (t *target) untraceable(tid int) bool {
	st, err := readStat(fmt.Sprintf("/proc/%d/task/%d/stat", t.pid, tid))
	return err != nil || st.ended() || st.flags&workerFlags != 0
}

// awaitAll waits until every thread stands.
func (t *target) awaitAll() error {
	doubt := time.Now().Add(doubtAfter)
	for i := 0; ; i++ {
		th := t.collect()
		if th == nil {
			return nil
		}
		now := time.Now()
		if now.After(t.deadline) {
			return fmt.Errorf("stop thread %d of process %d: %w", th.tid, t.pid, errStuck)
		}
		if now.After(doubt) {
			t.doubtRest()
			doubt = now.Add(doubtAfter)
		}
		pause(i)
	}
}

// collect notes who stopped, and gives one who has not, nil when all stand.
func (t *target) collect() (running *thread) {
	for _, th := range t.threads {
		if th.stopped || th.gone {
			continue
		}
		st, known := look(th.tid)
		if !known {
			running = th
			continue
		}
		th.gone, th.stopped = st.gone, !st.gone
		if st.event == 0 && !st.gone {
			th.signals = append(th.signals, st.signal)
		}
	}
	return running
}

// doubtRest looks whether those who do not stop have ended: the first thread of a process stays a zombie, of which no
// wait tells, as long as others live.
func (t *target) doubtRest() {
	for _, th := range t.threads {
		if !th.stopped && !th.gone && t.untraceable(th.tid) {
			th.gone = true
		}
	}
}

// alive lists the threads that stand.
func (t *target) alive() []*thread {
	var alive []*thread
	for _, th := range t.threads {
		if th.stopped && !th.gone {
			alive = append(alive, th)
		}
	}
	return alive
}

// letGo lets every thread run again, with the signals that the stop held up. Threads that ended are left to the tracer to
// wait for: some were only seen as zombies.
func (t *target) letGo() {
	for _, th := range t.threads {
		if th.calm != nil {
			th.calm()
			th.calm = nil
		}
		if th.stopped && !th.gone {
			th.gone = !t.detach(th)
			th.stopped = false
		}
		if th.gone {
			t.tracer.dead = append(t.tracer.dead, th.tid)
		}
	}
}

// detach lets one thread go; false: it was killed while it stood.
func (t *target) detach(th *thread) bool {
	var first unix.Signal
	if len(th.signals) > 0 {
		first = th.signals[0]
	}
	if ptrace(unix.PTRACE_DETACH, th.tid, 0, uintptr(first)) != nil {
		return false
	}
	for _, extra := range th.signals[min(1, len(th.signals)):] {
		_ = unix.Tgkill(t.pid, th.tid, extra) // it may have ended already
	}
	return true
}
