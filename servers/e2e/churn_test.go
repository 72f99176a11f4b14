//go:build linux

package e2e

import (
	"context"
	"encoding/binary"
	"math/rand/v2"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vitrine/core/engine"
	"vitrine/core/packet"
	"vitrine/servers/bot"
)

// directory is an echo handler that knows who is there, for others to meddle with.
type directory struct {
	mu   sync.Mutex
	ids  []engine.ID       // guarded by mu
	at   map[engine.ID]int // index in ids; guarded by mu
	join atomic.Int64
	left atomic.Int64
}

func (d *directory) OnClientJoin(s *engine.Session) {
	d.join.Add(1)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.at[s.ID()] = len(d.ids)
	d.ids = append(d.ids, s.ID())
}

func (d *directory) OnRecv(s *engine.Session, in *packet.Reader) {
	s.Send(s.NewPacket().Bytes(in.Rest()))
}

func (d *directory) OnClientLeave(s *engine.Session, _ engine.Reason) {
	d.left.Add(1)
	d.mu.Lock()
	defer d.mu.Unlock()
	i, last := d.at[s.ID()], d.ids[len(d.ids)-1]
	d.ids[i], d.at[last] = last, i
	d.ids = d.ids[:len(d.ids)-1]
	delete(d.at, s.ID())
}

// some returns up to n ids, from a random place on.
func (d *directory) some(random *rand.Rand, n int) []engine.ID {
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.ids) == 0 {
		return nil
	}
	from := random.IntN(len(d.ids))
	return append([]engine.ID(nil), d.ids[from:min(from+n, len(d.ids))]...)
}

// meddle does from this goroutine what sessions must survive, until the context ends.
func (d *directory) meddle(ctx context.Context, srv *engine.Server, seed uint64) (deeds int) {
	random := rand.New(rand.NewPCG(seed, 3))
	for ; ctx.Err() == nil; deeds++ {
		ids := d.some(random, 20)
		if len(ids) == 0 {
			runtime.Gosched()
			continue
		}
		switch id, action := ids[0], random.IntN(10_000); {
		case action < 1: // rarely, so that most sessions live to do something
			srv.Disconnect(id)
		case action < 20:
			srv.Broadcast(ids, srv.NewPacket().U64(foreign))
		case action < 200:
			srv.SendPacket(id, srv.NewPacket().U64(foreign))
		case action < 400:
			srv.Post(id, func(s *engine.Session) { s.Send(s.NewPacket().U64(foreign)) })
		default:
			runtime.Gosched()
		}
	}
	return deeds
}

// foreign is the packet that meddlers send; no echo is like it.
const foreign = 1<<64 - 1

// visitor is a goroutine's share of the clients: it opens and ends connections in random order and talks on them.
type visitor struct {
	t      *testing.T
	addr   string
	random *rand.Rand
	open   []*client
	spoken uint64
	echoes uint64
}

// visit makes a number of connections, a few at a time, and ends them all.
func (v *visitor) visit(number int) {
	for made := 0; made < number || len(v.open) > 0; {
		switch action := v.random.IntN(8); {
		case made < number && (len(v.open) == 0 || action < 2 && len(v.open) < 16):
			made++
			c, err := connect(v.addr, lan)
			if err != nil {
				v.t.Errorf("connection %d: %v", made, err)
				return
			}
			v.open = append(v.open, c)
		case action < 4 || made == number:
			v.leave(v.random.IntN(len(v.open)))
		default:
			v.talk(v.random.IntN(len(v.open)))
		}
	}
}

// leave ends a connection in one of three ways: in order, by a reset, or in the middle of a frame.
func (v *visitor) leave(i int) {
	c := v.open[i]
	v.open[i] = v.open[len(v.open)-1]
	v.open = v.open[:len(v.open)-1]
	switch v.random.IntN(4) {
	case 0:
		c.conn.(*net.TCPConn).SetLinger(0)
	case 1:
		c.conn.Write(c.seal(make([]byte, 100))[:50])
	}
	c.conn.Close()
}

