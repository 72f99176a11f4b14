package poller

import (
	"encoding/binary"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// tooLong is when a wait that should have ended counts as hung.
const tooLong = 10 * time.Second

func newTestPoller(t testing.TB) *epoll {
	t.Helper()
	p, err := newEpoll(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Destroy() })
	return p
}

// signals returns how many writes reached the poller's eventfd since the last
// call.
func signals(t testing.TB, p *epoll) uint64 {
	t.Helper()
	var count [8]byte
	switch _, err := unix.Read(p.signal, count[:]); err {
	case nil:
		return binary.NativeEndian.Uint64(count[:])
	case unix.EAGAIN:
		return 0
	default:
		t.Fatal(err)
		return 0
	}
}

// readyFD returns a descriptor that is readable from the start.
func readyFD(t testing.TB) int {
	t.Helper()
	fd, err := unix.Eventfd(1, unix.EFD_NONBLOCK|unix.EFD_CLOEXEC)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	return fd
}

// whenAsleep runs act once the poller's owner is about to sleep or sleeps.
func whenAsleep(p *epoll, act func()) (done chan struct{}) {
	done = make(chan struct{})
	go func() { // Ends when act has run.
		defer close(done)
		for p.state.Load() != asleep {
			runtime.Gosched()
		}
		act()
	}()
	return done
}

func TestWaitSleepsAtLeastItsTimeout(t *testing.T) {
	p := newTestPoller(t)
	events := make([]Event, 4)
	for _, timeout := range []time.Duration{0, time.Nanosecond, 300 * time.Microsecond, 1500 * time.Microsecond, 5 * time.Millisecond} {
		begin := time.Now()
		n, err := p.Wait(events, timeout)
		if took := time.Since(begin); n != 0 || err != nil || took < timeout {
			t.Errorf("Wait(%v) gave %d, %v after %v", timeout, n, err, took)
		}
	}
}

func TestMillisecondsRoundUp(t *testing.T) {
	for _, c := range []struct {
		timeout time.Duration
		want    uintptr
	}{
		{-1, ^uintptr(0)},
		{1, 1},
		{time.Millisecond, 1},
		{time.Millisecond + 1, 2},
		{time.Second, 1000},
		{1<<63 - 1, 1<<31 - 1},
	} {
		if got := milliseconds(c.timeout); got != c.want {
			t.Errorf("milliseconds(%d) = %d, want %d", c.timeout, got, c.want)
		}
	}
}

func TestWaitSurvivesSignals(t *testing.T) {
	p := newTestPoller(t)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	thread, process := unix.Gettid(), os.Getpid()
	const timeout = 30 * time.Millisecond
	var sent atomic.Int64
	stop := make(chan struct{})
	done := whenAsleep(p, func() { // Ends when stop is closed.
		for tick := time.NewTicker(2 * time.Millisecond); ; {
			select {
			case <-tick.C:
				// The runtime's own signal for preemption, harmless at any time.
				unix.Tgkill(process, thread, unix.SIGURG)
				sent.Add(1)
			case <-stop:
				tick.Stop()
				return
			}
		}
	})
	begin := time.Now()
	n, err := p.Wait(make([]Event, 4), timeout)
	took := time.Since(begin)
	close(stop)
	<-done
	if n != 0 || err != nil || took < timeout || sent.Load() == 0 {
		t.Errorf("Wait(%v) gave %d, %v after %v and %d signals", timeout, n, err, took, sent.Load())
	}
}

func TestWakeEndsASleepingWait(t *testing.T) {
	p := newTestPoller(t)
	done := whenAsleep(p, func() { p.Wake() })
	begin := time.Now()
	n, err := p.Wait(make([]Event, 4), tooLong)
	<-done
	if took := time.Since(begin); n != 0 || err != nil || took >= tooLong {
		t.Errorf("Wait gave %d, %v after %v", n, err, took)
	}
}

func TestManyWakesOfASleeperAreOneWrite(t *testing.T) {
	p := newTestPoller(t)
	p.state.Store(asleep) // As if the owner slept and had not come back yet.
	for range 1000 {
		p.Wake()
	}
	if got := signals(t, p); got != 1 {
		t.Errorf("%d writes, want 1", got)
	}
}

func TestWakeOfAPollerThatIsAwakeWritesNothing(t *testing.T) {
	p := newTestPoller(t)
	for range 3 {
		p.Wake()
		p.Wake()
		if n, err := p.Wait(make([]Event, 4), -1); n != 0 || err != nil {
			t.Errorf("Wait gave %d, %v", n, err)
		}
	}
	if got := signals(t, p); got != 0 {
		t.Errorf("%d writes, want 0", got)
	}
}

func TestWakeIsConsumedByAWaitThatReportsEvents(t *testing.T) {
	p := newTestPoller(t)
	if err := p.Add(readyFD(t), 1); err != nil {
		t.Fatal(err)
	}
	p.Wake()
	events := make([]Event, 4)
	if n, err := p.Wait(events, -1); n != 1 || err != nil {
		t.Fatalf("Wait gave %d, %v, want one event", n, err)
	}
	const timeout = 2 * time.Millisecond
	begin := time.Now()
	if n, _ := p.Wait(events, timeout); n != 0 || time.Since(begin) < timeout {
		t.Errorf("Wait gave %d after %v: the wake was not consumed", n, time.Since(begin))
	}
}

