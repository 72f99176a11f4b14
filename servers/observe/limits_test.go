package observe

import (
	"encoding/binary"
	"slices"
	"testing"

	"vitrine/core/engine"
	"vitrine/core/packet"
)

// Limits that no session is at are logged with their reason and how often they were hit, once for all hits of a second.
func TestFullWorkerQueuesAreLogged(t *testing.T) {
	const limit, posts = 64, 200
	r := launch(t, engine.Config{Workers: 1, QueueLimit: limit})
	c := r.dial()
	c.send(500, "") // holds up the worker
	<-r.handler.held
	id := <-r.handler.ids
	refused := 0
	for range posts {
		if r.srv.Post(id, func(*engine.Session) {}) == engine.ErrQueueFull {
			refused++
		}
	}
	close(r.handler.release)
	eventually(t, "a line", func() bool { return total(r.log.with(t, "worker queue full")) == float64(refused) })
	line := r.log.with(t, "worker queue full")[0]
	if line["level"] != "WARN" || line["type"] != "network" || line["reason"] != "queue_full" || line["server"] != "echo" || refused == 0 {
		t.Errorf("got %v for %d refused commands", line, refused)
	}
}

func TestExhaustedPacketPoolsAreLogged(t *testing.T) {
	const limit, wanted = 64, 100
	r := launch(t, engine.Config{Workers: 1, PacketLimit: limit})
	var held []*packet.Packet
	refused := 0
	for range wanted {
		p := r.srv.NewPacket()
		if p.Err() != nil {
			refused++
		}
		held = append(held, p)
	}
	for _, p := range held {
		p.Release()
	}
	r.end()
	if got := total(r.log.with(t, "packet pool exhausted")); got != float64(refused) {
		t.Fatalf("%v packets in the log, want %d", got, refused)
	}
	line := r.log.with(t, "packet pool exhausted")[0]
	if line["level"] != "WARN" || line["reason"] != "packets_exhausted" || line["server"] != "echo" || line["capacity"] != float64(limit) || refused == 0 {
		t.Errorf("got %v for %d refused packets", line, refused)
	}
}

// What was hit is logged once.
func TestHitsOfLimitsAreLoggedOnce(t *testing.T) {
	log := new(lines)
	st := stackOf(t, Config{Log: log.handler()})
	s := &server{name: "echo"}
	for _, step := range []struct {
		status engine.Status
		queues float64
		lines  int
	}{
		{engine.Status{FullQueues: 7}, 7, 1},
		{engine.Status{FullQueues: 7}, 7, 1},
		{engine.Status{FullQueues: 9}, 9, 2},
	} {
		st.tellLimits(s, &step.status)
		if got := log.with(t, "worker queue full"); total(got) != step.queues || len(got) != step.lines {
			t.Errorf("%d hits: got %v", step.status.FullQueues, got)
		}
	}
}

// total adds up what lines say was refused.
func total(lines []map[string]any) (n float64) {
	for _, line := range lines {
		n += line["refused"].(float64)
	}
	return n
}

// A session that finds no room below its own limits says that the server's is reached.
func TestFullOutputOfTheServerIsLogged(t *testing.T) {
	const answer = 1000 // two of them in a slot of the output, and some bytes of that unused: its limit is reached first
	r := launch(t, engine.Config{Workers: 1, SendLimitBytes: 1 << 20, OutputLimitBytes: 1 << 20})
	c := r.dial()
	frame := append(binary.LittleEndian.AppendUint16(nil, answer), make([]byte, answer)...)
	go c.Write(slices.Repeat(frame, 30_000)) // ends when the server closes the connection, which nobody reads from
	eventually(t, "the session has ended", func() bool { return len(r.log.with(t, "session broken")) == 1 })
	if lines := r.log.with(t, "send queue full"); len(lines) != 1 || lines[0]["limit"] != "server" {
		t.Errorf("got %v, want one line of the server's limit", lines)
	}
}
