package engine_test

import (
	"context"
	"io"
	"testing"
	"time"

	"vitrine/core/engine"
	"vitrine/core/flight"
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
