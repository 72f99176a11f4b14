package engine_test

import (
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vitrine/core/engine"
)

// Workers that sleep without a timer must hear of a timeout: nothing else would wake them.
func TestSetLimitsWakesSleepingWorkers(t *testing.T) {
	handler := new(echo)
	srv := start(t, engine.Config{Workers: 2, IdleTimeout: engine.Unlimited}, handler)
	var conns []net.Conn
	for range 4 {
		c := dialTCP(t, srv)
		c.Write(lanFrame([]byte("here")))
		readLAN(t, c)
		conns = append(conns, c)
	}
	limits := srv.Limits()
	limits.IdleTimeout = time.Millisecond
	if err := srv.SetLimits(limits); err != nil {
		t.Fatal(err)
	}
	for _, c := range conns {
		if n, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("after the change: got %d bytes, %v, want EOF", n, err)
		}
	}
}

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
