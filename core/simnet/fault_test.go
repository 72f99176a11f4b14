package simnet_test

import (
	"bytes"
	"io"
	"testing"
	"time"

	"vitrine/core/poller"
	"vitrine/core/simnet"
)

func TestBytesComeBackWholeOverABadNetwork(t *testing.T) {
	for _, c := range []struct {
		name     string
		config   simnet.Config
		happened func(simnet.Stats) int
	}{
		{"perfect", simnet.Config{}, func(s simnet.Stats) int { return s.Segments }},
		{"delays", simnet.Config{MinDelay: time.Millisecond, MaxDelay: time.Second}, func(s simnet.Stats) int { return s.Segments }},
		{"segments of one byte", simnet.Config{Segment: 1, MaxDelay: time.Millisecond}, func(s simnet.Stats) int { return s.Segments }},
		{"one byte a read", simnet.Config{MaxRead: 1}, func(s simnet.Stats) int { return s.ShortReads }},
		{"short reads", simnet.Config{ShortRead: 0.9}, func(s simnet.Stats) int { return s.ShortReads }},
		{"late short reads", simnet.Config{ShortRead: 0.9, MaxDelay: time.Millisecond}, func(s simnet.Stats) int { return s.ShortReads }},
		{"short writes", simnet.Config{ShortWrite: 0.9}, func(s simnet.Stats) int { return s.ShortWrites }},
		{"window of one byte", simnet.Config{Window: 1}, func(s simnet.Stats) int { return s.Segments }},
		{"small window", simnet.Config{Window: 50, MaxDelay: time.Millisecond}, func(s simnet.Stats) int { return s.Full }},
		{"interrupts", simnet.Config{Interrupt: 0.9}, func(s simnet.Stats) int { return s.Interrupts }},
		{"spurious EAGAIN", simnet.Config{Again: 0.9}, func(s simnet.Stats) int { return s.Agains }},
		{"no descriptors", simnet.Config{NoDescriptor: 0.9}, func(s simnet.Stats) int { return s.NoDescriptors }},
		{"few descriptors", simnet.Config{Descriptors: 3}, func(s simnet.Stats) int { return s.NoDescriptors }},
	} {
		t.Run(c.name, func(t *testing.T) {
			simnet.Seeds(t, 5, func(t *testing.T, seed uint64) {
				c.config.Seed = seed
				s := newEcho(t, c.config, poller.ListenConfig{})
				clients := []*simnet.Conn{s.dial(), s.dial(), s.dial()}
				const size = 1000
				for i, got := range s.exchange(clients, size) {
					if !bytes.Equal(got, pattern(size)) {
						t.Errorf("client %d got %d bytes, want the %d it sent", i, len(got), size)
					}
					if err := clients[i].Err(); err != io.EOF {
						t.Errorf("client %d ended with %v, want EOF", i, err)
					}
				}
				stats := s.net.Stats()
				if c.happened(stats) == 0 {
					t.Error("the fault did not happen")
				}
				if stats.Open != 1 || stats.BadDescriptors != 0 {
					t.Errorf("%d sockets open, %d calls on closed ones, want the listener and 0", stats.Open, stats.BadDescriptors)
				}
			})
		})
	}
}

func TestSameSeedGivesTheSameRun(t *testing.T) {
	seen := map[uint64]uint64{}
	var all simnet.Stats
	simnet.Seeds(t, 20, func(t *testing.T, seed uint64) {
		config := bad
		config.Seed = seed
		first, stats := run(t, config)
		if again, _ := run(t, config); again != first {
			t.Errorf("two runs differ: %x and %x", first, again)
		}
		if other, twice := seen[first]; twice {
			t.Errorf("seeds %d and %d give the same run", other, seed)
		}
		seen[first] = seed
		all.Resets += stats.Resets
		all.Aborts += stats.Aborts
		all.Lost += stats.Lost
	})
	if all.Resets == 0 || all.Aborts == 0 || all.Lost == 0 {
		t.Errorf("no resets, aborts or losses in any run: %+v", all)
	}
}

func TestUnusedProbabilityDrawsNothing(t *testing.T) {
	config := simnet.Config{Seed: 3, MaxDelay: time.Second, Segment: 9}
	plain, _ := run(t, config)
	config.Window = 1 << 20 // Changes nothing here.
	if same, _ := run(t, config); same != plain {
		t.Error("a limit that was never reached changed the run")
	}
	config.Interrupt = 0.5
	if other, _ := run(t, config); other == plain {
		t.Error("interrupts did not change the run")
	}
}

func TestResetByChanceEndsBothSides(t *testing.T) {
	s := newEcho(t, simnet.Config{Reset: 0.999}, poller.ListenConfig{})
	c := s.dial()
	s.settle()
	c.Write([]byte("never arrives"))
	s.settle()
	if !c.Closed() || len(s.sessions) != 0 || s.net.Stats().Resets != 1 || s.net.Stats().Lost == 0 {
		t.Errorf("client closed %v, %d sessions, %+v", c.Closed(), len(s.sessions), s.net.Stats())
	}
}

func TestAbortedConnectionIsLostToTheClientToo(t *testing.T) {
	s := newEcho(t, simnet.Config{Abort: 0.999}, poller.ListenConfig{})
	c := s.dial()
	s.settle()
	if !c.Closed() || len(s.sessions) != 0 || s.net.Stats().Aborts != 1 {
		t.Errorf("client closed %v, %d sessions, %+v", c.Closed(), len(s.sessions), s.net.Stats())
	}
}

func TestConfigThatMakesNoSensePanics(t *testing.T) {
	for name, config := range map[string]simnet.Config{
		"window":    {Window: -1},
		"delay":     {MinDelay: -1},
		"certainty": {Again: 1},
		"negative":  {Reset: -0.1},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: no panic", name)
				}
			}()
			simnet.New(config)
		}()
	}
}

// fakeT records what Seeds does with a test.
type fakeT struct {
	ran  []string
	fail string
	logs int
}

func (f *fakeT) Helper()             {}
func (f *fakeT) Name() string        { return "TestX" }
func (f *fakeT) Logf(string, ...any) { f.logs++ }
func (f *fakeT) Run(name string, run func(*fakeT)) bool {
	f.ran = append(f.ran, name)
	run(f)
	return name != f.fail
}

func TestSeedsStopsAtTheFirstFailure(t *testing.T) {
	for _, c := range []struct {
		fail      string
		ran, logs int
	}{{"", 5, 0}, {"seed=2", 3, 1}} {
		f := &fakeT{fail: c.fail}
		var seeds []uint64
		simnet.Seeds(f, 5, func(_ *fakeT, seed uint64) { seeds = append(seeds, seed) })
		if len(f.ran) != c.ran || len(seeds) != c.ran || f.logs != c.logs || seeds[c.ran-1] != uint64(c.ran-1) {
			t.Errorf("failing %q: ran %v, %v, logged %d", c.fail, f.ran, seeds, f.logs)
		}
	}
}
