package engine_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"vitrine/core/engine"
	"vitrine/core/packet"
)

// echo answers every packet with itself and keeps count of joins and leaves.
type echo struct {
	joins, leaves atomic.Int64
	mu            sync.Mutex
	reasons       []engine.Reason
}

func (e *echo) OnClientJoin(*engine.Session) { e.joins.Add(1) }

func (e *echo) OnRecv(s *engine.Session, in *packet.Reader) {
	s.Send(s.NewPacket().Bytes(in.Rest()))
}

func (e *echo) OnClientLeave(_ *engine.Session, reason engine.Reason) {
	e.leaves.Add(1)
	e.mu.Lock()
	e.reasons = append(e.reasons, reason)
	e.mu.Unlock()
}

func start(t *testing.T, cfg engine.Config, h engine.Handler) *engine.Server {
	t.Helper()
	if cfg.Addr == "" {
		cfg.Addr = "127.0.0.1:0"
	}
	srv, err := engine.New(cfg, h)
	if err != nil {
		t.Fatal(err)
	}
	if err := srv.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if err := srv.Stop(ctx); err != nil {
			t.Error(err)
		}
	})
	return srv
}

func dialTCP(t *testing.T, srv *engine.Server) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", srv.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	c.SetDeadline(time.Now().Add(20 * time.Second))
	return c
}

func lanFrame(payload []byte) []byte {
	return append(binary.LittleEndian.AppendUint16(nil, uint16(len(payload))), payload...)
}

func readLAN(t *testing.T, r io.Reader) []byte {
	t.Helper()
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		t.Fatal(err)
	}
	payload := make([]byte, binary.LittleEndian.Uint16(head[:]))
	if _, err := io.ReadFull(r, payload); err != nil {
		t.Fatal(err)
	}
	return payload
}

func TestEchoOverLoopback(t *testing.T) {
	sizes := []int{1, 2, 32, 511, 512, 2040, 2048, 4096, 65535}
	for _, workers := range []int{1, 3} {
		handler := new(echo)
		srv := start(t, engine.Config{Workers: workers}, handler)
		var clients sync.WaitGroup
		for c := range 8 {
			conn := dialTCP(t, srv)
			clients.Go(func() {
				r := bufio.NewReader(conn)
				for round, size := range sizes {
					payload := make([]byte, size)
					for i := range payload {
						payload[i] = byte(i*7 + c + round)
					}
					frame := lanFrame(payload)
					conn.Write(frame[:1]) // a frame in two pieces
					conn.Write(append(frame[1:], frame...))
					for range 2 {
						if got := readLAN(t, r); string(got) != string(payload) {
							t.Errorf("echo of %d bytes differs", size)
						}
					}
				}
				conn.Close()
			})
		}
		clients.Wait()
	}
}
