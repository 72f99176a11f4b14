package chat_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"vitrine/core/engine"
	"vitrine/core/poller"
	"vitrine/servers/demo/chat"
)

// clock stands between a server and the system's sockets and tells the time that the test has set.
type clock struct {
	poller.Network
	now atomic.Int64
}

func (c *clock) NewPoller() (poller.Poller, error) {
	p, err := c.Network.NewPoller()
	return &clocked{p, c}, err
}

type clocked struct {
	poller.Poller
	clock *clock
}

func (p *clocked) Now() int64 { return p.clock.now.Load() }

// hand moves the clock. It is a session itself, and speaks each time.
type hand struct {
	*talker
	clock *clock
}

// to sets the time since the start, and returns when the server has had a whole turn after that.
func (h hand) to(at time.Duration) {
	h.t.Helper()
	h.clock.now.Store(int64(time.Hour + at))
	for range 2 { // the first answer may leave before the timers are looked at
		h.send(move(99, 5, 5))
		h.expect(moved(99, 5, 5))
	}
}

// Who is silent for 40 s is sent away, and a heartbeat is enough not to be.
func TestSilenceOf40SecondsEndsTheSessionUnlessAHeartbeatCame(t *testing.T) {
	at := &clock{Network: poller.System()}
	at.now.Store(int64(time.Hour))
	srv, err := engine.New(engine.Config{Addr: "127.0.0.1:0", Workers: 1, IdleTimeout: chat.IdleTimeout, Network: at}, chat.New())
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { srv.Stop(context.Background()) })
	silent, beating, clockHand := dial(t, srv), dial(t, srv), hand{dial(t, srv), at}
	silent.enter(1, 1, 1)
	beating.enter(2, 40, 40)
	clockHand.enter(99, 5, 5)
	expect := func(when time.Duration, sessions int, idle uint64) {
		t.Helper()
		clockHand.to(when)
		if st := srv.Status(); st.Sessions != sessions || st.Reasons["idle_timeout"] != idle || st.Total.Closed != idle {
			t.Errorf("after %v: %d sessions, %v, want %d and %d idle", when, st.Sessions, st.Reasons, sessions, idle)
		}
	}
	expect(30*time.Second, 3, 0)
	beating.send(u16(chat.TypeHeartbeat))
	received(t, srv, 3*2+2+1) // a heartbeat has no answer
	expect(39*time.Second, 3, 0)
	expect(41*time.Second, 2, 1)
	silent.expectEnd()
	expect(69*time.Second, 2, 1)
	expect(71*time.Second, 1, 2)
	beating.expectEnd()
}

// received waits until the server has had so many packets.
func received(t *testing.T, srv *engine.Server, packets uint64) {
	t.Helper()
	poll := time.NewTicker(time.Millisecond)
	defer poll.Stop()
	late := time.After(20 * time.Second)
	for srv.Status().Total.RecvPackets < packets {
		select {
		case <-poll.C:
		case <-late:
			t.Fatalf("%d packets received, want %d", srv.Status().Total.RecvPackets, packets)
		}
	}
}
