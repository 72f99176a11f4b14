//go:build linux

package e2e

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"vitrine/core/engine"
	"vitrine/core/packet"
	"vitrine/servers/bot"
)

// accountant answers each request with several packets and keeps count of what was accepted for sending and what the
// kernel took, by client address.
type accountant struct {
	directory
	accepted, refused atomic.Uint64 // packets
	received          atomic.Uint64 // packets, by all readers
	taken             sync.Map      // netip.AddrPort -> *atomic.Int64, bytes
}

// answers is the number of packets that answer a request.
const answers = 5

func (a *accountant) OnClientJoin(s *engine.Session) {
	a.taken.Store(s.RemoteAddr(), new(atomic.Int64))
	a.directory.OnClientJoin(s)
}

func (a *accountant) OnRecv(s *engine.Session, in *packet.Reader) {
	request := in.Rest()
	for range answers {
		if s.Send(s.NewPacket().Bytes(request)) != nil {
			a.refused.Add(1)
		} else {
			a.accepted.Add(1)
		}
	}
}

func (a *accountant) OnSend(s *engine.Session, bytes int) {
	taken, _ := a.taken.Load(s.RemoteAddr())
	taken.(*atomic.Int64).Add(int64(bytes))
}

// ahead is the most packets that senders elsewhere are ahead of the readers, so that no send queue reaches its limit.
const ahead = 20_000

// send sends to one session after the other from this goroutine.
func (a *accountant) send(srv *engine.Server, done <-chan struct{}) {
	for i := 0; ; i++ {
		select {
		case <-done:
			return
		default:
		}
		if a.accepted.Load() > a.received.Load()+ahead {
			runtime.Gosched()
			continue
		}
		a.mu.Lock()
		var id engine.ID
		if len(a.ids) > 0 {
			id = a.ids[i%len(a.ids)]
		}
		a.mu.Unlock()
		if srv.SendPacket(id, srv.NewPacket().U64(foreign)) == nil {
			a.accepted.Add(1)
		}
	}
}

// reader is a client that counts what it receives to the end of the stream.
type reader struct {
	*client
	total   *atomic.Uint64 // of all readers
	packets uint64
	end     error
}

// converse sends requests, up to depth of them unanswered, until sending fails, and reads to the end of the stream.
func (r *reader) converse(depth uint64) {
	request := r.seal(make([]byte, 200))
	var sent, answered uint64
	for writing := true; ; {
		for ; writing && sent < answered/answers+depth; sent++ {
			_, err := r.conn.Write(request)
			writing = err == nil
		}
		var payload []byte
		if payload, r.end = r.receive(); r.end != nil {
			r.conn.Close()
			return
		}
		r.packets++
		r.total.Add(1)
		if len(payload) == 200 {
			answered++
		}
	}
}

// Stop under load: what was accepted was either received by its client, packet for packet and byte for byte, or counted as
// unsent.
func TestStopAccountsForEverythingThatWasQueued(t *testing.T) {
	for _, test := range []struct {
		name    string
		silent  int           // clients that never read
		timeout time.Duration // of the stop
	}{
		{"everybody reads", 0, patience},
		{"some never read", 4, time.Second},
		{"no time at all", 4, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			handler := &accountant{directory: directory{at: map[engine.ID]int{}}}
			srv := startServer(t, engine.Config{Codec: lan, Workers: 2, SendLimitBytes: 8 << 20, SendLimitPackets: 1 << 16}, handler)
			var readers []*reader
			var talking, sending sync.WaitGroup
			for i := range 16 {
				c, err := connect(srv.Addr(), lan)
				if err != nil {
					t.Fatal(err)
				}
				defer c.conn.Close()
				r := &reader{client: c, total: &handler.received}
				if i < test.silent {
					for range 100 {
						r.send(make([]byte, 8000)) // 4 MB of answers, more than the kernel takes
					}
					continue
				}
				readers = append(readers, r)
				talking.Go(func() { r.converse(16) })
			}
			stop := make(chan struct{})
			for range 2 {
				sending.Go(func() { handler.send(srv, stop) })
			}
			eventually(t, "busy", func() bool {
				st := srv.Status()
				return st.Total.Joins == 16 && st.Total.SentPackets > 20_000
			})
			before := handler.accepted.Load()
			if stopWithin(srv, test.timeout) != nil { // the time of a stop may be too short for the workers to end
				eventually(t, "stopped", func() bool { return stopWithin(srv, time.Second) == nil })
			}
			close(stop)
			sending.Wait()
			talking.Wait()
			checkBalance(t, srv.Status(), 16)
			received := checkDelivery(t, handler, srv.Status(), readers, test.silent == 0 && test.timeout > 0)
			if test.silent == 0 && received < before {
				t.Errorf("received %d packets, want at least the %d that were queued before the stop", received, before)
			}
		})
	}
}

func stopWithin(srv *engine.Server, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return srv.Stop(ctx)
}

