package packet

import (
	"bytes"
	"encoding/binary"
	"math"
	"runtime"
	"testing"
)

// move is the 42-byte message that the packages below are compared on.
type move struct {
	Type    uint16
	Account uint32
	X, Y, Z float32
	Tick    uint64
	A, B    uint32
	C, D    uint32
}

func newMove() move {
	return move{Type: 3, Account: 21055, X: 1.5, Y: 2.5, Z: -3, Tick: 1 << 40, A: 1, B: 2, C: 3, D: 4}
}

func writeTyped(p *Packet, m *move) *Packet {
	return p.U16(m.Type).U32(m.Account).F32(m.X).F32(m.Y).F32(m.Z).U64(m.Tick).U32(m.A).U32(m.B).U32(m.C).U32(m.D)
}

func writeGeneric(p *Packet, m *move) *Packet {
	p = Put(Put(Put(Put(Put(p, m.Type), m.Account), m.X), m.Y), m.Z)
	return Put(Put(Put(Put(Put(p, m.Tick), m.A), m.B), m.C), m.D)
}

// writeExtended is what a generator would make of the message.
func writeExtended(p *Packet, m *move) *Packet {
	b, le := p.Extend(42), binary.LittleEndian
	if len(b) < 42 {
		return p
	}
	le.PutUint16(b[0:], m.Type)
	le.PutUint32(b[2:], m.Account)
	le.PutUint32(b[6:], math.Float32bits(m.X))
	le.PutUint32(b[10:], math.Float32bits(m.Y))
	le.PutUint32(b[14:], math.Float32bits(m.Z))
	le.PutUint64(b[18:], m.Tick)
	le.PutUint32(b[26:], m.A)
	le.PutUint32(b[30:], m.B)
	le.PutUint32(b[34:], m.C)
	le.PutUint32(b[38:], m.D)
	return p
}

func readTyped(r *Reader, m *move) {
	m.Type, m.Account = r.U16(), r.U32()
	m.X, m.Y, m.Z = r.F32(), r.F32(), r.F32()
	m.Tick = r.U64()
	m.A, m.B, m.C, m.D = r.U32(), r.U32(), r.U32(), r.U32()
}

func readGeneric(r *Reader, m *move) {
	Get(Get(Get(Get(Get(r, &m.Type), &m.Account), &m.X), &m.Y), &m.Z)
	Get(Get(Get(Get(Get(r, &m.Tick), &m.A), &m.B), &m.C), &m.D)
}

func TestEveryWayToWriteMatchesEncodingBinary(t *testing.T) {
	m := newMove()
	want, _ := binary.Append(nil, binary.LittleEndian, &m)
	c := newTestPool(t, Config{}).NewCache()
	var typed, generic move
	for _, p := range []*Packet{writeTyped(c.New(), &m), writeGeneric(c.New(), &m), writeExtended(c.New(), &m)} {
		if !bytes.Equal(p.Payload(), want) {
			t.Errorf("payload = %x, want %x", p.Payload(), want)
		}
		readTyped(NewReader(p.Payload()), &typed)
		readGeneric(NewReader(p.Payload()), &generic)
		if typed != m || generic != m {
			t.Errorf("read %+v and %+v, want %+v", typed, generic, m)
		}
	}
}

// BenchmarkWrite writes the message into a packet that is there already.
func BenchmarkWrite(b *testing.B) {
	m := newMove()
	p := newTestPool(b, Config{}).NewCache().New()
	b.Run("typed", func(b *testing.B) {
		for b.Loop() {
			p.cursor = p.start
			writeTyped(p, &m)
		}
	})
	b.Run("generic", func(b *testing.B) {
		for b.Loop() {
			p.cursor = p.start
			writeGeneric(p, &m)
		}
	})
	b.Run("extended", func(b *testing.B) {
		for b.Loop() {
			p.cursor = p.start
			writeExtended(p, &m)
		}
	})
	b.Run("binary.Append", func(b *testing.B) {
		buf := make([]byte, 0, 256)
		for b.Loop() {
			buf, _ = binary.Append(buf[:0], binary.LittleEndian, &m)
		}
	})
	b.Run("binary.Write", func(b *testing.B) {
		b.ReportAllocs()
		var buf bytes.Buffer
		for b.Loop() {
			buf.Reset()
			_ = binary.Write(&buf, binary.LittleEndian, &m)
		}
	})
}

