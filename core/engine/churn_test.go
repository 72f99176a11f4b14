package engine

import (
	"flag"
	"math/rand/v2"
	"testing"
	"time"

	"vitrine/core/simnet"
)

var simConnects = flag.Int("sim-connects", 300, "sessions that join in each run of TestSimChurnBalances")

// TestSimChurnBalances has sessions come and go in random order under load over a bad network, while others send to them,
// post to them and disconnect them, until enough have joined.
func TestSimChurnBalances(t *testing.T) {
	simnet.Seeds(t, 20, func(t *testing.T, seed uint64) {
		bad := simnet.Config{
			Seed: seed, MaxDelay: 2 * time.Millisecond, Segment: 300, Window: 3000, ShortRead: 0.1, ShortWrite: 0.1,
			Interrupt: 0.02, Again: 0.02, NoDescriptor: 0.01, Abort: 0.01, Reset: 0.001,
		}
		s := newSim(t, bad, Config{Workers: 1 + int(seed%3), MaxSessions: 60, SendLimitBytes: 70_000, RecvBudgetBytes: 500})
		random := rand.New(rand.NewPCG(seed, 9))
		for round := 0; len(s.handler.joined) < *simConnects; round++ {
			for _, c := range runClients(s, random, 500) {
				c.SetReading(true)
				c.Close()
			}
			if round > *simConnects {
				t.Fatalf("joined %d sessions after %d rounds, want %d", len(s.handler.joined), round, *simConnects)
			}
		}
		s.settle()
		s.wait(90*time.Second, time.Second) // connections that are still to be accepted, and idle ones
		s.settle()
		s.checkEmpty()
		t.Logf("joined %d, reasons %v", len(s.handler.joined), s.reasons())
	})
}
