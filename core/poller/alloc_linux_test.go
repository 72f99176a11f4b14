package poller

import (
	"net"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

func addressOf(sa *unix.RawSockaddrAny) unsafe.Pointer { return unsafe.Pointer(sa) }

func TestNothingAllocatesBetweenAddAndClose(t *testing.T) {
	p := newTestPoller(t)
	a, b := socketPair(t)
	listener, addr := testListen(t, ListenConfig{Addr: "127.0.0.1:0"})
	var hot Poller = p
	events, buffer := make([]Event, 8), make([]byte, 64)
	two := [][]byte{buffer[:8], buffer[8:16]}
	const runs = 100
	for range 2 * (runs + 1) {
		testDial(t, addr.String())
	}
	accepted := make([]int, 0, runs+1)
	for _, c := range []struct {
		name string
		call func()
	}{
		{"Accept", func() { fd, _, _ := hot.Accept(listener); accepted = append(accepted, fd) }},
		{"Add", func() { hot.Add(b, 1); hot.Remove(b) }},
		{"Wait", func() { hot.Wait(events, 0) }},
		{"Wait that sleeps", func() { hot.Wait(events, 1) }},
		{"Write and Read", func() { hot.Write(a, buffer); hot.Read(b, buffer) }},
		{"Read of nothing", func() { hot.Read(b, buffer) }},
		{"Writev", func() { hot.Writev(a, two); hot.Read(b, buffer) }},
		{"Wake", func() { hot.Wake() }},
		{"Now", func() { hot.Now() }},
		{"Close", func() { hot.Close(accepted[len(accepted)-1]); accepted = accepted[:len(accepted)-1] }},
	} {
		if got := testing.AllocsPerRun(runs, c.call); got != 0 {
			t.Errorf("%s allocates %v times", c.name, got)
		}
	}
}

func TestAcceptOfIPv6DoesNotAllocate(t *testing.T) {
	if !hasLoopback6() {
		t.Skip("no IPv6 loopback")
	}
	p := newTestPoller(t)
	listener, addr := testListen(t, ListenConfig{Addr: "[::]:0"})
	const runs = 20
	for i := range runs + 1 {
		testDial(t, net.JoinHostPort([]string{"::1", "127.0.0.1"}[i%2], port(addr)))
	}
	got := testing.AllocsPerRun(runs, func() {
		fd, _, errno := p.Accept(listener)
		if errno != 0 {
			t.Fatal(errno)
		}
		p.Close(fd)
	})
	if got != 0 {
		t.Errorf("accept allocates %v times", got)
	}
}

// socketPair is two connected sockets without TCP beneath.
func socketPair(t testing.TB) (int, int) {
	t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(pair[0]); unix.Close(pair[1]) })
	return pair[0], pair[1]
}

// One turn of a worker with one session: a wait that finds an edge, a read
// and a write. The same with Syscall costs 46 ns a call more.
func BenchmarkTurn(b *testing.B) {
	p := newTestPoller(b)
	near, far := socketPair(b)
	p.Add(near, 1)
	events, buffer := make([]Event, 64), make([]byte, 32)
	p.Wait(events, 0)
	b.ReportAllocs()
	for b.Loop() {
		p.Write(far, buffer)
		if n, _ := p.Wait(events, 0); n != 1 {
			b.Fatal("no edge")
		}
		p.Read(near, buffer)
	}
}

func BenchmarkWaitNothing(b *testing.B) {
	p := newTestPoller(b)
	events := make([]Event, 64)
	for b.Loop() {
		p.Wait(events, 0)
	}
}

func BenchmarkWakeAwake(b *testing.B) {
	p := newTestPoller(b)
	events := make([]Event, 64)
	b.Run("first", func(b *testing.B) {
		for b.Loop() {
			p.Wake()
			p.state.Store(awake)
		}
	})
	b.Run("more", func(b *testing.B) {
		for b.Loop() {
			p.Wake()
		}
	})
	p.Wait(events, 0)
}

func BenchmarkWakeAsleep(b *testing.B) {
	p := newTestPoller(b)
	for b.Loop() {
		p.state.Store(asleep)
		p.Wake()
	}
}
