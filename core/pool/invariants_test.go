//go:build invariants

package pool

import (
	"fmt"
	"strings"
	"testing"
)

func TestMisusePanicsWithTheCallSite(t *testing.T) {
	for _, test := range []struct {
		name string
		act  func(p *Pool, c *Cache, out Slot)
		want []string
	}{
		{"double release", func(_ *Pool, c *Cache, out Slot) { c.Put(out); c.Put(out) },
			[]string{"double release", "taken at pool/invariants_test.go:", "put back at pool/invariants_test.go:"}},
		{"double release through shared", func(p *Pool, c *Cache, out Slot) { p.Shared().Put(out); c.Put(out) },
			[]string{"double release"}},
		{"release of a slot of no chunk", func(_ *Pool, c *Cache, _ Slot) { c.Put(64) },
			[]string{"foreign release", "no chunk"}},
		{"release of a slot that was never taken", func(_ *Pool, c *Cache, out Slot) { c.Put(out + 1) },
			[]string{"foreign release", "never taken"}},
		{"use after release", func(p *Pool, c *Cache, out Slot) { c.Put(out); p.Bytes(out) },
			[]string{"use after release", "taken at pool/invariants_test.go:"}},
		{"use of a foreign slot", func(p *Pool, _ *Cache, _ Slot) { p.Bytes(64) },
			[]string{"foreign use"}},
		{"write after release", func(p *Pool, c *Cache, out Slot) { b := p.Bytes(out); c.Put(out); b[3] = 0; c.Get() },
			[]string{"written at byte 3 after release", "taken at pool/invariants_test.go:"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := newPool(t, 8, 128)
			c := p.NewCache()
			out, _ := c.Get()
			text := recovered(func() { test.act(p, c, out) })
			for _, want := range test.want {
				if !strings.Contains(text, want) {
					t.Errorf("panic %q does not mention %q", text, want)
				}
			}
		})
	}
}

func recovered(f func()) (text string) {
	defer func() { text = fmt.Sprint(recover()) }()
	f()
	return ""
}

func TestLeaksAreListedByCallSite(t *testing.T) {
	p := newPool(t, 8, 128)
	c := p.NewCache()
	for range 3 {
		c.Get()
	}
	p.Shared().Get()
	back, _ := c.Get()
	c.Put(back)
	leaks := p.Leaks()
	if len(leaks) != 2 || leaks[0].Count != 3 || leaks[1].Count != 1 {
		t.Fatalf("Leaks = %v", leaks)
	}
	for _, l := range leaks {
		if !strings.HasPrefix(l.Site, "pool/invariants_test.go:") || !strings.Contains(l.Site, "TestLeaks") {
			t.Errorf("site %q is not this test", l.Site)
		}
		if len(l.Callers) == 0 {
			t.Errorf("leak at %q has no callers", l.Site)
		}
	}
}
