package engine_test

import (
	"context"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vitrine/core/engine"
)

// roster knows the ids of the last sessions that joined, those that left among them.
type roster struct {
	echo
	ids  [32]atomic.Uint64
	next atomic.Uint32
}

func (r *roster) OnClientJoin(s *engine.Session) {
	r.echo.OnClientJoin(s)
	r.ids[r.next.Add(1)%32].Store(uint64(s.ID()))
}

func (r *roster) pick(n int) engine.ID { return engine.ID(r.ids[n%32].Load()) }

// TestForeignCallsAgainstReuse has goroutines call everything that any goroutine may call, while few slots change their
// sessions and workers fast and a stop falls in the middle. Run it with -race.
func TestForeignCallsAgainstReuse(t *testing.T) {
	for range 2 {
		handler := new(roster)
		srv := start(t, engine.Config{Workers: 3, MaxSessions: 8, QueueLimit: 64, FlightRecords: 64}, handler)
		var callers, clients sync.WaitGroup
		var done atomic.Bool
		for c := range 3 {
			callers.Go(func() {
				for n := c; !done.Load(); n++ {
					abuse(srv, handler, n)
				}
			})
		}
		for range 6 {
			clients.Go(func() {
				for !done.Load() && visit(srv.Addr()) {
				}
			})
		}
		for deadline := time.Now().Add(10 * time.Second); handler.leaves.Load() < 100 && time.Now().Before(deadline); {
			runtime.Gosched()
		}
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		if err := srv.Stop(ctx); err != nil {
			t.Error(err)
		}
		cancel()
		done.Store(true)
		callers.Wait()
		clients.Wait()
		checkBooks(t, srv, handler)
	}
}

// abuse makes one call from outside the workers.
func abuse(srv *engine.Server, handler *roster, n int) {
	id := handler.pick(n * 7)
	switch n % 6 {
	case 0:
		srv.SendPacket(id, srv.NewPacket().U64(uint64(n)))
	case 1:
		srv.Broadcast([]engine.ID{id, handler.pick(n), handler.pick(n + 1)}, srv.NewPacket().U16(7))
	case 2:
		srv.Post(id, func(s *engine.Session) { s.Send(s.NewPacket().U16(uint16(s.Worker()))) })
	case 3:
		srv.Disconnect(id)
		srv.Disconnect(id)
	case 4:
		srv.SendPacket(id, srv.NewPacket())
	case 5:
		srv.Status()
	}
}

// visit connects, says something and leaves; false when nobody listens.
func visit(addr string) bool {
	c, err := net.Dial("tcp", addr)
	if err != nil {
		return false
	}
	defer c.Close()
	c.SetDeadline(time.Now().Add(10 * time.Second))
	c.Write(lanFrame([]byte("hello")))
	var b [64]byte
	c.Read(b[:])
	return true
}

func checkBooks(t *testing.T, srv *engine.Server, handler *roster) {
	t.Helper()
	st := srv.Status()
	if st.Sessions != 0 || st.Packets.InUse != 0 || st.Output.InUse != 0 || st.Partial.InUse != 0 {
		t.Errorf("left over: sessions %d, packets %d, output slots %d, partial slots %d, want 0",
			st.Sessions, st.Packets.InUse, st.Output.InUse, st.Partial.InUse)
	}
	if j, l := handler.joins.Load(), handler.leaves.Load(); j != l || uint64(j) != st.Total.Joins || st.Total.Leaves != st.Total.Joins {
		t.Errorf("joins %d (%d), leaves %d (%d), want equal", j, st.Total.Joins, l, st.Total.Leaves)
	}
	if st.Total.QueuedBytes != st.Total.SentBytes+st.Total.UnsentBytes {
		t.Errorf("queued bytes %d, want sent %d + unsent %d", st.Total.QueuedBytes, st.Total.SentBytes, st.Total.UnsentBytes)
	}
	for i, w := range st.Workers {
		if w.Sessions != 0 || w.Queue != 0 {
			t.Errorf("worker %d: sessions %d, queue %d, want 0", i, w.Sessions, w.Queue)
		}
	}
}
