//go:build linux

package logs

import (
	"context"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"vitrine/servers/bench/ratio"
)

// Limits of paced calls.
const (
	slowCall = 5 * time.Millisecond // a call above it has disturbed its caller
	burst    = time.Millisecond     // the pause between looks at the schedule
	samples  = 1 << 12              // of the times of calls that are not slow, a window
)

// paced is what calls on a schedule saw. One goroutine owns it.
type paced struct {
	Calls   int       `json:"calls"`
	Refused int       `json:"refused"`
	Slow    int       `json:"slow"`     // calls above slowCall
	Asleep  int       `json:"asleep"`   // of these, those in which the thread gave up its core
	Longest float64   `json:"max_ms"`   // of the slow ones
	Median  []float64 `json:"calls_ns"` // of the others, one a window
}

// drive calls at a rate, on an absolute schedule: the n-th call is due at
// n/rate, and who was held up makes up for it. The thread is the calls' alone,
// so that its own count of switches tells a call that slept from one that the
// machine took the core from.
func (p *paced) drive(ctx context.Context, log func(*event) bool, rate int, lasts time.Duration) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	total := int(lasts.Seconds() * float64(rate))
	times := make([]float64, 0, samples)
	start := time.Now()
	for n := 0; n < total; {
		due := min(total, int(time.Since(start).Seconds()*float64(rate)))
		if n >= due {
			if err := ctx.Err(); err != nil {
				return err
			}
			time.Sleep(burst)
			continue
		}
		times = p.catchUp(log, n, due, times)
		n = due
	}
	p.Calls += total
	p.Median = append(p.Median, ratio.Median(times))
	return nil
}

// catchUp makes the calls from n until due, and takes the times of those that
// are not slow while there is room.
func (p *paced) catchUp(log func(*event) bool, n, due int, times []float64) []float64 {
	var e event
	switches := voluntarySwitches()
	for ; n < due; n++ {
		e.set(1, n)
		e.warn = n%warnEvery == 0
		took := p.call(log, &e)
		if took > slowCall {
			now := voluntarySwitches()
			p.slow(took, now > switches)
			switches = now
		} else if len(times) < cap(times) {
			times = append(times, float64(took))
		}
	}
	return times
}

func (p *paced) call(log func(*event) bool, e *event) time.Duration {
	start := time.Now()
	ok := log(e)
	took := time.Since(start)
	if !ok {
		p.Refused++
	}
	return took
}

func (p *paced) slow(took time.Duration, slept bool) {
	p.Slow++
	if slept {
		p.Asleep++
	}
	p.Longest = max(p.Longest, float64(took)/1e6)
}

// voluntarySwitches is how often the thread has given up its core to wait.
func voluntarySwitches() int64 {
	var used unix.Rusage
	if unix.Getrusage(unix.RUSAGE_THREAD, &used) != nil {
		return 0
	}
	return used.Nvcsw
}
