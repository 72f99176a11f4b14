package monitor

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"vitrine/crash/blackbox"
	"vitrine/crash/bundle"
	"vitrine/crash/snapshot"
)

var errBusy = errors.New("other reports are being made")

// capture makes a report of a server that lives on. The server waits until it is told that it was captured. A report that waits
// for the server's death has h.
func (w *watcher) capture(c *Capture, h *held) {
	defer w.captures.Done()
	runtime.LockOSThread() // until the snapshot is released
	defer runtime.UnlockOSThread()
	began := time.Now()
	sources := w.await(c.ID)
	snap, err := w.freeze(c)
	stopped := time.Since(began)
	w.tell(&Captured{ID: c.ID, StopUS: stopped.Microseconds(), Problem: problemOf(err)})
	if snap != nil {
		defer func() { <-w.slots }()
		defer w.reap(snap)
	}
	j := w.live(c, snap, began)
	j.stopped(stopped, err)
	if h != nil {
		w.hold(h, j, sources)
		return
	}
	j.explained(sources)
	w.report(c.ID, j)
}

// freeze takes the snapshot that a capture wants, if there is room for one more.
func (w *watcher) freeze(c *Capture) (*picture, error) {
	if !c.Core {
		return nil, errors.New("not asked for")
	}
	select {
	case w.slots <- struct{}{}:
	default:
		return nil, errBusy
	}
	snap, err := w.take(snapshot.Options{Thread: c.Thread, Fault: c.Held})
	if err != nil {
		<-w.slots
	}
	return snap, err
}

