package session

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
)

func newTable(t *testing.T, limit int) *Table[int] {
	t.Helper()
	table, err := NewTable[int](limit)
	if err != nil {
		t.Fatal(err)
	}
	return table
}

// TestTableTakesItsLimit: the free list of MaxSessions slots, rounded up to whole chunks, has an index for each.
func TestTableTakesItsLimit(t *testing.T) {
	table, err := NewTable[struct{}](MaxSessions)
	if err != nil || table.Limit() != MaxSessions {
		t.Errorf("got %v, want a table of %d", err, MaxSessions)
	}
}

func TestNewTableRefusesLimitsOutOfRange(t *testing.T) {
	for _, limit := range []int{-1, 0, MaxSessions + 1} {
		if _, err := NewTable[int](limit); err == nil {
			t.Errorf("NewTable(%d): got no error", limit)
		}
	}
}

func TestOpenStopsAtTheLimit(t *testing.T) {
	const limit = 70 // more than one chunk, less than two
	table := newTable(t, limit)
	seen := map[uint32]bool{}
	var ids []ID
	for range limit {
		id, _, ok := table.Open()
		if !ok || seen[id.Slot()] {
			t.Fatalf("Open: got %v, %v with slot used = %v", id, ok, seen[id.Slot()])
		}
		seen[id.Slot()] = true
		ids = append(ids, id)
	}
	if _, _, ok := table.Open(); ok {
		t.Fatal("Open beyond the limit: got a session")
	}
	if !table.Release(ids[3]) {
		t.Fatal("Release of the only count: got last = false")
	}
	table.Free(ids[3])
	if id, _, ok := table.Open(); !ok || id.Slot() != ids[3].Slot() || id == ids[3] {
		t.Fatalf("Open after Free: got %v, %v, want slot %d with a new serial", id, ok, ids[3].Slot())
	}
}

func TestAcquireRefuses(t *testing.T) {
	table := newTable(t, 4)
	id, _, _ := table.Open()
	stale, _, _ := table.Open()
	table.Release(stale)
	table.Free(stale)
	reused, _, _ := table.Open()
	released, _, _ := table.Open()
	table.Release(released)
	for name, bad := range map[string]ID{
		"zero id":       0,
		"never opened":  makeID(3, 99),
		"beyond table":  makeID(4000, 1),
		"other serial":  makeID(id.Slot(), id.Serial()+1),
		"reused slot":   stale,
		"released slot": released,
	} {
		if _, ok := table.Acquire(bad); ok {
			t.Errorf("%s: Acquire(%v) succeeded", name, bad)
		}
	}
	if reused.Slot() != stale.Slot() {
		t.Fatalf("slot was not reused: %d, %d", reused.Slot(), stale.Slot())
	}
	for _, good := range []ID{id, reused} {
		if _, ok := table.Acquire(good); !ok {
			t.Errorf("Acquire(%v) failed", good)
		}
	}
}

func TestReleasedHasOneWinner(t *testing.T) {
	const holders, rounds = 4, 2000
	table := newTable(t, 1)
	for range rounds {
		id, _, _ := table.Open()
		for range holders {
			table.Acquire(id)
		}
		var winners atomic.Int32
		var done sync.WaitGroup
		for range holders + 1 {
			done.Go(func() {
				if table.Release(id) {
					winners.Add(1)
				}
			})
		}
		done.Wait()
		if got := winners.Load(); got != 1 {
			t.Fatalf("winners of one release: got %d, want 1", got)
		}
		table.Free(id)
	}
}

func TestForeignHoldersNeverReachAnotherSession(t *testing.T) {
	table, err := NewTable[atomic.Uint64](8)
	if err != nil {
		t.Fatal(err)
	}
	var current [8]atomic.Uint64
	stop := make(chan struct{})
	var foreign sync.WaitGroup
	for g := range 3 {
		foreign.Go(func() {
			random := rand.New(rand.NewPCG(uint64(g), 1))
			for {
				select {
				case <-stop:
					return
				default:
				}
				id := ID(current[random.IntN(8)].Load())
				value, ok := table.Acquire(id)
				if !ok {
					continue
				}
				if got := value.Load(); got != uint64(id) {
					t.Errorf("acquired %v, found the session %v", id, ID(got))
				}
				if table.Release(id) {
					table.Free(id)
				}
			}
		})
	}
	for i := range 20000 {
		id, value, ok := table.Open()
		if !ok {
			continue // holders elsewhere have yet to free some
		}
		value.Store(uint64(id))
		current[i%8].Store(uint64(id))
		if table.Release(id) {
			table.Free(id)
		}
	}
	close(stop)
	foreign.Wait()
	if got := table.Len(); got != 0 {
		t.Errorf("sessions left: got %d, want 0", got)
	}
	if got := table.Outstanding(); got > 0 {
		t.Errorf("acquires - releases: got %d, want 0", got)
	}
}

func TestSessionsListsTheLive(t *testing.T) {
	table := newTable(t, 200)
	var ids []ID
	for range 150 { // three chunks
		id, _, _ := table.Open()
		ids = append(ids, id)
	}
	for _, id := range ids[:100] {
		table.Release(id)
		table.Free(id)
	}
	for _, test := range []struct{ limit, want int }{{0, 0}, {7, 7}, {50, 50}, {1000, 50}} {
		got := table.Sessions(nil, test.limit)
		if len(got) != test.want {
			t.Errorf("Sessions(limit %d): %d ids, want %d", test.limit, len(got), test.want)
		}
		for _, id := range got {
			if !table.Live(id) {
				t.Errorf("Sessions lists %v, which is not live", id)
			}
		}
	}
}

func TestMisusePanics(t *testing.T) {
	table := newTable(t, 2)
	id, _, _ := table.Open()
	for name, misuse := range map[string]func(){
		"release twice":   func() { other, _, _ := table.Open(); table.Release(other); table.Release(other) },
		"free while held": func() { table.Free(id) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("got no panic")
				}
			}()
			misuse()
		})
	}
}

func TestAcquireAllocatesNothing(t *testing.T) {
	table := newTable(t, 1)
	id, _, _ := table.Open()
	if got := testing.AllocsPerRun(1000, func() { table.Acquire(id); table.Release(id) }); got != 0 {
		t.Errorf("allocations: got %v, want 0", got)
	}
}
