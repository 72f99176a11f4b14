//go:build linux

package e2e

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"vitrine/core/flight"
	"vitrine/core/frame"
	"vitrine/crash/bundle"
)

// talker sends numbered packets to an echo server and keeps count of the replies. A packet's first two bytes, which records
// have as its type, are its number from 0 on, modulo 65,536; its size tells whose it is.
type talker struct {
	*client
	size   int
	sent   uint64
	heard  uint64 // replies
	wrong  error
	closed chan struct{} // when it has read to the end
}

// smallest is the size of the packets of the first talker, in bytes; those of the next are one larger.
const smallest = 100

// converse keeps up to depth packets on their way until the server is gone, and reads what that has sent, to the end.
func (k *talker) converse(depth uint64, total *atomic.Uint64) {
	defer close(k.closed)
	payload := make([]byte, k.size)
	for writing := true; ; {
		for ; writing && k.sent < k.heard+depth; k.sent++ {
			binary.LittleEndian.PutUint16(payload, uint16(k.sent))
			writing = k.send(payload) == nil
		}
		reply, err := k.receive()
		if err != nil {
			return
		}
		if number := binary.LittleEndian.Uint16(reply); len(reply) != k.size || number != uint16(k.heard) {
			k.wrong = fmt.Errorf("reply %d of %d bytes, want %d of %d", number, len(reply), uint16(k.heard), k.size)
			return
		}
		k.heard++
		total.Add(1)
	}
}

// talk lets talkers loose, returns when they have heard so many replies together, and leaves them talking.
func talk(t *testing.T, at server, codec frame.Codec, talkers int, enough uint64) []*talker {
	t.Helper()
	all := make([]*talker, talkers)
	var total atomic.Uint64
	var connecting sync.WaitGroup
	for i := range all {
		connecting.Go(func() {
			c, err := connect(at.addr, codec)
			if err != nil {
				t.Error(err)
				return
			}
			all[i] = &talker{client: c, size: smallest + i, closed: make(chan struct{})}
		})
	}
	connecting.Wait()
	for _, k := range all {
		if k == nil {
			t.FailNow()
		}
		t.Cleanup(func() { k.conn.Close() })
		go k.converse(depth, &total) // ends with the server, or the connection's deadline
	}
	eventually(t, "busy", func() bool { return total.Load() >= enough })
	return all
}

// depth is how many packets of a talker are on their way.
const depth = 16

// recorder is what flight.json holds of one worker.
type recorder struct {
	Server    string
	Worker    uint16
	Torn      int
	Packets   []flight.Record
	Lifecycle []flight.Record
}

func recorders(t *testing.T, e bundle.Entry) (all []recorder) {
	t.Helper()
	const most = 64 << 20
	text, err := e.Read("flight.json", most)
	if err == nil {
		err = json.Unmarshal(text, &all)
	}
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// Of every reply that a client had, the packet's record is in the bundle of a server that was killed, unless so many came
// after it that the ring has lost it, and no worker's records have a gap.
func TestKilledServerLeavesTheRecordOfEveryReply(t *testing.T) {
	codecs := []string{"lan", "classic", "sealed"}
	for run := range *kills {
		codec := codecs[run%len(codecs)]
		t.Run(fmt.Sprintf("%s %d", codec, run), func(t *testing.T) {
			s := newSite(t)
			p := s.armed("serve", "echo", "--codec", codec, "--no-greeting", "--workers", "2")
			at := p.server("echo-" + codec)
			const talkers = 8
			// Fewer than the two rings hold in even runs, many more in odd ones, and each time another number.
			enough := uint64(4000 + 61*run + run%2*40_000)
			all := talk(t, at, parseCodec(t, codec, at), talkers, enough)
			p.signal(syscall.SIGKILL)
			p.status(patience)
			for _, k := range all {
				<-k.closed
				if k.wrong != nil {
					t.Error(k.wrong)
				}
			}
			entry, m := s.only()
			if m.Class != bundle.ClassKilled || m.Exit == nil || m.Exit.Signal != "SIGKILL" {
				t.Errorf("class %s, exit %+v, want one of SIGKILL", m.Class, m.Exit)
			}
			checkRecords(t, all, recorders(t, entry))
		})
	}
}

// checkRecords compares what the talkers heard with the records.
func checkRecords(t *testing.T, all []*talker, workers []recorder) {
	t.Helper()
	if len(workers) != 2 {
		t.Fatalf("records of %d workers, want 2", len(workers))
	}
	var heard, proved, records uint64
	for _, w := range workers {
		if len(w.Packets) == 0 || w.Torn > 1 {
			t.Fatalf("worker %d: %d records, %d torn, want some and at most one torn", w.Worker, len(w.Packets), w.Torn)
		}
		records += uint64(len(w.Packets))
		checkSequence(t, w)
		received := uint64(0) // by this worker, as the talkers' last records have it
		for _, k := range all {
			mine := k.records(w)
			if len(mine) == 0 {
				continue
			}
			newest, covered := k.check(t, mine)
			received, proved, heard = received+newest+1, proved+covered, heard+k.heard
		}
		if last := w.Packets[len(w.Packets)-1].Seq; received != last {
			t.Errorf("worker %d: its last record is number %d, but it had %d packets of its clients", w.Worker, last, received)
		}
	}
	if proved == 0 {
		t.Error("no reply is newer than the oldest record")
	}
	t.Logf("%d replies heard, %d records; %d replies are in them, the others are older", heard, records, proved)
}

// checkSequence fails unless a worker's records have consecutive numbers.
func checkSequence(t *testing.T, w recorder) {
	t.Helper()
	for i, r := range w.Packets {
		if r.Worker != w.Worker || r.Seq != w.Packets[0].Seq+uint64(i) {
			t.Fatalf("worker %d: record %d is number %d of worker %d, behind number %d", w.Worker, i, r.Seq, r.Worker, w.Packets[0].Seq+uint64(i)-1)
		}
	}
	if first := w.Packets[0].Seq; first > 1 && len(w.Packets) < ringRecords-mayMiss {
		t.Errorf("worker %d: %d records from number %d on, want at least %d or all", w.Worker, len(w.Packets), first, ringRecords-mayMiss)
	}
}

// What a ring holds by default, and how many of the oldest a reader may miss.
const (
	ringRecords = 4096
	mayMiss     = 64
)

// records are the talker's packets among a worker's.
func (k *talker) records(w recorder) []flight.Record {
	return slices.DeleteFunc(slices.Clone(w.Packets), func(r flight.Record) bool { return int(r.Size) != k.size })
}

// check compares a talker's records with what it heard. It returns the number of its newest packet that has one, and how
// many of its replies do.
func (k *talker) check(t *testing.T, mine []flight.Record) (newest, covered uint64) {
	t.Helper()
	for i, r := range mine {
		if r.Session != mine[0].Session || r.Type != mine[0].Type+uint16(i) {
			t.Fatalf("client %d: record %d is packet %d of session %d, want %d of %d",
				k.size, i, r.Type, r.Session, mine[0].Type+uint16(i), mine[0].Session)
		}
	}
	// Of all numbers that end in these 16 bits, the one within reach of what it had sent.
	last := mine[len(mine)-1].Type
	newest = k.sent - uint64(uint16(k.sent)-last)
	if newest+1 < k.heard || newest > k.sent {
		t.Errorf("client %d: heard %d replies, but its newest record is packet %d of %d", k.size, k.heard, newest, k.sent)
	}
	oldest := newest + 1 - uint64(len(mine))
	return newest, k.heard - min(k.heard, oldest)
}