// talk sends a few requests and reads up to their echoes, if the connection lasts so long.
func (v *visitor) talk(i int) {
	c := v.open[i]
	first, last := v.spoken+1, v.spoken+1+v.random.Uint64N(8)
	v.spoken = last
	for n := first; n <= last; n++ {
		if c.send(binary.LittleEndian.AppendUint64(nil, n)) != nil {
			return
		}
	}
	for want := first; want <= last; {
		payload, err := c.receive()
		if err != nil {
			return // disconnected by a meddler
		}
		switch got := binary.LittleEndian.Uint64(payload); got {
		case foreign:
		case want:
			want++
			v.echoes++
		default:
			v.t.Errorf("echo %d, want %d", got, want)
			return
		}
	}
}

// lan is the codec of trusted peers.
var lan, _ = bot.ParseCodec("lan", "")

func startServer(t *testing.T, cfg engine.Config, h engine.Handler) *engine.Server {
	t.Helper()
	cfg.Addr = "127.0.0.1:0"
	srv, err := engine.New(cfg, h)
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	return srv
}

func stopServer(t *testing.T, srv *engine.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := srv.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// eventually waits until the condition holds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	poll := time.NewTicker(5 * time.Millisecond)
	defer poll.Stop()
	late := time.After(patience)
	for !holds() {
		select {
		case <-poll.C:
		case <-late:
			t.Errorf("after %v: not %s", patience, what)
			return
		}
	}
}

func TestChurnLeavesNothingBehind(t *testing.T) {
	before := runtime.NumGoroutine()
	handler := &directory{at: map[engine.ID]int{}}
	srv := startServer(t, engine.Config{Codec: lan, Workers: 2, MaxSessions: 2000}, handler)
	ctx, cancel := context.WithCancel(t.Context())
	var meddlers, visitors sync.WaitGroup
	var deeds atomic.Int64
	for seed := range uint64(3) {
		meddlers.Go(func() { deeds.Add(int64(handler.meddle(ctx, srv, seed))) })
	}
	const groups = 16
	var echoes atomic.Uint64
	for g := range groups {
		v := &visitor{t: t, addr: srv.Addr(), random: rand.New(rand.NewPCG(uint64(g), 4))}
		visitors.Go(func() {
			v.visit((*connects + groups - 1) / groups)
			echoes.Add(v.echoes)
		})
	}
	visitors.Wait()
	eventually(t, "without sessions", func() bool { return srv.Status().Sessions == 0 })
	cancel()
	meddlers.Wait()
	eventually(t, "with empty pools while the server runs", func() bool {
		st := srv.Status()
		return st.Packets.InUse == 0 && st.Output.InUse == 0 && st.Partial.InUse == 0
	})
	stopServer(t, srv)
	checkBalance(t, srv.Status(), *connects)
	if handler.join.Load() != handler.left.Load() || len(handler.ids) != 0 {
		t.Errorf("joins %d, leaves %d, still known %d", handler.join.Load(), handler.left.Load(), len(handler.ids))
	}
	eventually(t, "back to the goroutines of the start", func() bool { return runtime.NumGoroutine() <= before })
	t.Logf("%d connects, %d echoes, %d rounds of meddlers, %d commands, reasons %v",
		*connects, echoes.Load(), deeds.Load(), srv.Status().Total.Commands, srv.Status().Reasons)
}

// checkBalance compares the last figures of a server with what they must be when nothing is left.
func checkBalance(t *testing.T, st engine.Status, sessions int) {
	t.Helper()
	if st.Sessions != 0 || st.Packets.InUse != 0 || st.Output.InUse != 0 || st.Partial.InUse != 0 {
		t.Errorf("left over: sessions %d, packets %d, output %d, partial %d, want 0",
			st.Sessions, st.Packets.InUse, st.Output.InUse, st.Partial.InUse)
	}
	c := st.Total
	if c.Joins != c.Leaves || c.Joins < uint64(sessions) || c.Joins != c.Accepts || sum(st.Reasons) != c.Closed || c.Closed != c.Joins {
		t.Errorf("accepts %d, joins %d, leaves %d, closed %d, reasons %v, want %d of each",
			c.Accepts, c.Joins, c.Leaves, c.Closed, st.Reasons, sessions)
	}
	if c.QueuedBytes != c.SentBytes+c.UnsentBytes {
		t.Errorf("queued bytes %d, want sent %d + unsent %d", c.QueuedBytes, c.SentBytes, c.UnsentBytes)
	}
	if c.Panics != 0 {
		t.Errorf("panics: %d", c.Panics)
	}
}
