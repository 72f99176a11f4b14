//go:build invariants

package packet

import (
	"bytes"
	"strings"
	"testing"
)

func TestUseAfterReleasePanicsWithThePackageName(t *testing.T) {
	pool := newTestPool(t, Config{})
	c := pool.NewCache()
	for name, use := range map[string]func(*Packet){
		"cache release": c.Release,
		"release":       (*Packet).Release,
		"write":         func(p *Packet) { p.U8(1) },
		"text":          func(p *Packet) { p.UTF8("x") },
		"refused text":  func(p *Packet) { p.UTF8Fixed("xx", 1) },
		"payload":       func(p *Packet) { p.Payload() },
		"retain":        func(p *Packet) { p.Retain(1) },
		"ext":           func(p *Packet) { p.SetExt(Ext{Kinds: ExtCall}) },
		"trace":         func(p *Packet) { p.SetTrace(1, 1) },
	} {
		for _, size := range []int{4, 1000, 20000} {
			p := c.New().Bytes(make([]byte, size))
			c.Release(p)
			if got := panics(func() { use(p) }); !strings.HasPrefix(got, "packet: ") {
				t.Errorf("%s after release of %d bytes: panic %q, want one that starts with packet:", name, size, got)
			}
		}
	}
}

func TestReleasedAndOutgrownPayloadsAreScribbled(t *testing.T) {
	c := newTestPool(t, Config{}).NewCache()
	for _, size := range []int{4, 256, 1000, 10000, 65535} {
		p := c.New().Bytes(make([]byte, size))
		view := p.Payload()
		c.Release(p)
		if n := bytes.Count(view, []byte{scribbled}); n != size {
			t.Errorf("release: %d of %d bytes scribbled, want all", n, size)
		}
	}
	p := c.New().Bytes(make([]byte, 256))
	view := p.Payload()
	p.U8(1)
	if n := bytes.Count(view, []byte{scribbled}); n != 256 || bytes.Count(p.Payload(), []byte{0}) != 256 {
		t.Errorf("growth: %d of 256 bytes scribbled behind it, want all, and the copy whole", n)
	}
}
