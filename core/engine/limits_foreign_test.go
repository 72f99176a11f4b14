package engine_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vitrine/core/engine"
)

// TestSetLimitsFromEverywhere changes limits from several goroutines under traffic, before the start and across the stop.
// Run it with -race.
func TestSetLimitsFromEverywhere(t *testing.T) {
	srv, err := engine.New(engine.Config{Addr: "127.0.0.1:0", Workers: 3, MaxSessions: 64}, new(echo))
	if err != nil {
		t.Fatal(err)
	}
	var changers, clients sync.WaitGroup
	var done atomic.Bool
	for c := range 3 {
		changers.Go(func() {
			for n := c; !done.Load(); n++ {
				limits := srv.Limits()
				limits.IdleTimeout = time.Duration(1+n%3) * time.Minute
				limits.PacketRate, limits.PacketBurst = n%2*1_000_000, n%2*1_000_000
				limits.SessionsPerIP = 100 * (n % 2)
				if err := srv.SetLimits(limits); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	for range 4 {
		clients.Go(func() {
			for range 20 {
				visit(srv.Addr())
			}
		})
	}
	clients.Wait()
	if err := srv.Stop(t.Context()); err != nil {
		t.Error(err)
	}
	done.Store(true)
	changers.Wait()
}
