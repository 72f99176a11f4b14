package simnet_test

import (
	"errors"
	"strings"
	"syscall"
	"testing"

	"vitrine/core/poller"
)

func TestConnectIsWritableWhenItStands(t *testing.T) {
	worlds(t, func(w *world) {
		fd, err := w.network.Connect(w.addr, "", false)
		w.try(err)
		defer w.poller.Close(fd)
		w.try(w.poller.Add(fd, 2))
		if got := w.until(2, writable); got != writable {
			w.Errorf("reported %v, want writable", got)
		}
		w.ok(w.network.SocketError(fd))
	})
}

func TestConnectToNobodyIsRefused(t *testing.T) {
	worlds(t, func(w *world) {
		nobody, addr, err := w.network.Listen(poller.ListenConfig{Addr: "127.0.0.1:0"})
		w.try(err)
		w.try(w.network.CloseListener(nobody))
		for range 8 { // At once or later.
			fd, err := w.network.Connect(addr, "", false)
			if err != nil {
				if !errors.Is(err, syscall.ECONNREFUSED) || !strings.Contains(err.Error(), addr.String()) {
					w.Errorf("error %q, want a refusal that names %v", err, addr)
				}
				continue
			}
			w.try(w.poller.Add(fd, 2))
			w.until(2, hangup)
			if got := w.network.SocketError(fd); got != syscall.ECONNREFUSED {
				w.Errorf("socket error %v, want ECONNREFUSED", got)
			}
			w.ok(w.poller.Close(fd))
		}
	})
}

func TestListenerIsReportedWhileConnectionsWait(t *testing.T) {
	worlds(t, func(w *world) {
		for range 2 {
			fd, err := w.network.Connect(w.addr, "", false)
			w.try(err)
			defer w.poller.Close(fd)
		}
		for range 3 {
			if got := w.expect(0); got != readable {
				w.Errorf("reported %v, want readable", got)
			}
		}
		for range 2 {
			fd, peer, errno := w.poller.Accept(w.listener)
			w.ok(errno)
			defer w.poller.Close(fd)
			if peer.Addr() != w.addr.Addr() || peer.Port() == 0 {
				w.Errorf("peer %v", peer)
			}
		}
		w.quiet()
		if fd, _, errno := w.poller.Accept(w.listener); errno != syscall.EAGAIN || fd != -1 {
			w.Errorf("accept gave %d, %v, want -1, EAGAIN", fd, errno)
		}
	})
}

func TestListenerInTwoPollersWakesWhoLooks(t *testing.T) {
	worlds(t, func(w *world) {
		second, err := w.network.NewPoller()
		w.try(err)
		defer second.Destroy()
		w.try(second.AddListener(w.listener, 9))
		client, err := w.network.Connect(w.addr, "", false)
		w.try(err)
		defer w.poller.Close(client)
		w.settle()
		events := make([]poller.Event, 4)
		n, err := second.Wait(events, patience)
		w.try(err)
		if n != 1 || events[0] != (poller.Event{Data: 9, Ready: readable}) {
			w.Errorf("second poller reported %v", events[:n])
		}
		fd, _, errno := second.Accept(w.listener)
		w.ok(errno)
		defer w.poller.Close(fd)
		w.quiet()
	})
}

func TestClosedListenerRefusesAndResets(t *testing.T) {
	worlds(t, func(w *world) {
		l, addr, err := w.network.Listen(poller.ListenConfig{Addr: "127.0.0.1:0"})
		w.try(err)
		client, err := w.network.Connect(addr, "", false)
		w.try(err)
		defer w.poller.Close(client)
		w.try(w.poller.Add(client, 2))
		w.until(2, writable)
		w.try(w.network.CloseListener(l))
		w.until(2, hangup)
		w.readFails(client, syscall.ECONNRESET)
	})
}

func TestRemovedIsNotReported(t *testing.T) {
	worlds(t, func(w *world) {
		server, client := w.pair()
		w.write(client, "queued")
		w.settle()
		w.try(w.poller.Remove(server))
		w.write(client, "more")
		w.quiet()
		if err := w.poller.Remove(server); !errors.Is(err, syscall.ENOENT) {
			w.Errorf("second remove: %v, want ENOENT", err)
		}
		w.try(w.poller.Add(server, 5))
		if got := w.expect(5); got != readable|writable {
			w.Errorf("reported %v, want readable|writable", got)
		}
	})
}

func TestClosedIsNotReportedUnderItsReusedDescriptor(t *testing.T) {
	worlds(t, func(w *world) {
		server, client := w.pair()
		w.write(client, "queued")
		w.settle()
		w.ok(w.poller.Close(server))
		again, err := w.network.Connect(w.addr, "", false)
		w.try(err)
		if again != server {
			w.Errorf("descriptor %d, want the lowest free, %d", again, server)
		}
		w.try(w.poller.Add(again, 7))
		w.settle()
		for _, e := range w.wait(16, patience) {
			if e.Data == 1 {
				w.Errorf("closed socket reported: %v", e)
			}
		}
	})
}

