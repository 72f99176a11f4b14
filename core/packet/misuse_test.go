//go:build !invariants

package packet

import "testing"

func TestMisuseAfterReleaseIsIgnoredAndCounted(t *testing.T) {
	pool := newTestPool(t, Config{})
	c := pool.NewCache()
	p := c.New().U32(1)
	c.Release(p)
	for i, misuse := range []func(){
		func() { c.Release(p) },
		func() { p.Release() },
		func() { p.U64(1) },
		func() { p.Bytes([]byte("x")) },
		func() { p.UTF16Fixed("long", 1) },
		func() { p.Retain(1) },
		func() { p.SetExt(Ext{Kinds: ExtCall}) },
		func() { p.SetTrace(1, 1) },
	} {
		misuse()
		if got := pool.Stats().Misused; got != uint64(i+1) {
			t.Errorf("misuse %d: %d counted, want %d", i, got, i+1)
		}
		if p.Err() != ErrReleased || p.Len() != 0 || len(p.Payload()) != 0 || p.HasExt() {
			t.Errorf("misuse %d: %v with %d bytes, want %v with 0", i, p.Err(), p.Len(), ErrReleased)
		}
	}
	if a, b := c.New(), c.New(); a == b {
		t.Error("a packet released twice was handed out twice")
	}
}
