package monitor

import (
	"testing"

	"vitrine/core/flight"
	"vitrine/crash/bundle"
)

// recorded returns records of which each tenth is of session 7.
func recorded(n uint64) (records []flight.Record) {
	for seq := uint64(1); seq <= n; seq++ {
		session := uint64(1)
		if seq%10 == 0 {
			session = 7
		}
		records = append(records, flight.Record{Seq: seq, Session: session})
	}
	return records
}

func TestHandledPanicsHaveTheLastRecordsAndThoseOfTheirSession(t *testing.T) {
	workers := []worker{
		{Server: "echo", Worker: 0, Packets: recorded(4096), Lifecycle: recorded(3)},
		{Server: "echo", Worker: 1, Packets: recorded(4096), Lifecycle: recorded(1024)},
	}
	shorten(workers, &bundle.Where{Server: "echo", Worker: 1, Session: "7"})
	for i, want := range []struct{ packets, lifecycle, least int }{
		{handledPackets / 4, 3, 4096 - handledPackets/4 + 1},
		{handledPackets/2 + 358, handledLifecycle/2 + 89, 10},
	} {
		w := &workers[i]
		if len(w.Packets) != want.packets || len(w.Lifecycle) != want.lifecycle || w.Packets[0].Seq != uint64(want.least) {
			t.Errorf("worker %d: %d packets from %d, %d others; want %+v", i, len(w.Packets), w.Packets[0].Seq, len(w.Lifecycle), want)
		}
		for j, r := range w.Packets {
			if j > 0 && r.Seq <= w.Packets[j-1].Seq || w.Packets[len(w.Packets)-1].Seq != 4096 {
				t.Fatalf("worker %d: record %d follows %d", i, r.Seq, w.Packets[j-1].Seq)
			}
		}
	}
}

func TestRecordsOfASessionAreBounded(t *testing.T) {
	if got := latest(recorded(40960), 16, 7); len(got) != 32 || got[0].Session != 7 || got[15].Session != 7 {
		t.Errorf("%d records, want 16 and 16 of the session before them", len(got))
	}
	if got := latest(recorded(40960), 16, 0); len(got) != 16 {
		t.Errorf("%d records, want 16", len(got))
	}
}
