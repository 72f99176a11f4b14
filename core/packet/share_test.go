package packet

import (
	"bytes"
	"strings"
	"sync"
	"testing"
)

// panics returns what f panics with, "" when it does not.
func panics(f func()) (text string) {
	defer func() { text, _ = recover().(string) }()
	f()
	return ""
}

func TestLastReleaseReturnsThePacket(t *testing.T) {
	for _, size := range []int{8, 1000, 10000, 60000} {
		pool := newTestPool(t, Config{})
		c, other := pool.NewCache(), pool.NewCache()
		p := c.New().Bytes(make([]byte, size)).Retain(3)
		for i, release := range []func(){p.Release, func() { c.Release(p) }, p.Release} {
			release()
			if p.Len() != size || p.Err() != nil {
				t.Fatalf("%d bytes: %d left, %v, after %d of 4 releases", size, p.Len(), p.Err(), i+1)
			}
		}
		other.Release(p)
		if p.Len() != 0 || p.Err() != ErrReleased {
			t.Errorf("%d bytes: %d left, %v, after the last release, want 0, %v", size, p.Len(), p.Err(), ErrReleased)
		}
		c.Close()
		other.Close()
		for _, s := range pool.Stats().Classes {
			if s.InUse != 0 {
				t.Errorf("%d bytes: %d slots of %s in use, want 0", size, s.InUse, s.Name)
			}
		}
	}
}

func TestSharedPacketIsReadOnlyUntilOneHolderIsLeft(t *testing.T) {
	c := newTestPool(t, Config{}).NewCache()
	for name, write := range map[string]func(*Packet){
		"U8":         func(p *Packet) { p.U8(1) },
		"Bytes":      func(p *Packet) { p.Bytes([]byte("x")) },
		"UTF16":      func(p *Packet) { p.UTF16("x") },
		"UTF8Fixed":  func(p *Packet) { p.UTF8Fixed("xx", 1) },
		"SetExt":     func(p *Packet) { p.SetExt(Ext{Kinds: ExtCall}) },
		"SetTrace":   func(p *Packet) { p.SetTrace(1, 1) },
		"oversize":   func(p *Packet) { p.Bytes(make([]byte, 1<<17)) },
		"next class": func(p *Packet) { p.Bytes(make([]byte, 1000)) },
	} {
		p := c.New().U16(7).Retain(1)
		if got := panics(func() { write(p) }); !strings.HasPrefix(got, "packet: ") {
			t.Errorf("%s of a shared packet: panic %q, want one that starts with packet:", name, got)
		}
		c.Release(p)
		if p.U16(8); p.Len() != 4 || p.Err() != nil {
			t.Errorf("%s: %d bytes, %v, written by the only holder, want 4", name, p.Len(), p.Err())
		}
		c.Release(p)
	}
}

func TestRetainOfNoneChangesNothing(t *testing.T) {
	c := newTestPool(t, Config{}).NewCache()
	p := c.New().Retain(0).U8(1)
	c.Release(p)
	if p.Err() != ErrReleased {
		t.Errorf("after one release: %v, want %v", p.Err(), ErrReleased)
	}
	if got := panics(func() { c.New().Retain(-1) }); !strings.HasPrefix(got, "packet: ") {
		t.Errorf("Retain(-1): panic %q, want one that starts with packet:", got)
	}
}

// Packets travel as handles between goroutines that share, read and release
// them; every payload must be whole until its last holder is done.
func TestHoldersOnManyGoroutinesSeeOnePayload(t *testing.T) {
	const holders, rounds = 4, 300
	pool := newTestPool(t, Config{Capacity: 1024})
	queues := make([]chan uint32, holders)
	var wg sync.WaitGroup
	for i := range queues {
		queues[i] = make(chan uint32, 16)
		wg.Go(func() { hold(t, pool, queues[i], i%2 == 0) })
	}
	c := pool.NewCache()
	for i := range rounds {
		size := 1 + i*37%3000
		p := c.New().Bytes(bytes.Repeat([]byte{byte(i)}, size)).Retain(holders)
		for _, q := range queues {
			q <- p.Handle()
		}
		c.Release(p)
	}
	for _, q := range queues {
		close(q)
	}
	wg.Wait()
	c.Close()
	for _, s := range pool.Stats().Classes {
		if s.InUse != 0 {
			t.Errorf("%s: %d slots in use at the end, want 0", s.Name, s.InUse)
		}
	}
}

func hold(t *testing.T, pool *Pool, queue <-chan uint32, cached bool) {
	c := pool.NewCache()
	defer c.Close()
	for handle := range queue {
		p := pool.At(handle)
		b := p.Payload()
		if n := bytes.Count(b, b[:1]); n != len(b) || n == 0 {
			t.Errorf("%d of %d bytes are the same, want all", n, len(b))
		}
		if cached {
			c.Release(p)
		} else {
			p.Release()
		}
	}
}

// Headers, extensions and chunks are made on demand, by whoever comes first.
func TestFirstUseFromManyGoroutines(t *testing.T) {
	pool := newTestPool(t, Config{Capacity: 4096})
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			var mine []*Packet
			for k := range 500 {
				p := pool.New().U32(uint32(i)).U32(uint32(k))
				p.SetExt(Ext{Kinds: ExtCall, CallID: uint32(k)})
				mine = append(mine, p)
			}
			for k, p := range mine {
				r := NewReader(p.Payload())
				if r.U32() != uint32(i) || r.U32() != uint32(k) || p.Ext().CallID != uint32(k) {
					t.Errorf("packet %d of goroutine %d holds something else", k, i)
				}
				p.Release()
			}
		})
	}
	wg.Wait()
	if got := pool.Stats().InUse; got != 0 {
		t.Errorf("%d packets in use at the end, want 0", got)
	}
}