func problemOf(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// reap releases a snapshot of a server that lives, and has the server take back what it was.
func (w *watcher) reap(snap *picture) {
	orphan := snap.Orphan()
	_ = snap.Release() // what is left of it is the server's
	if orphan != 0 {
		w.tell(&Reap{PID: orphan})
	}
}

// live begins the bundle of a capture.
func (w *watcher) live(c *Capture, snap *picture, began time.Time) *work {
	j := w.begin(liveReport(w.setup, c), snap, began)
	if c.Class == bundle.ClassPanic {
		j.unlessStorm(c.Panics)
	}
	j.hear(c.Text, 0)
	j.readFlight()
	return j
}

// unlessStorm has the core left out if too many panics come after the one reported, of which there were so many until then, and before
// the core is written: a crash loop within a process leaves text only.
func (j *work) unlessStorm(panics uint64) {
	write := j.core
	if write == nil {
		return
	}
	j.core = func(out *bundle.Writer, maxBytes int64) {
		if more := int64(j.w.box.Panics() - panics); more >= StormPanics {
			j.meta.Core.Why = fmt.Sprintf("%d more panics were caught meanwhile: a storm of them leaves text only", more)
			return
		}
		write(out, maxBytes)
	}
}

// explained waits for the server's part of a report.
func (j *work) explained(sources chan *Sources) {
	select {
	case s := <-sources:
		j.files = s.Files
		if len(s.Text) > 0 && len(j.text) == 0 {
			j.hear(s.Text, 0)
		}
	case <-time.After(ExplainLimit):
		j.problem("what the server says of itself", errors.New("it did not answer in time"))
	}
}

// report finishes a live report and tells the server.
func (w *watcher) report(id uint64, j *work) {
	err := j.finish()
	w.tell(&Done{ID: id, Class: j.meta.Class, Path: j.path, Problem: problemOf(err)})
}

// held is a report that is finished only when the server dies without a text of its own. It is known from the frame that asks for it on,
// since the server may be dead before the report has begun.
type held struct {
	dead chan bool // the server has died; false: with a text of its own
}

// expect notes a report that will be held, nil for one that will not.
func (w *watcher) expect(c *Capture) *held {
	if !c.Held {
		return nil
	}
	h := &held{dead: make(chan bool, 1)}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held = h
	return h
}

// hold keeps a report until the server has died, or does not within holdLimit. The snapshot lives as long.
func (w *watcher) hold(h *held, j *work, sources chan *Sources) {
	select {
	case silent := <-h.dead:
		if silent {
			j.died(sources)
			return
		}
	case <-time.After(holdLimit): // the server lives, so this was not its death
		w.takeHeld()
	}
	if err := j.discard(); err != nil {
		fmt.Fprintln(os.Stderr, "crash monitor: discard report:", err)
	}
}

// holdLimit is how long a server may take to die of a fault in C.
const holdLimit = 10 * time.Second

// takeHeld takes the report that waits for the death, nil when there is none.
func (w *watcher) takeHeld() *held {
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.held
	w.held = nil
	return h
}

// died finishes a report whose server has died since.
func (j *work) died(sources chan *Sources) {
	j.explained(sources)
	j.exit()
	j.lastLook()
	if err := j.finish(); err != nil {
		fmt.Fprintln(os.Stderr, "crash monitor:", err)
	}
}

// release lets the report that waits for the death go on, and tells whether there is one.
func (w *watcher) release(silent bool) bool {
	h := w.takeHeld()
	if h != nil {
		h.dead <- silent
	}
	return h != nil
}

// await returns where the server's part of a capture will come.
func (w *watcher) await(id uint64) chan *Sources {
	c := make(chan *Sources, 1)
	w.mu.Lock()
	w.waiting[id] = c
	w.mu.Unlock()
	return c
}

// deliver gives the server's part to the capture that waits for it, if one does.
func (w *watcher) deliver(s *Sources) {
	w.mu.Lock()
	c := w.waiting[s.ID]
	delete(w.waiting, s.ID)
	w.mu.Unlock()
	if c != nil {
		c <- s
	}
}

// watchLoops reports each loop that is in one turn for longer than Setup.Stall. It looks from outside, so a runtime that is
// stuck is no hindrance.
func (w *watcher) watchLoops() {
	if w.setup.Stall <= 0 || w.box == nil {
		return
	}
	seen := map[int]*turn{}
	var loops []blackbox.Loop
	for range time.Tick(max(w.setup.Stall/4, time.Millisecond)) {
		loops = w.box.Loops(loops[:0])
		for i, loop := range loops {
			t := seen[i]
			if t == nil {
				t = &turn{}
				seen[i] = t
			}
			if t.stuck(loop, w.setup.Stall) {
				w.captures.Add(1)
				w.hang(loop, uint64(i))
			}
		}
	}
}

// turn is what was last seen of a loop.
type turn struct {
	count uint64
	since time.Time
	told  bool
}

// stuck tells, once for each turn, that the loop is in it for too long.
func (t *turn) stuck(loop blackbox.Loop, limit time.Duration) bool {
	now := time.Now()
	if !loop.Busy || loop.Count != t.count || t.since.IsZero() {
		*t = turn{count: loop.Count, since: now}
		return false
	}
	if t.told || now.Sub(t.since) < limit {
		return false
	}
	t.told = true
	return true
}

// hang reports a stuck loop.
func (w *watcher) hang(loop blackbox.Loop, index uint64) {
	c := &Capture{
		ID: hangIDs + index, Class: bundle.ClassHang, How: "watchdog", At: time.Now(), Core: true,
		Reason: fmt.Sprintf("loop %s made no progress for %v", loop.Name, w.setup.Stall),
		Where:  whereOf(loop.Name), Fingerprint: "",
	}
	go func() { // ends when the server has answered, or after ExplainLimit
		w.capture(c, nil)
		if w.setup.KillStall {
			w.killStalled(c.Reason)
		}
	}()
	w.tell(&Explain{ID: c.ID})
}

// hangIDs is the first id of reports that the monitor begins; the server's own are below.
const hangIDs = 1 << 62

// whereOf reads the name of a loop: server/worker.
func whereOf(loop string) bundle.Where {
	server, number, _ := strings.Cut(loop, "/")
	where := bundle.Where{Server: server}
	fmt.Sscan(number, &where.Worker) // no number, as for a frame loop, leaves 0
	return where
}
