package packet

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"testing"
	"unicode/utf16"
	"unsafe"
)

func newTestPool(t testing.TB, c Config) *Pool {
	t.Helper()
	p, err := NewPool(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

type level uint16

func TestWritersAppendLittleEndian(t *testing.T) {
	c := newTestPool(t, Config{}).NewCache()
	le := binary.LittleEndian
	for _, w := range []struct {
		name  string
		write func(*Packet) *Packet
		want  []byte
	}{
		{"U8", func(p *Packet) *Packet { return p.U8(0xFE) }, []byte{0xFE}},
		{"U16", func(p *Packet) *Packet { return p.U16(0x0102) }, []byte{2, 1}},
		{"U32", func(p *Packet) *Packet { return p.U32(0x01020304) }, []byte{4, 3, 2, 1}},
		{"U64", func(p *Packet) *Packet { return p.U64(0x0102030405060708) }, []byte{8, 7, 6, 5, 4, 3, 2, 1}},
		{"I8", func(p *Packet) *Packet { return p.I8(-2) }, []byte{0xFE}},
		{"I16", func(p *Packet) *Packet { return p.I16(-2) }, []byte{0xFE, 0xFF}},
		{"I32", func(p *Packet) *Packet { return p.I32(-2) }, []byte{0xFE, 0xFF, 0xFF, 0xFF}},
		{"I64", func(p *Packet) *Packet { return p.I64(math.MinInt64) }, []byte{0, 0, 0, 0, 0, 0, 0, 0x80}},
		{"F32", func(p *Packet) *Packet { return p.F32(1.5) }, le.AppendUint32(nil, math.Float32bits(1.5))},
		{"F64", func(p *Packet) *Packet { return p.F64(-2.25) }, le.AppendUint64(nil, math.Float64bits(-2.25))},
		{"Put level", func(p *Packet) *Packet { return Put(p, level(0x0102)) }, []byte{2, 1}},
		{"Put int8", func(p *Packet) *Packet { return Put(p, int8(-1)) }, []byte{0xFF}},
		{"Put float32", func(p *Packet) *Packet { return Put(p, float32(1.5)) }, le.AppendUint32(nil, math.Float32bits(1.5))},
		{"Put float64", func(p *Packet) *Packet { return Put(p, 1.5) }, le.AppendUint64(nil, math.Float64bits(1.5))},
		{"Bytes", func(p *Packet) *Packet { return p.Bytes([]byte("abc")) }, []byte("abc")},
		{"Bytes of none", func(p *Packet) *Packet { return p.Bytes(nil) }, nil},
		{"Extend", func(p *Packet) *Packet { copy(p.Extend(3), "xyz"); return p }, []byte("xyz")},
		{"UTF8", func(p *Packet) *Packet { return p.UTF8("한글") }, []byte("한글")},
		{"UTF8Fixed", func(p *Packet) *Packet { return p.UTF8Fixed("ab", 5) }, []byte("ab\x00\x00\x00")},
		{"UTF8Fixed full", func(p *Packet) *Packet { return p.UTF8Fixed("ab", 2) }, []byte("ab")},
		{"UTF16", func(p *Packet) *Packet { return p.UTF16("a한") }, []byte{'a', 0, 0x5C, 0xD5}},
		{"UTF16 pair", func(p *Packet) *Packet { return p.UTF16("😀") }, []byte{0x3D, 0xD8, 0x00, 0xDE}},
		{"UTF16 invalid", func(p *Packet) *Packet { return p.UTF16("a\xFFb") }, []byte{'a', 0, 0xFD, 0xFF, 'b', 0}},
		{"UTF16Fixed", func(p *Packet) *Packet { return p.UTF16Fixed("ab", 4) }, []byte{'a', 0, 'b', 0, 0, 0, 0, 0}},
		{"UTF16Fixed full", func(p *Packet) *Packet { return p.UTF16Fixed("a😀", 3) }, []byte{'a', 0, 0x3D, 0xD8, 0x00, 0xDE}},
		{"UTF16Fixed empty", func(p *Packet) *Packet { return p.UTF16Fixed("", 1) }, []byte{0, 0}},
	} {
		p := w.write(c.New().U8(0x55))
		want := append([]byte{0x55}, w.want...)
		if !bytes.Equal(p.Payload(), want) || p.Len() != len(want) || p.Err() != nil {
			t.Errorf("%s: %x, Len %d, %v, want %x", w.name, p.Payload(), p.Len(), p.Err(), want)
		}
		c.Release(p)
	}
}

func TestPaddingIsZeroInMemoryUsedBefore(t *testing.T) {
	c := newTestPool(t, Config{}).NewCache()
	c.Release(c.New().Bytes(bytes.Repeat([]byte{0xAA}, 256)))
	p := c.New().UTF16Fixed("a", 20).UTF8Fixed("b", 20)
	want := make([]byte, 60)
	want[0], want[40] = 'a', 'b'
	if !bytes.Equal(p.Payload(), want) {
		t.Errorf("payload = %x, want %x", p.Payload(), want)
	}
}

func TestPayloadSurvivesGrowthThroughEveryClass(t *testing.T) {
	pool := newTestPool(t, Config{})
	c := pool.NewCache()
	for _, size := range []int{0, 1, 255, 256, 257, 2047, 2048, 2049, 16384, 16385, 65534, 65535} {
		want := make([]byte, size)
		p := c.New()
		for i := range want {
			want[i] = byte(i * 7)
			p.U8(want[i])
		}
		if !bytes.Equal(p.Payload(), want) || p.Err() != nil {
			t.Errorf("%d bytes, one by one: %d bytes, %v, want what was written", size, p.Len(), p.Err())
		}
		c.Release(p)
		p = c.New().Bytes(want)
		if !bytes.Equal(p.Payload(), want) || p.Err() != nil {
			t.Errorf("%d bytes at once: %d bytes, %v, want what was written", size, p.Len(), p.Err())
		}
		p.Release()
	}
	c.Close()
	for _, s := range pool.Stats().Classes {
		if s.InUse != 0 {
			t.Errorf("%s: %d slots in use after all releases, want 0", s.Name, s.InUse)
		}
	}
}

func TestTooLongSticksAndKeepsWhatCameBefore(t *testing.T) {
	big := make([]byte, 70000)
	for _, c := range []struct {
		name    string
		maxSize int
		write   func(*Packet) *Packet
		want    int // bytes kept
	}{
		{"one byte past the limit", 300, func(p *Packet) *Packet { return p.Bytes(big[:300]).U8(1) }, 300},
		{"wide value at the limit", 300, func(p *Packet) *Packet { return p.Bytes(big[:297]).U32(1) }, 297},
		{"small limit", 3, func(p *Packet) *Packet { return p.U16(1).U16(2) }, 2},
		{"bytes at once", 0, func(p *Packet) *Packet { return p.U8(1).Bytes(big) }, 1},
		{"extended", 5, func(p *Packet) *Packet { copy(p.Extend(4), "abcd"); p.Extend(2); return p }, 4},
		{"negative extent", 0, func(p *Packet) *Packet { p.U8(1).Extend(-1); return p }, 1},
		{"text", 5, func(p *Packet) *Packet { return p.UTF8("abc").UTF8("def") }, 3},
		{"UTF-16", 5, func(p *Packet) *Packet { return p.UTF16("ab").UTF16("c") }, 4},
		{"fixed UTF-8", 0, func(p *Packet) *Packet { return p.U8(1).UTF8Fixed("abc", 2) }, 1},
		{"fixed UTF-16", 0, func(p *Packet) *Packet { return p.U8(1).UTF16Fixed("a😀", 2) }, 1},
		{"negative array", 0, func(p *Packet) *Packet { return p.UTF8Fixed("", -1).UTF16Fixed("", -1) }, 0},
		{"absurd array", 0, func(p *Packet) *Packet { return p.UTF8Fixed("", math.MaxInt) }, 0},
		{"absurd wide array", 0, func(p *Packet) *Packet { return p.UTF16Fixed("", math.MaxInt) }, 0},
	} {
		cache := newTestPool(t, Config{MaxSize: c.maxSize}).NewCache()
		p := c.write(cache.New())
		for range 3 {
			p.U8(9).Bytes([]byte{9}).UTF8Fixed("", 1)
		}
		if p.Err() != ErrTooLong || p.Len() != c.want {
			t.Errorf("%s: %v with %d bytes, want %v with %d", c.name, p.Err(), p.Len(), ErrTooLong, c.want)
		}
		cache.Release(p)
		if p := cache.New().U8(1); p.Err() != nil || p.Len() != 1 {
			t.Errorf("%s: the next packet has %v and %d bytes, want none and 1", c.name, p.Err(), p.Len())
		}
	}
}

func TestExtendReturnsACappedViewOrNothing(t *testing.T) {
	c := newTestPool(t, Config{MaxSize: 300}).NewCache()
	for _, size := range []int{0, 1, 256, 300} {
		p := c.New()
		if b := p.Extend(size); len(b) != size || cap(b) != size || p.Len() != size {
			t.Errorf("Extend(%d) = %d bytes with capacity %d, Len %d, want %d", size, len(b), cap(b), p.Len(), size)
		}
		if b := p.Extend(301 - size); b != nil || p.Err() != ErrTooLong {
			t.Errorf("Extend past the limit after %d bytes: %d bytes, %v, want nil, %v", size, len(b), p.Err(), ErrTooLong)
		}
		c.Release(p)
	}
}

func TestExhaustedPoolGivesAPacketThatSaysSo(t *testing.T) {
	pool := newTestPool(t, Config{Capacity: 64})
	c := pool.NewCache()
	var all []*Packet
	for range 64 {
		all = append(all, c.New())
	}
	for i, p := range []*Packet{c.New(), pool.New(), pool.At(c.New().Handle())} {
		p.U8(1).Bytes([]byte("x")).UTF16("y").UTF8Fixed("z", 4).Retain(3)
		p.SetExt(Ext{Kinds: ExtCall})
		p.SetTrace(1, 2)
		if p.Err() != ErrExhausted || p.Len() != 0 || len(p.Payload()) != 0 || p.HasExt() || p.Trace() != 0 {
			t.Errorf("packet %d: %v with %d bytes, want %v with 0", i, p.Err(), p.Len(), ErrExhausted)
		}
		c.Release(p)
		p.Release()
	}
	if s := pool.Stats(); s.InUse != 64 || s.Exhausted != 3 || s.Misused != 0 {
		t.Errorf("in use %d, exhausted %d, misused %d, want 64, 3, 0", s.InUse, s.Exhausted, s.Misused)
	}
	c.Release(all[0])
	if p := c.New().U8(1); p.Err() != nil || p.Len() != 1 {
		t.Errorf("after a release: %v with %d bytes, want none with 1", p.Err(), p.Len())
	}
}

func TestBadConfigNamesEveryField(t *testing.T) {
	_, err := NewPool(Config{MaxSize: -1, Capacity: 1 << 25})
	if err == nil || !bytes.Contains([]byte(err.Error()), []byte("max size")) || !bytes.Contains([]byte(err.Error()), []byte("capacity")) {
		t.Errorf("error %q, want one that names max size and capacity", err)
	}
}

func TestHandleLeadsBackToThePacket(t *testing.T) {
	pool := newTestPool(t, Config{})
	c := pool.NewCache()
	seen := map[uint32]bool{}
	for i := range 200 {
		p := c.New().U32(uint32(i))
		if pool.At(p.Handle()) != p || seen[p.Handle()] {
			t.Fatalf("packet %d: handle %d leads elsewhere or was given out twice", i, p.Handle())
		}
		seen[p.Handle()] = true
		if p.chunk().pool != pool {
			t.Fatalf("packet %d does not find its pool", i)
		}
	}
}

func TestExtIsKeptBesideThePayload(t *testing.T) {
	c := newTestPool(t, Config{}).NewCache()
	p, other := c.New(), c.New()
	want := Ext{Kinds: ExtOrigin | ExtCall, CallID: 7, OriginWorker: 3, OriginSeq: 1 << 47}
	p.SetExt(want)
	if p.Ext() != want || !p.HasExt() || p.Len() != 0 {
		t.Errorf("Ext = %+v, want %+v", p.Ext(), want)
	}
	if other.HasExt() || other.Ext() != (Ext{}) {
		t.Errorf("a neighbour has %+v, want none", other.Ext())
	}
	c.Release(p)
	if q := c.New(); q != p || q.HasExt() || q.Ext() != (Ext{}) {
		t.Errorf("the packet used again has %+v, want none", q.Ext())
	}
	p.SetExt(want)
	p.SetExt(Ext{})
	if p.HasExt() {
		t.Error("an Ext without kinds did not remove the one before")
	}
}

func TestTraceEndsWithThePacket(t *testing.T) {
	c := newTestPool(t, Config{}).NewCache()
	p := c.New()
	p.SetTrace(42, 1000)
	if p.Trace() != 42 || p.Recv() != 1000 {
		t.Errorf("Trace, Recv = %v, %v, want 42, 1000", p.Trace(), p.Recv())
	}
	c.Release(p)
	if q := c.New(); q != p || q.Trace() != 0 || q.Recv() != 0 {
		t.Errorf("used again: Trace, Recv = %v, %v, want 0, 0", q.Trace(), q.Recv())
	}
}

func TestHeaderFillsOneCacheLine(t *testing.T) {
	if unsafe.Sizeof(uintptr(0)) != 8 {
		return // The sizes below are those of 64-bit systems.
	}
	if got := unsafe.Sizeof(Packet{}); got != 64 {
		t.Errorf("a header takes %d bytes, want 64", got)
	}
	if got := unsafe.Sizeof(Ext{}); got != 48 {
		t.Errorf("an Ext takes %d bytes, want 48", got)
	}
	if got := unsafe.Offsetof(chunk{}.headers); got != 56 {
		t.Errorf("headers start at byte %d of a chunk, want 56", got)
	}
}

// utf16Bytes is what the standard library makes of s.
func utf16Bytes(s string) []byte {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return b
}

func FuzzText(f *testing.F) {
	for _, s := range []string{"", "abc", "한글 😀", "\xFF\xFE", "a\x00b", "\xED\xA0\x80"} {
		f.Add(s, 8)
	}
	pool := newTestPool(f, Config{})
	c := pool.NewCache()
	f.Fuzz(func(t *testing.T, s string, units int) {
		if len(s) > 1000 {
			return
		}
		want := utf16Bytes(s)
		p := c.New().UTF16(s)
		if !bytes.Equal(p.Payload(), want) {
			t.Fatalf("UTF16(%q) = %x, want %x", s, p.Payload(), want)
		}
		c.Release(p)
		p = c.New().UTF16Fixed(s, units)
		fits := len(want) <= 2*units && units <= DefaultMaxSize/2
		if (p.Err() == nil) != fits && units <= math.MaxInt/2 {
			t.Fatalf("UTF16Fixed(%q, %d): %v", s, units, p.Err())
		}
		if p.Err() == nil && !bytes.Equal(p.Payload(), append(want, make([]byte, 2*units-len(want))...)) {
			t.Fatalf("UTF16Fixed(%q, %d) = %x", s, units, p.Payload())
		}
		c.Release(p)
	})
}

func ExamplePut() {
	type quality uint8
	pool, _ := NewPool(Config{})
	p := Put(pool.New(), quality(3))
	fmt.Printf("%x\n", p.Payload())
	p.Release()
	// Output: 03
}
