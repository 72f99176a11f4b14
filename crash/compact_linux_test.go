package crash_test

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"vitrine/crash"
	"vitrine/crash/probe"
)

// addHeap adds a victim with memory to move, which ends well once it is moved.
func addHeap() {
	victims["heap"] = func(p *crash.Process) {
		heap := make([]byte, 64<<20)
		for i := range heap {
			heap[i] = byte(i) | 1
		}
		for p.Stats().Moved < 16 {
			time.Sleep(time.Millisecond) // sleep: polls
		}
		for i := range heap {
			if heap[i] != byte(i)|1 {
				fmt.Fprintln(os.Stderr, "memory has changed at", i)
				os.Exit(98)
			}
		}
		runtime.KeepAlive(heap)
	}
}

func TestLargeMemoryComesOntoHugePages(t *testing.T) {
	if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage"); err != nil || !probe.Run().PagemapScan || runtime.GOARCH != "amd64" {
		t.Skip("the kernel cannot move memory onto huge pages")
	}
	if raceEnabled {
		t.Skip("a process under the race detector is terabytes wide: to look through them takes long")
	}
	if status, entries := perish(t, t.TempDir(), "heap"); status != 0 || len(entries) != 0 {
		t.Errorf("status %d and %d bundles, want 0 and none", status, len(entries))
	}
}
