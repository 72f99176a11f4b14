package engine

import (
	"io"
	"net"
	"runtime"
	"testing"
	"time"

	"vitrine/core/simnet"
)

// Workers that sleep without a timer must hear of a timeout: nothing else would wake them.
func TestSetLimitsWakesSleepingWorkers(t *testing.T) {
	srv, err := New(Config{
		Addr: "127.0.0.1:0", Workers: 2, IdleTimeout: Unlimited, FrameTimeout: Unlimited, HandshakeTimeout: Unlimited,
	}, echoHandler{})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := srv.Stop(t.Context()); err != nil {
			t.Error(err)
		}
	}()
	var conns []net.Conn
	for range 4 {
		c, err := net.Dial("tcp", srv.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		c.SetDeadline(time.Now().Add(10 * time.Second))
		c.Write(lan([]byte("here")))
		if _, err := io.ReadFull(c, make([]byte, 6)); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	for _, w := range srv.workers {
		for !w.sleeping.Load() {
			runtime.Gosched()
		}
	}
	if err := srv.SetLimits(Limits{IdleTimeout: time.Millisecond}); err != nil {
		t.Fatal(err)
	}
	for _, c := range conns {
		if n, err := c.Read(make([]byte, 1)); err != io.EOF {
			t.Errorf("after the change: got %d bytes, %v, want EOF", n, err)
		}
	}
}

// A change between the end of a turn and the sleep wakes nobody who sleeps: the worker must find it before it does.
func TestSimWorkerFindsNewLimitsBeforeItSleeps(t *testing.T) {
	s := newSim(t, simnet.Config{}, Config{})
	w := s.srv.workers[0]
	s.turn()
	if w.told() {
		t.Error("told of something when nothing was changed")
	}
	s.change(func(*Limits) {})
	if !w.told() {
		t.Error("not told of the change")
	}
	s.turn()
	if w.told() || w.limitsFrom != s.srv.limits.Load() {
		t.Error("the turn did not take the change")
	}
}
