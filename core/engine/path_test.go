package engine

import (
	"bytes"
	"fmt"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"vitrine/core/frame"
	"vitrine/core/packet"
	"vitrine/core/poller"
)

// loopNet is a network without a kernel: each turn every session has the same input to read, and what is written is taken
// and forgotten. It shows what the packet path costs by itself.
type loopNet struct {
	next  int
	input func(fd int) []byte // what a session reads in a turn
	fds   []int
	data  []uint64
	fresh []bool
	out   int
	tap   func(fd int, b []byte)
}

func (n *loopNet) Listen(poller.ListenConfig) (int, netip.AddrPort, error) {
	return 1, netip.MustParseAddrPort("127.0.0.1:1"), nil
}
func (n *loopNet) Connect(netip.AddrPort, string, bool) (int, error) { return 0, syscall.ENOSYS }
func (n *loopNet) SocketError(int) syscall.Errno                     { return 0 }
func (n *loopNet) NewPoller() (poller.Poller, error)                 { return (*loopPoller)(n), nil }
func (n *loopNet) CloseListener(int) error                           { return nil }

type loopPoller loopNet

func (p *loopPoller) Wait(events []poller.Event, _ time.Duration) (int, error) {
	n := min(len(events), len(p.fds))
	for i := range n {
		at := (p.next + i) % len(p.fds)
		p.fresh[at] = true
		events[i] = poller.Event{Data: p.data[at], Ready: poller.Readable | poller.Writable}
	}
	p.next += n
	return n, nil
}
func (p *loopPoller) Wake() error { return nil }
func (p *loopPoller) Add(fd int, data uint64) error {
	p.fds, p.data, p.fresh = append(p.fds, fd), append(p.data, data), append(p.fresh, false)
	return nil
}
func (p *loopPoller) AddListener(int, uint64) error { return nil }
func (p *loopPoller) Remove(int) error              { return nil }
func (p *loopPoller) Accept(int) (int, netip.AddrPort, syscall.Errno) {
	return -1, netip.AddrPort{}, syscall.EAGAIN
}
func (p *loopPoller) Read(fd int, b []byte) (int, syscall.Errno) {
	if !p.fresh[fd-10] {
		return 0, syscall.EAGAIN
	}
	p.fresh[fd-10] = false
	return copy(b, p.input(fd)), 0
}
func (p *loopPoller) Write(fd int, b []byte) (int, syscall.Errno) {
	p.out += len(b)
	if p.tap != nil {
		p.tap(fd, b)
	}
	return len(b), 0
}
func (p *loopPoller) Writev(fd int, bufs [][]byte) (int, syscall.Errno) {
	n := 0
	for _, b := range bufs {
		p.Write(fd, b)
		n += len(b)
	}
	return n, 0
}
func (p *loopPoller) Shutdown(int) syscall.Errno { return 0 }
func (p *loopPoller) Close(int) syscall.Errno    { return 0 }
func (p *loopPoller) Abort(int) syscall.Errno    { return 0 }
func (p *loopPoller) Now() int64                 { return loopClock() }
func (p *loopPoller) Destroy() error             { return nil }

var loopEpoch = time.Now()

func loopClock() int64 { return int64(time.Since(loopEpoch)) }

type echoHandler struct{}

func (echoHandler) OnClientJoin(*Session)                {}
func (echoHandler) OnRecv(s *Session, in *packet.Reader) { s.Send(s.NewPacket().Bytes(in.Rest())) }
func (echoHandler) OnClientLeave(_ *Session, _ Reason)   {}
func (echoHandler) OnSend(*Session, int)                 {}

// newLoop returns a worker with sessions that are open and read input each turn.
func newLoop(t testing.TB, codec frame.Codec, sessions int, input func(fd int) []byte) (*worker, *loopNet) {
	t.Helper()
	net := &loopNet{input: input}
	srv, err := New(Config{Addr: "127.0.0.1:1", Workers: 1, Network: net, Codec: codec, MaxSessions: sessions}, echoHandler{})
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.prepare(); err != nil {
		t.Fatal(err)
	}
	w := srv.workers[0]
	for i := range sessions {
		if !w.open(10+i, netip.MustParseAddrPort("127.0.0.1:2")) {
			t.Fatal("no slot")
		}
	}
	return w, net
}

// BenchmarkPath reports what a 32-byte LAN packet costs from the poller's event to the write, without the kernel.
func BenchmarkPath(b *testing.B) {
	for _, depth := range []int{1, 16} {
		b.Run(fmt.Sprintf("depth=%d", depth), func(b *testing.B) {
			stream := bytes.Repeat(lan(make([]byte, 32)), depth)
			w, _ := newLoop(b, frame.Codec{}, 1000, func(int) []byte { return stream })
			b.ReportAllocs()
			packets := 0
			for b.Loop() {
				w.turn()
				packets += eventsPerTurn * depth
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(packets), "ns/packet")
		})
	}
}

func sealedPair(t testing.TB) (client, server frame.Codec) {
	t.Helper()
	private, err := frame.GenerateKey()
	if err != nil {
		t.Fatal(err)
	}
	public, err := frame.PublicKey(private)
	if err != nil {
		t.Fatal(err)
	}
	if server, err = frame.Sealed(frame.SealedConfig{Private: private}); err != nil {
		t.Fatal(err)
	}
	if client, err = frame.Sealed(frame.SealedConfig{PublicKey: public}); err != nil {
		t.Fatal(err)
	}
	return client, server
}
