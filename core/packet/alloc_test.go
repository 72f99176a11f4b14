//go:build !invariants

package packet

import "testing"

func TestWriteReleaseAllocatesNothing(t *testing.T) {
	pool := newTestPool(t, Config{})
	c := pool.NewCache()
	data := make([]byte, 1000)
	for name, f := range map[string]func(){
		"small":   func() { c.Release(c.New().U16(1).U32(2).Bytes(data[:32]).UTF16("text")) },
		"grown":   func() { c.Release(c.New().Bytes(data).Bytes(data).Bytes(data)) },
		"shared":  func() { p := c.New().U8(1).Retain(2); c.Release(p); p.Release(); c.Release(p) },
		"foreign": func() { p := pool.New().U64(1); p.Release() },
		"ext":     func() { p := c.New(); p.SetExt(Ext{Kinds: ExtCall}); c.Release(p) },
		"generic": func() { c.Release(Put(Put(c.New(), level(1)), 2.5)) },
	} {
		if got := testing.AllocsPerRun(200, f); got != 0 {
			t.Errorf("%s: %v allocations per run, want 0", name, got)
		}
	}
}

func TestReaderAllocatesNothing(t *testing.T) {
	pool := newTestPool(t, Config{})
	c := pool.NewCache()
	payload := c.New().U16(1).U64(2).F32(3).Bytes(make([]byte, 500)).Payload()
	ext := Ext{Kinds: ExtCall}
	var r Reader
	r.UseCache(c)
	got := testing.AllocsPerRun(1000, func() {
		r.Reset(payload)
		r.Bind(pool, 5, &ext)
		var l level
		Get(&r, &l)
		r.U64()
		r.F32()
		r.Skip(2).Bytes(10)
		c.Release(r.Clone())
		r.Rest()
		r.U32()
	})
	if got != 0 || r.Err() != ErrShort {
		t.Errorf("%v allocations per run with %v, want 0 with %v", got, r.Err(), ErrShort)
	}
}
