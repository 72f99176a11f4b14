//go:build linux

package logs

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"vitrine/logx"
)

// visitor drives one logger at a time, each time on a new directory.
type visitor struct {
	parent  string // directories are made in it; "" is the system's for temporary files
	records int
}

// visit is what one drive saw; times and bytes are per record.
type visit struct {
	Nanos   float64 `json:"ns"`     // of the clock on the wall, final flush included
	CPU     float64 `json:"cpu_ns"` // of the whole process
	Bytes   float64 `json:"bytes"`
	Allocs  float64 `json:"allocs"`
	Refused int64   `json:"refused"`
}

// saturated is how our log is opened where nothing may be dropped and nobody
// else waits for the device.
func saturated() logx.Config {
	return logx.Config{Block: everyLevel, Sync: logx.SyncNone, NoCompress: true}
}

// drive opens a logger, logs from several goroutines as fast as it can, and
// takes what it wrote away again.
func (v visitor) drive(k kind, callers int) (seen visit, err error) {
	dir, err := os.MkdirTemp(v.parent, "vitrine-log-")
	if err != nil {
		return seen, err
	}
	defer os.RemoveAll(dir)
	s, err := k.open(medium{dir: dir, ours: saturated()})
	if err != nil {
		return seen, fmt.Errorf("open %s: %w", k.name, err)
	}
	seen, err = v.measure(s, callers)
	if err = errors.Join(err, s.close()); err != nil {
		return seen, fmt.Errorf("drive %s: %w", k.name, err)
	}
	size, err := dirBytes(dir)
	seen.Bytes = float64(size) / float64(v.records)
	return seen, err
}

func (v visitor) measure(s sink, callers int) (seen visit, err error) {
	runtime.GC() // What the one before left behind is not this one's cost.
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start, clock := time.Now(), cpuTime()
	seen.Refused = logAll(s.log, callers, v.records)
	err = s.flush()
	records := float64(v.records)
	seen.Nanos, seen.CPU = float64(time.Since(start))/records, float64(cpuTime()-clock)/records
	runtime.ReadMemStats(&after)
	seen.Allocs = float64(after.Mallocs-before.Mallocs) / records
	return seen, err
}

// logAll logs from several goroutines and returns how many calls were refused.
func logAll(log func(*event) bool, callers, records int) int64 {
	var all sync.WaitGroup
	refused := make([]int64, callers)
	for c := range callers {
		all.Go(func() { // Ends after its share.
			var e event
			for n := range share(records, callers, c) {
				e.set(uint64(c+1), n)
				if !log(&e) {
					refused[c]++
				}
			}
		})
	}
	all.Wait()
	sum := int64(0)
	for _, n := range refused {
		sum += n
	}
	return sum
}

// share is how many of the records are the c-th caller's.
func share(records, callers, c int) int { return (c+1)*records/callers - c*records/callers }

// cpuTime is what the process has spent, in its own code and in the kernel.
func cpuTime() time.Duration {
	var used syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &used) != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
