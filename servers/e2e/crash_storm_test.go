//go:build linux

package e2e

import (
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"vitrine/crash"
	"vitrine/crash/bundle"
	"vitrine/servers/cli"
)

// The size of a storm of panics; see the package comment.
var (
	stormFor   = flag.Duration("storm", time.Second, "how long a goroutine panics again and again")
	stormBots  = flag.Int("storm-bots", 40, "bots beside the storm")
	leastRate  = flag.Float64("panics", 0, "least panics a second of one kind; 0: reported only")
	stormBytes = int64(1 << 20) // most that the bundles of a storm of one kind take of the disk
)

const (
	// stormVariable makes the test program a Vitrine with a goroutine that panics beside: its value is how many kinds of panics,
	// stormLength how long they come.
	stormVariable = "E2E_STORM"
	stormLength   = "E2E_STORM_FOR"

	mostBundles = 20 // of a storm
)

// stormProgram is the program under test with a goroutine that panics as soon as it is sent SIGUSR1.
func stormProgram() {
	kinds, errKinds := strconv.Atoi(os.Getenv(stormVariable))
	length, errLength := time.ParseDuration(os.Getenv(stormLength))
	if errKinds != nil || errLength != nil {
		panic("e2e: bad size of a storm")
	}
	begin := make(chan os.Signal, 1)
	signal.Notify(begin, syscall.SIGUSR1)
	go func() { // ends with the storm
		<-begin
		began := time.Now()
		n := storm(kinds, began.Add(length))
		fmt.Fprintf(os.Stderr, "storm of %d panics in %d ms\n", n, time.Since(began).Milliseconds())
	}()
	os.Exit(cli.Main(os.Args[1:], os.Stdout, os.Stderr))
}

// storm panics until the time is over and returns how often.
func storm(kinds int, until time.Time) (panics int) {
	for ; panics%64 != 0 || time.Now().Before(until); panics++ {
		crash.Guard(func() { fall(panics % kinds) })
	}
	return panics
}

// fall panics on a stack that is so many calls deep: a kind of its own.
//
//go:noinline
func fall(deep int) int {
	if deep == 0 {
		panic("a storm")
	}
	return fall(deep-1) + 1
}

// A goroutine that panics without end is counted and not written down without end, and the bots beside it notice nothing.
func TestStormOfPanicsLeavesLittle(t *testing.T) {
	for _, kinds := range []int{1, 64} {
		t.Run(fmt.Sprintf("%d kinds", kinds), func(t *testing.T) {
			t.Setenv(stormVariable, fmt.Sprint(kinds))
			t.Setenv(stormLength, stormFor.String())
			s := newSite(t)
			p := launchIn(t, s.dir, os.Args[0], "up", "--bots", fmt.Sprint(*stormBots), "--json", "--port-base", "0",
				"--set", "crash.dir="+s.crashes, "--set", "crash.run_dir="+s.run)
			poll(t, "two monitors watch", func() bool { c := p.capture(); return c.Monitors == 2 && c.Ptrace != "" })
			p.playing(*stormBots)
			p.signal(syscall.SIGUSR1)
			said := p.find(`^storm of (\d+) panics in (\d+) ms`)
			panics, _ := strconv.ParseUint(said[1], 10, 64) // digits
			millis, _ := strconv.ParseFloat(said[2], 64)
			figures := p.capture()
			p.signal(syscall.SIGTERM)
			if status := p.status(patience); status != 0 {
				t.Errorf("exit status %d, want 0", status)
			}
			got := lastLine(t, p)
			checkBooks(t, got)
			if !got.OK || figures.Panics != panics || figures.Lost != 0 {
				t.Errorf("ok %v, %d panics, %d reports lost, want true, %d, 0", got.OK, figures.Panics, figures.Lost, panics)
			}
			if rate := float64(panics) / millis * 1e3; kinds == 1 && rate < *leastRate {
				t.Errorf("%.0f panics/s, want at least %.0f", rate, *leastRate)
			}
			s.checkStorm(kinds, float64(panics)/millis*1e3)
		})
	}
}

// checkStorm looks at what a storm left.
func (s *site) checkStorm(kinds int, rate float64) {
	s.t.Helper()
	entries := s.bundles()
	bytes, cores := s.disk()
	var whole int
	for _, e := range entries {
		if m := metaOf(s.t, e); m.Core.State == bundle.CoreWritten {
			whole++
		}
	}
	s.t.Logf("%d kinds, %.0f panics/s for %v: %d bundles, %d KiB of disk, and %d cores, %d KiB", kinds, rate, *stormFor,
		len(entries), bytes>>10, whole, cores>>10)
	if len(entries) == 0 || len(entries) > mostBundles {
		s.t.Errorf("%d bundles, want at most %d", len(entries), mostBundles)
	}
	if kinds == 1 && bytes+cores > stormBytes {
		s.t.Errorf("%d bytes of disk, want at most %d", bytes+cores, stormBytes)
	}
	seen := map[string]bool{}
	for _, e := range entries {
		if e.Core > 0 && seen[e.Fingerprint] {
			s.t.Errorf("another core of %s within the hour", e.Fingerprint)
		}
		seen[e.Fingerprint] = seen[e.Fingerprint] || e.Core > 0
	}
}

// disk returns what the directory of the bundles takes of the disk: all but cores, and cores.
func (s *site) disk() (bytes, cores int64) {
	s.t.Helper()
	err := filepath.WalkDir(s.crashes, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		if taken := info.Sys().(*syscall.Stat_t).Blocks * 512; d.Name() == "core.zst" {
			cores += taken
		} else {
			bytes += taken
		}
		return nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return bytes, cores
}