// A Wake may be answered by a Wait that came back for another reason before
// the Wake's write. That write must not end a later Wait.
func TestLateSignalDoesNotEndALaterWait(t *testing.T) {
	p := newTestPoller(t)
	const timeout = 10 * time.Millisecond
	for name, write := range map[string]func() chan struct{}{
		"before it": func() chan struct{} {
			late(p)
			return nil
		},
		"while it sleeps": func() chan struct{} { return whenAsleep(p, func() { late(p) }) },
	} {
		done := write()
		begin := time.Now()
		n, err := p.Wait(make([]Event, 4), timeout)
		if took := time.Since(begin); n != 0 || err != nil || took < timeout {
			t.Errorf("signal %s: Wait(%v) gave %d, %v after %v", name, timeout, n, err, took)
		}
		if done != nil {
			<-done
		}
	}
}

func late(p *epoll) {
	one := [8]byte{}
	binary.NativeEndian.PutUint64(one[:], 1)
	unix.Write(p.signal, one[:])
}

func TestNoWakeIsLost(t *testing.T) {
	p := newTestPoller(t)
	const wakers, each = 4, 2000
	var posted atomic.Int64
	var running sync.WaitGroup
	for range wakers {
		running.Go(func() { // Ends after its posts.
			for i := range each {
				posted.Add(1)
				p.Wake()
				if i%64 == 0 {
					runtime.Gosched()
				}
			}
		})
	}
	events := make([]Event, 4)
	for posted.Load() < wakers*each {
		begin := time.Now()
		seen := posted.Load()
		if _, err := p.Wait(events, tooLong); err != nil {
			t.Fatal(err)
		}
		if time.Since(begin) >= tooLong && posted.Load() > seen {
			t.Fatalf("slept through a wake: %d posted", posted.Load())
		}
	}
	running.Wait()
}

// The owner's last look may come just before the last post; its Wake must end
// the next Wait. A chain of two pollers that wake each other stops at the
// first wake lost.
func TestTwoPollersWakeEachOther(t *testing.T) {
	a, b := newTestPoller(t), newTestPoller(t)
	const rounds = 2000
	turn := func(own, other *epoll) {
		events := make([]Event, 1)
		for range rounds {
			begin := time.Now()
			own.Wait(events, tooLong)
			if time.Since(begin) >= tooLong {
				t.Error("slept through a wake")
			}
			other.Wake()
		}
	}
	var running sync.WaitGroup
	running.Go(func() { turn(b, a) }) // Ends after its rounds.
	a.Wake()
	turn(a, b)
	running.Wait()
}

func TestWakeAfterDestroyTouchesNoDescriptor(t *testing.T) {
	p := newTestPoller(t)
	signal := p.signal
	p.state.Store(asleep) // A Wake is about to write.
	p.Destroy()
	again, err := unix.Dup(readyFD(t)) // Takes a number that is free now.
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(again)
	if again != signal && again != p.fd {
		t.Logf("descriptor %d was not reused", signal)
	}
	if err := p.Wake(); err != nil {
		t.Errorf("wake: %v", err)
	}
	var count [8]byte
	if unix.Read(again, count[:]); binary.NativeEndian.Uint64(count[:]) != 1 {
		t.Errorf("wake wrote to a descriptor that is another's by now")
	}
}

func TestWaitReportsAtMostMaxEvents(t *testing.T) {
	p := newTestPoller(t)
	const count = MaxEvents + 50
	for i := range count {
		if err := p.Add(readyFD(t), uint64(i)); err != nil {
			t.Fatal(err)
		}
	}
	events := make([]Event, 2*MaxEvents)
	for _, want := range []int{MaxEvents, count - MaxEvents, 0} {
		if n, err := p.Wait(events, 0); n != want || err != nil {
			t.Errorf("Wait gave %d, %v, want %d", n, err, want)
		}
	}
}

func TestDataComesBackWhole(t *testing.T) {
	p := newTestPoller(t)
	events := make([]Event, 1)
	for _, data := range []uint64{0, 1, 1 << 31, 1 << 32, 0xdeadbeefcafebabe, ReservedData - 1} {
		if err := p.Add(readyFD(t), data); err != nil {
			t.Fatal(err)
		}
		if n, err := p.Wait(events, 0); n != 1 || err != nil || events[0].Data != data {
			t.Errorf("Wait gave %d, %v, %x, want %x", n, err, events[0].Data, data)
		}
	}
}

func TestDestroyLeavesNoDescriptor(t *testing.T) {
	before := openDescriptors(t)
	for range 10 {
		p, err := System().NewPoller()
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Destroy(); err != nil {
			t.Fatal(err)
		}
	}
	if after := openDescriptors(t); after != before {
		t.Errorf("%d descriptors open, want %d", after, before)
	}
}

func openDescriptors(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

func TestReadyNamesItsBits(t *testing.T) {
	for ready, want := range map[Ready]string{
		0: "", Readable: "readable", Writable | Hangup: "writable|hangup", Readable | Writable | Hangup: "readable|writable|hangup",
	} {
		if got := ready.String(); got != want {
			t.Errorf("Ready(%d) = %q, want %q", uint8(ready), got, want)
		}
	}
}
