package simnet_test

import (
	"bytes"
	"net/netip"
	"runtime"
	"syscall"
	"testing"
	"time"

	"vitrine/core/poller"
	"vitrine/core/simnet"
)

// patience bounds a wait for what must come, on the real network.
const patience = 10 * time.Second

// world is one network with a poller and a listener (data 0).
type world struct {
	*testing.T
	network  poller.Network
	sim      *simnet.Net // nil: the kernel's
	poller   poller.Poller
	listener int
	addr     netip.AddrPort
}

// worlds runs a test on the kernel's network and on simulated ones.
func worlds(t *testing.T, run func(*world)) {
	if runtime.GOOS == "linux" {
		t.Run("system", func(t *testing.T) { run(newWorld(t, poller.System(), nil)) })
	}
	for _, c := range []struct {
		name   string
		config simnet.Config
	}{
		{"immediate", simnet.Config{}},
		{"delayed", simnet.Config{Seed: 1, MinDelay: time.Millisecond, MaxDelay: 50 * time.Millisecond}},
		{"window", simnet.Config{Seed: 2, MaxDelay: time.Millisecond, Window: 4096}},
	} {
		sim := simnet.New(c.config)
		t.Run(c.name, func(t *testing.T) { run(newWorld(t, sim, sim)) })
	}
}

func newWorld(t *testing.T, network poller.Network, sim *simnet.Net) *world {
	t.Helper()
	w := &world{T: t, network: network, sim: sim}
	var err error
	if w.poller, err = network.NewPoller(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.poller.Destroy() })
	w.listener, w.addr, err = network.Listen(poller.ListenConfig{Addr: "127.0.0.1:0"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { network.CloseListener(w.listener) })
	w.try(w.poller.AddListener(w.listener, 0))
	return w
}

func (w *world) try(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) ok(errno syscall.Errno) {
	w.Helper()
	if errno != 0 {
		w.Fatal(errno)
	}
}

// settle lets everything simulated arrive.
func (w *world) settle() {
	for w.sim != nil && w.sim.Step() {
	}
}

// wait returns the next events, at most limit, none when none come soon.
func (w *world) wait(limit int, soon time.Duration) []poller.Event {
	w.Helper()
	w.settle()
	events := make([]poller.Event, limit)
	n, err := w.poller.Wait(events, soon)
	w.try(err)
	return events[:n]
}

// expect waits until data is reported and returns how. What else is reported
// is dropped.
func (w *world) expect(data uint64) poller.Ready {
	w.Helper()
	for begin := time.Now(); time.Since(begin) < patience; {
		for _, e := range w.wait(16, patience) {
			if e.Data == data {
				return e.Ready
			}
		}
		if w.sim != nil {
			break
		}
	}
	w.Fatalf("nothing reported for %d", data)
	return 0
}

// until waits until data is reported with all of bits.
func (w *world) until(data uint64, bits poller.Ready) poller.Ready {
	w.Helper()
	for range 100 {
		if got := w.expect(data); got&bits == bits {
			return got
		}
	}
	w.Fatalf("%d never reported as %v", data, bits)
	return 0
}

// quiet fails when something is reported. On the real network a late report
// would be missed; loopback delivers within the sender's call.
func (w *world) quiet() {
	w.Helper()
	if events := w.wait(16, 5*time.Millisecond); len(events) > 0 {
		w.Errorf("reported %v, want nothing", events)
	}
}

// connect opens a connection; both ends are non-blocking and unwatched.
func (w *world) connect() (server, client int) {
	w.Helper()
	client, err := w.network.Connect(w.addr, "", false)
	w.try(err)
	w.expect(0)
	server, _, errno := w.poller.Accept(w.listener)
	w.ok(errno)
	w.settle()
	w.Cleanup(func() { w.poller.Close(client); w.poller.Close(server) })
	return server, client
}

// pair is connect with the server's end watched as 1, and its first edge
// taken.
func (w *world) pair() (server, client int) {
	w.Helper()
	server, client = w.connect()
	w.try(w.poller.Add(server, 1))
	if got := w.expect(1); got != poller.Writable {
		w.Fatalf("first edge %v, want writable", got)
	}
	return server, client
}

func (w *world) write(fd int, text string) {
	w.Helper()
	n, errno := w.poller.Write(fd, []byte(text))
	w.ok(errno)
	if n != len(text) {
		w.Fatalf("wrote %d of %d bytes", n, len(text))
	}
}

// read reads once, into size bytes.
func (w *world) read(fd, size int) string {
	w.Helper()
	b := make([]byte, size)
	n, errno := w.poller.Read(fd, b)
	w.ok(errno)
	return string(b[:n])
}

func (w *world) readFails(fd int, want syscall.Errno) {
	w.Helper()
	if _, errno := w.poller.Read(fd, make([]byte, 8)); errno != want {
		w.Errorf("read: errno %v, want %v", errno, want)
	}
}

func (w *world) writeFails(fd int, want syscall.Errno) {
	w.Helper()
	if _, errno := w.poller.Write(fd, []byte("x")); errno != want {
		w.Errorf("write: errno %v, want %v", errno, want)
	}
}

// fill writes until EAGAIN and returns how many bytes were taken.
func (w *world) fill(fd int) int {
	w.Helper()
	b := bytes.Repeat([]byte{'x'}, 32<<10)
	for total := 0; ; {
		n, errno := w.poller.Write(fd, b)
		if errno == syscall.EAGAIN {
			return total
		}
		w.ok(errno)
		total += n
	}
}

// drain reads total bytes.
func (w *world) drain(fd, total int) {
	w.Helper()
	b := make([]byte, 64<<10)
	for begin := time.Now(); total > 0; {
		n, errno := w.poller.Read(fd, b)
		if errno != 0 && errno != syscall.EAGAIN || errno == 0 && n == 0 || time.Since(begin) > patience {
			w.Fatalf("%d bytes missing: %v", total, errno)
		}
		total -= n
		w.settle()
	}
}
