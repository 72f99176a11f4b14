package snapshot

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// tracer is an operating-system thread that traces. Tracing belongs to a thread: no other may ask for anything. And when
// that thread ends the kernel lets go of all that it still traces, running or stopped, which no request can do for a
// thread that has not stopped yet. So every picture has a tracer of its own, and ending it undoes whatever is left.
type tracer struct {
	jobs  chan func()   // run one after the other
	ended chan struct{} // closed when the last job is done
	dead  []int         // owned by the thread: traced threads that ended and were not waited for yet
}

// newTracer starts the thread; end ends it.
func newTracer() *tracer {
	t := &tracer{jobs: make(chan func()), ended: make(chan struct{})}
	go t.start() // ended by end
	return t
}

// do runs a job on the thread and waits for it.
func (t *tracer) do(job func()) {
	done := make(chan struct{})
	t.jobs <- func() { defer close(done); job() }
	<-done
}

// end ends the thread, and with it all tracing.
func (t *tracer) end() {
	close(t.jobs)
	<-t.ended
}

// start keeps off the main thread, which never ends: it holds it until another thread has done the work.
func (t *tracer) start() {
	runtime.LockOSThread()
	if unix.Gettid() != unix.Getpid() {
		t.run()
		return
	}
	go func() { runtime.LockOSThread(); t.run() }() // ended by end
	<-t.ended
	runtime.UnlockOSThread()
}

// run ends without unlocking the thread, on which the runtime ends the thread itself.
func (t *tracer) run() {
	defer close(t.ended)
	precise()
	for {
		var again <-chan time.Time
		if t.dead = reap(t.dead); len(t.dead) > 0 {
			again = time.After(reapPeriod)
		}
		select {
		case job, ok := <-t.jobs:
			if !ok {
				return
			}
			job()
		case <-again:
		}
	}
}

// reapPeriod is the time between two looks at threads that are about to end.
const reapPeriod = 5 * time.Millisecond

// reap waits for ended threads without blocking and gives those that are left. A traced thread that ended is a zombie
// until its tracer waited for it, and keeps the whole process from going.
func reap(tids []int) []int {
	left := tids[:0]
	for _, tid := range tids {
		if st, known := look(tid); !known || !st.gone {
			left = append(left, tid)
		}
	}
	return left
}