// BenchmarkRead reads the message.
func BenchmarkRead(b *testing.B) {
	m := newMove()
	payload, _ := binary.Append(nil, binary.LittleEndian, &m)
	b.Run("typed", func(b *testing.B) {
		r := NewReader(nil)
		for b.Loop() {
			r.Reset(payload)
			readTyped(r, &m)
		}
	})
	b.Run("generic", func(b *testing.B) {
		r := NewReader(nil)
		for b.Loop() {
			r.Reset(payload)
			readGeneric(r, &m)
		}
	})
	b.Run("binary.Decode", func(b *testing.B) {
		for b.Loop() {
			_, _ = binary.Decode(payload, binary.LittleEndian, &m)
		}
	})
	b.Run("binary.Read", func(b *testing.B) {
		b.ReportAllocs()
		r := bytes.NewReader(nil)
		for b.Loop() {
			r.Reset(payload)
			_ = binary.Read(r, binary.LittleEndian, &m)
		}
	})
}

// BenchmarkPacket is the life of a 32-byte packet.
func BenchmarkPacket(b *testing.B) {
	pool := newTestPool(b, Config{})
	c := pool.NewCache()
	data := make([]byte, 2000)
	sum := 0
	b.Run("cache", func(b *testing.B) {
		for b.Loop() {
			p := c.New().Bytes(data[:32])
			sum += len(p.Payload())
			c.Release(p)
		}
	})
	b.Run("empty", func(b *testing.B) {
		for b.Loop() {
			c.Release(c.New())
		}
	})
	b.Run("any goroutine", func(b *testing.B) {
		for b.Loop() {
			p := pool.New().Bytes(data[:32])
			sum += len(p.Payload())
			p.Release()
		}
	})
	b.Run("2000 bytes", func(b *testing.B) {
		for b.Loop() {
			c.Release(c.New().Bytes(data))
		}
	})
	b.Run("clone of 2000 bytes", func(b *testing.B) {
		r := NewReader(data)
		r.UseCache(c)
		for b.Loop() {
			c.Release(r.Clone())
		}
	})
}

// BenchmarkBroadcast sends 256 bytes to 100 receivers and lets each of them
// drop what it got.
func BenchmarkBroadcast(b *testing.B) {
	const receivers = 100
	c := newTestPool(b, Config{}).NewCache()
	data := make([]byte, 256)
	packets := make([]*Packet, receivers)
	b.Run("shared", func(b *testing.B) {
		for b.Loop() {
			p := c.New().Bytes(data).Retain(receivers - 1)
			for range receivers {
				c.Release(p)
			}
		}
	})
	b.Run("pooled copies", func(b *testing.B) {
		for b.Loop() {
			for i := range packets {
				packets[i] = c.New().Bytes(data)
			}
			for _, p := range packets {
				c.Release(p)
			}
		}
	})
	b.Run("allocated copies", func(b *testing.B) {
		copies := make([][]byte, receivers)
		for b.Loop() {
			for i := range copies {
				copies[i] = bytes.Clone(data)
			}
		}
	})
}

// BenchmarkCollect is a full garbage collection with many packets alive.
func BenchmarkCollect(b *testing.B) {
	const alive = 1 << 18
	b.Run("packets", func(b *testing.B) {
		pool := newTestPool(b, Config{MaxSize: 64, Capacity: alive + 64})
		c := pool.NewCache()
		for range alive {
			c.New().U64(1)
		}
		for b.Loop() {
			runtime.GC()
		}
		runtime.KeepAlive(pool)
	})
	b.Run("pointers", func(b *testing.B) {
		type packet struct{ b []byte }
		packets := make([]*packet, alive)
		for i := range packets {
			packets[i] = &packet{make([]byte, 64)}
		}
		for b.Loop() {
			runtime.GC()
		}
		runtime.KeepAlive(packets)
	})
	b.Run("nothing", func(b *testing.B) {
		for b.Loop() {
			runtime.GC()
		}
	})
}