func TestFewEventsAtATimeLoseNone(t *testing.T) {
	worlds(t, func(w *world) {
		const count = 5
		servers := make([]int, count)
		for i := range servers {
			server, client := w.connect()
			servers[i] = server
			w.write(client, "x")
		}
		for i, server := range servers {
			w.try(w.poller.Add(server, uint64(10+i)))
		}
		got := map[uint64]int{}
		for range count {
			for _, e := range w.wait(1, patience) {
				got[e.Data]++
			}
		}
		for i := range count {
			if got[uint64(10+i)] != 1 {
				w.Errorf("%d reported %d times, want once", 10+i, got[uint64(10+i)])
			}
		}
		w.quiet()
	})
}

func TestWakeEndsOneWait(t *testing.T) {
	worlds(t, func(w *world) {
		for range 3 {
			w.try(w.poller.Wake())
		}
		if events := w.wait(4, -1); len(events) > 0 {
			w.Errorf("a wake was reported as %v", events)
		}
		w.quiet()
	})
}

func TestWritevSendsInOrder(t *testing.T) {
	worlds(t, func(w *world) {
		server, client := w.pair()
		n, errno := w.poller.Writev(client, [][]byte{[]byte("ab"), {}, nil, []byte("cde")})
		w.ok(errno)
		if n != 5 {
			w.Errorf("wrote %d bytes, want 5", n)
		}
		w.expect(1)
		if got := w.read(server, 64); got != "abcde" {
			w.Errorf("read %q, want abcde", got)
		}
	})
}

func TestWritevTakesAtMostMaxBuffers(t *testing.T) {
	worlds(t, func(w *world) {
		server, client := w.pair()
		bufs := make([][]byte, poller.MaxBuffers+1)
		for i := range bufs {
			bufs[i] = []byte{byte(i)}
		}
		n, errno := w.poller.Writev(client, bufs)
		w.ok(errno)
		if n != poller.MaxBuffers {
			w.Errorf("wrote %d bytes, want %d", n, poller.MaxBuffers)
		}
		w.settle()
		if got := w.read(server, 2*poller.MaxBuffers); len(got) != poller.MaxBuffers || got[63] != 63 {
			w.Errorf("read %d bytes: %q", len(got), got)
		}
	})
}

func TestAddressInUseReadsClearly(t *testing.T) {
	worlds(t, func(w *world) {
		_, _, err := w.network.Listen(poller.ListenConfig{Addr: w.addr.String()})
		if !errors.Is(err, syscall.EADDRINUSE) {
			w.Fatalf("error %v, want EADDRINUSE", err)
		}
		for _, part := range []string{"listen on", w.addr.String(), "address already in use"} {
			if !strings.Contains(err.Error(), part) {
				w.Errorf("error %q does not say %q", err, part)
			}
		}
	})
}

func TestBadAddressIsRefused(t *testing.T) {
	worlds(t, func(w *world) {
		for _, addr := range []string{"", "127.0.0.1", "127.0.0.1:70000", "127.0.0.1:x", "256.0.0.1:80"} {
			if fd, _, err := w.network.Listen(poller.ListenConfig{Addr: addr}); err == nil {
				w.network.CloseListener(fd)
				w.Errorf("listen on %q succeeded", addr)
			}
		}
	})
}

func TestMisuseIsAnError(t *testing.T) {
	worlds(t, func(w *world) {
		server, _ := w.pair()
		if err := w.poller.Add(server, 2); !errors.Is(err, syscall.EEXIST) {
			w.Errorf("second add: %v, want EEXIST", err)
		}
		if err := w.poller.AddListener(w.listener, poller.ReservedData); !errors.Is(err, syscall.EINVAL) {
			w.Errorf("reserved data: %v, want EINVAL", err)
		}
		if _, err := w.poller.Wait(nil, 0); !errors.Is(err, syscall.EINVAL) {
			w.Errorf("wait without events: %v, want EINVAL", err)
		}
		const closed = 9999
		if err := w.poller.Add(closed, 2); !errors.Is(err, syscall.EBADF) {
			w.Errorf("add of a closed descriptor: %v, want EBADF", err)
		}
		w.readFails(closed, syscall.EBADF)
		w.writeFails(closed, syscall.EBADF)
		if got := w.poller.Close(closed); got != syscall.EBADF {
			w.Errorf("close of a closed descriptor: %v, want EBADF", got)
		}
		if err := w.network.CloseListener(closed); !errors.Is(err, syscall.EBADF) {
			w.Errorf("close of a closed listener: %v, want EBADF", err)
		}
	})
}

func TestDestroyedPollerSaysSo(t *testing.T) {
	worlds(t, func(w *world) {
		p, err := w.network.NewPoller()
		w.try(err)
		w.try(p.Destroy())
		w.try(p.Destroy())
		w.try(p.Wake())
		if _, err := p.Wait(make([]poller.Event, 1), -1); !errors.Is(err, poller.ErrClosed) {
			w.Errorf("wait: %v, want ErrClosed", err)
		}
		if err := p.Add(w.listener, 1); !errors.Is(err, poller.ErrClosed) {
			w.Errorf("add: %v, want ErrClosed", err)
		}
	})
}

func TestClockNeverGoesBack(t *testing.T) {
	worlds(t, func(w *world) {
		last := w.poller.Now()
		for range 100 {
			w.settle()
			now := w.poller.Now()
			if now < last {
				w.Fatalf("clock went from %d to %d", last, now)
			}
			last = now
		}
	})
}