// checkDelivery compares the server's books with what the clients counted. With nobody silent the books are exact to the
// packet and nobody lost anything to a reset.
func checkDelivery(t *testing.T, handler *accountant, st engine.Status, readers []*reader, exact bool) (received uint64) {
	t.Helper()
	var bytes uint64
	for i, r := range readers {
		received += r.packets
		bytes += uint64(r.read)
		address, err := netip.ParseAddrPort(r.conn.LocalAddr().String())
		if err != nil {
			t.Fatal(err)
		}
		taken, _ := handler.taken.Load(address)
		if got, want := r.read, taken.(*atomic.Int64).Load(); exact && (got != want || !errors.Is(r.end, io.EOF)) {
			t.Errorf("reader %d received %d bytes to %v, want the %d that the kernel took, to EOF", i, got, r.end, want)
		}
	}
	accepted, refused := handler.accepted.Load(), handler.refused.Load()
	if exact && accepted+refused != received+st.Total.UnsentPackets {
		t.Errorf("accepted %d and refused %d packets, received %d, unsent %d: want the sums equal", accepted, refused, received, st.Total.UnsentPackets)
	}
	if exact && bytes != st.Total.SentBytes {
		t.Errorf("received %d bytes, want the %d sent", bytes, st.Total.SentBytes)
	}
	if !exact && (received == 0 || received > accepted) {
		t.Errorf("received %d packets of %d accepted", received, accepted)
	}
	t.Logf("accepted %d packets, received %d, unsent %d (%d bytes), refused %d", accepted, received, st.Total.UnsentPackets, st.Total.UnsentBytes, refused)
	return received
}

// stopDeadline is how long the program drains at most. exitSlack is for what follows and has no deadline: the log is closed,
// the process exits and the test learns of it.
const (
	stopDeadline = 10 * time.Second
	exitSlack    = 5 * time.Second
)

// SIGTERM under load: each client's stream is whole to its end, which comes in good order, and the program says how much
// was not sent.
func TestServeDrainsOnSIGTERM(t *testing.T) {
	p := launch(t, "serve", "echo", "--no-greeting", "--port-base", "0")
	at := p.server("echo-lan")
	var talking sync.WaitGroup
	var echoes atomic.Uint64
	for i := range 16 {
		c, err := connect(at.addr, lan)
		if err != nil {
			t.Fatal(err)
		}
		defer c.conn.Close()
		talking.Go(func() {
			n, err := converse(c, 64, &echoes)
			c.conn.Close()
			if !errors.Is(err, io.EOF) || n == 0 {
				t.Errorf("client %d: %d echoes, then %v, want EOF", i, n, err)
			}
		})
	}
	eventually(t, "busy", func() bool { return echoes.Load() > 10_000 })
	began := time.Now()
	p.signal(syscall.SIGTERM)
	if status := p.status(patience); status != 0 {
		t.Errorf("exit status %d, want 0", status)
	}
	took := time.Since(began)
	talking.Wait()
	p.find(`server stopped.* sessions_closed=16 packets_unsent=0`)
	if took > stopDeadline+exitSlack {
		t.Errorf("ended after %v, want within the deadline of %v and %v for the exit", took, stopDeadline, exitSlack)
	}
	t.Logf("%d echoes, ended %v after the signal", echoes.Load(), took.Round(time.Millisecond))
}

// converse sends requests, up to depth of them unanswered, until the end of the stream, and returns how many echoes came.
// An echo that is not whole or not in order is an error.
func converse(c *client, depth int, total *atomic.Uint64) (n uint64, err error) {
	sent := uint64(0)
	for writing := true; ; n++ {
		for ; writing && sent < n+uint64(depth); sent++ {
			writing = c.send(binary.LittleEndian.AppendUint64(nil, sent)) == nil
		}
		payload, err := c.receive()
		if err != nil {
			return n, err
		}
		if got := binary.LittleEndian.Uint64(payload); got != n {
			return n, fmt.Errorf("echo %d, want %d", got, n)
		}
		total.Add(1)
	}
}

// Bots lose their server in mid-game: nothing they had received was wrong, and every end was one in good order.
func TestBotsSeeTheServerLeaveInGoodOrder(t *testing.T) {
	for _, codec := range []string{"lan", "sealed"} {
		p := launch(t, "serve", "echo", "--codec", codec, "--port-base", "0")
		at := p.server("echo-" + codec)
		players := play(t, codec, bot.Config{
			Addr: at.addr, Codec: parseCodec(t, codec, at), Bots: 40, Depth: 8, Think: -1, Greeting: true, RampUp: -1,
			Timeout: patience, Drain: time.Second,
		})
		players.await(func(r bot.Report) bool { return r.Received > 5000 })
		p.signal(syscall.SIGTERM)
		if status := p.status(patience); status != 0 {
			t.Errorf("%s: exit status %d, want 0", codec, status)
		}
		report := players.end()
		if report.Wrong+report.Missing != 0 || report.CloseReasons["peer_closed"] != 40 {
			t.Errorf("%s: %s, closed %v; want nothing wrong and 40 closed in order\n%v", codec, report.String(), report.CloseReasons, report.Findings)
		}
		p.find(`server stopped.* sessions_closed=40 packets_unsent=0`)
	}
}
