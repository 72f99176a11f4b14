package pool

import (
	"strings"
	"testing"
)

func newPool(t testing.TB, slotSize, capacity int) *Pool {
	t.Helper()
	p, err := New(Config{Name: "test", SlotSize: slotSize, Capacity: capacity})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func getAll(t testing.TB, c *Cache, n int) []Slot {
	t.Helper()
	slots := make([]Slot, n)
	for i := range slots {
		s, ok := c.Get()
		if !ok {
			t.Fatalf("Get %d of %d refused", i+1, n)
		}
		slots[i] = s
	}
	return slots
}

func TestSlotsDoNotOverlap(t *testing.T) {
	p := newPool(t, 100, 200)
	c := p.NewCache()
	slots := getAll(t, c, 256)
	for i, s := range slots {
		b := p.Bytes(s)
		if len(b) != 100 || cap(b) != 100 {
			t.Fatalf("slot %d: len %d cap %d, want 100", s, len(b), cap(b))
		}
		for j := range b {
			b[j] = byte(i)
		}
	}
	for i, s := range slots {
		if b := p.Bytes(s); b[0] != byte(i) || b[99] != byte(i) {
			t.Fatalf("slot %d was overwritten through another", s)
		}
	}
}

func TestCapacityIsALimitThatIsCounted(t *testing.T) {
	p := newPool(t, 8, 65)
	c := p.NewCache()
	slots := getAll(t, c, 128)
	for range 3 {
		if s, ok := c.Get(); ok {
			t.Fatalf("Get beyond the capacity = %d", s)
		}
	}
	c.Publish()
	if got := p.Stats(); got.Capacity != 128 || got.Allocated != 128 || got.InUse != 128 || got.Exhausted != 3 {
		t.Fatalf("Stats = %+v", got)
	}
	c.Put(slots[7])
	if s, ok := c.Get(); !ok || s != slots[7] {
		t.Fatalf("Get after Put = %d, %v, want %d", s, ok, slots[7])
	}
}

func TestSlotsReachOtherCaches(t *testing.T) {
	p := newPool(t, 8, 4096)
	from, to := p.NewCache(), p.NewCache()
	for range 10 {
		for _, s := range getAll(t, from, 1000) {
			to.Put(s)
		}
	}
	if got, most := p.Stats().Allocated, uint64(1000+cacheSlots+batchSlots); got > most {
		t.Fatalf("%d slots allocated for 1000 in use, want at most %d", got, most)
	}
}

func TestCloseGivesEverythingBack(t *testing.T) {
	p := newPool(t, 8, 256)
	for _, held := range []int{0, 1, 63, 64, 65, 127, 128, 200, 256} {
		c := p.NewCache()
		for _, s := range getAll(t, c, held) {
			c.Put(s)
		}
		c.Close()
		c.Close()
		if got := p.Stats(); got.InUse != 0 || len(got.Cached) != 1 {
			t.Fatalf("after closing a cache that held %d: %+v", held, got)
		}
	}
	c := p.NewCache()
	getAll(t, c, 256)
}

func TestStatsSeeWhatCachesPublish(t *testing.T) {
	p := newPool(t, 8, 256)
	c := p.NewCache()
	s, _ := p.Shared().Get()
	getAll(t, c, 10)
	c.Publish()
	got := p.Stats()
	if got.InUse != 11 || len(got.Cached) != 2 || got.Cached[0] != 63 || got.Cached[1] != 54 {
		t.Fatalf("Stats = %+v", got)
	}
	p.Shared().Put(s)
	if got := p.Stats().InUse; got != 10 {
		t.Fatalf("InUse = %d, want 10", got)
	}
}

func TestNewReportsEveryBadField(t *testing.T) {
	_, err := New(Config{Name: "bad", SlotSize: 0, Capacity: maxCapacity + 1})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{`"bad"`, "slot size 0", "capacity"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not mention %q", err, want)
		}
	}
}

func TestHotPathDoesNotAllocate(t *testing.T) {
	if invariants {
		t.Skip("the audit allocates")
	}
	p := newPool(t, 256, 1024)
	c, slots := p.NewCache(), make([]Slot, 300)
	round := func() {
		for i := range slots {
			slots[i], _ = c.Get()
			p.Bytes(slots[i])[0] = 1
		}
		for _, s := range slots {
			c.Put(s)
		}
		c.Publish()
	}
	round()
	if got := testing.AllocsPerRun(10, round); got != 0 {
		t.Fatalf("%v allocations, want 0", got)
	}
}
