package engine_test

import (
	"context"
	"io"
	"testing"
	"time"

	"vitrine/core/engine"
	"vitrine/core/flight"
	"vitrine/core/packet"
)

// joined is an echo that tells the ids of its sessions.
type joined struct {
	echo
	ids chan engine.ID
}

func (j *joined) OnClientJoin(s *engine.Session) { j.ids <- s.ID() }

// The records of a session are to be had while it lives, after an abnormal end, and after the server has stopped.
func TestFlightOutlivesTheSession(t *testing.T) {
	if !flight.Enabled {
		t.Skip("nothing is recorded")
	}
	handler := &joined{ids: make(chan engine.ID, 1)}
	srv, err := engine.New(engine.Config{Addr: "127.0.0.1:0", Workers: 2}, handler)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := srv.Flight(1, 16); ok {
		t.Error("a server that has not started knows a session")
	}
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	conn := dialTCP(t, srv)
	for range 3 {
		conn.Write(lanFrame([]byte("\x07\x00abc")))
		readLAN(t, conn)
	}
	id := <-handler.ids
	live, ok := srv.Flight(id, 2)
	if !ok || !live.Live || live.Kept || len(live.Records) != 2 || live.Records[1].Type != 7 {
		t.Errorf("while it lives: got %+v, %v, want its last 2 records", live, ok)
	}
	srv.Disconnect(id)
	io.Copy(io.Discard, conn)
	stop(t, srv)
	kept, ok := srv.Flight(id, 16)
	if !ok || kept.Live || !kept.Kept || len(kept.Records) != 3 || kept.Now < kept.Records[2].Recv {
		t.Errorf("after the stop: got %+v, %v, want the 3 records that were kept", kept, ok)
	}
	if h, ok := srv.Flight(id+1, 16); ok {
		t.Errorf("another session: got %+v, want none", h)
	}
}

func stop(t *testing.T, srv *engine.Server) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := srv.Stop(ctx); err != nil {
		t.Error(err)
	}
}

// traced is a handler whose packets tell which record the session names, inside OnRecv and when a send queue is full.
type traced struct {
	joined, handled, full chan flight.Ref
}

func (h *traced) OnClientJoin(s *engine.Session)               { h.joined <- s.Trace() }
func (h *traced) OnClientLeave(*engine.Session, engine.Reason) {}
func (h *traced) queueFull(s *engine.Session, dropped bool)    { h.full <- s.Trace() }
func (h *traced) OnRecv(s *engine.Session, in *packet.Reader) {
	h.handled <- s.Trace()
	h.handled <- in.Trace()
	s.Send(s.NewPacket().U16(1))
	s.Send(s.NewPacket().U16(2))
}

// What happens while a packet is handled can be told by its record.
func TestSessionNamesThePacketInHand(t *testing.T) {
	if !flight.Enabled {
		t.Skip("nothing is recorded")
	}
	h := &traced{make(chan flight.Ref, 1), make(chan flight.Ref, 2), make(chan flight.Ref, 1)}
	srv, err := engine.New(engine.Config{
		Addr: "127.0.0.1:0", SendLimitPackets: 1, Observer: engine.Observer{QueueFull: h.queueFull},
	}, h)
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	defer stop(t, srv)
	dialTCP(t, srv).Write(lanFrame([]byte("\x07\x00abc")))
	if ref := <-h.joined; ref.Seq() != 0 {
		t.Errorf("at the join: %v, want none", ref)
	}
	named, read := <-h.handled, <-h.handled
	if named != read || read.Seq() == 0 {
		t.Errorf("the session names %v, the reader %v", named, read)
	}
	if full := <-h.full; full != read {
		t.Errorf("the full queue names %v, want %v", full, read)
	}
}
