package ringbuf

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
)

const (
	benchFrames  = 4096
	testFrames   = 128
	benchStorage = 64 << 10 // bytes a stream may buffer, in every design
)

// makeStream returns so many frames of a u16 length and a payload of that many bytes.
func makeStream(frames, least, most int) []byte {
	rng := rand.New(rand.NewPCG(1, 2))
	var b []byte
	for range frames {
		size := least + rng.IntN(most-least+1)
		b = binary.LittleEndian.AppendUint16(b, uint16(size))
		b = append(b, make([]byte, size)...)
	}
	return b
}

// handled stands for what a handler does with a frame.
type handled struct{ frames, sum int }

func (h *handled) frame(b []byte) {
	h.frames++
	h.sum += int(b[len(b)-1])
}

// frameSize returns the length of the frame at the front of b, 0 while its
// header is not complete.
func frameSize(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	return 2 + int(binary.LittleEndian.Uint16(b))
}

// A decoder cuts a stream that is read in pieces.
type decoder interface {
	// receive is a turn: a read of piece and the handling of what is whole.
	receive(piece []byte, h *handled)
}

// carry reads into a buffer that sessions share and keeps only the unfinished
// frame in a ring of the session's own.
type carry struct {
	hot, storage, scratch []byte
	partial               Buffer
}

func newCarry() *carry {
	return &carry{make([]byte, benchStorage), make([]byte, benchStorage), make([]byte, benchStorage), Buffer{}}
}

func (c *carry) receive(piece []byte, h *handled) {
	b := c.hot[:copy(c.hot, piece)]
	if c.partial.Attached() {
		b = c.finish(b, h)
	}
	for size := frameSize(b); size > 0 && size <= len(b); size = frameSize(b) {
		h.frame(b[:size])
		b = b[size:]
	}
	if len(b) > 0 {
		if !c.partial.Attached() {
			c.partial.Attach(c.storage)
		}
		c.partial.Write(b)
	}
}

// finish completes the frame that waits in the ring, and returns what follows
// it in b.
func (c *carry) finish(b []byte, h *handled) []byte {
	if c.partial.Len() == 1 {
		b = b[c.partial.Write(b[:1]):]
	}
	size := frameSize(c.partial.Peek(2, c.scratch))
	b = b[c.partial.Write(b[:min(len(b), size-c.partial.Len())]):]
	if c.partial.Len() < size {
		return b
	}
	h.frame(c.partial.Peek(size, c.scratch))
	c.partial.Discard(size)
	c.storage = c.partial.Detach()
	return b
}

// ring reads into a ring per session, with a copy where a frame wraps.
type ring struct {
	stream  Buffer
	scratch []byte
}

func newRing() *ring {
	r := &ring{scratch: make([]byte, benchStorage)}
	r.stream.Attach(make([]byte, benchStorage))
	return r
}

func (r *ring) receive(piece []byte, h *handled) {
	r.stream.Write(piece)
	for {
		size := frameSize(r.stream.Peek(2, r.scratch))
		if size == 0 || size > r.stream.Len() {
			return
		}
		h.frame(r.stream.Peek(size, r.scratch))
		r.stream.Discard(size)
	}
}

// naive moves the rest of the stream to the front after every frame.
type naive struct {
	b []byte
	n int
}

func (d *naive) receive(piece []byte, h *handled) {
	d.n += copy(d.b[d.n:], piece)
	for size := frameSize(d.b[:d.n]); size > 0 && size <= d.n; size = frameSize(d.b[:d.n]) {
		h.frame(d.b[:size])
		copy(d.b, d.b[size:d.n])
		d.n -= size
	}
}

func decode(d decoder, stream []byte, read int) (h handled) {
	for len(stream) > 0 {
		n := min(read, len(stream))
		d.receive(stream[:n], &h)
		stream = stream[n:]
	}
	return h
}

func decoders(t testing.TB) map[string]decoder {
	return map[string]decoder{
		"carry": newCarry(), "ring": newRing(), "naive": &naive{b: make([]byte, benchStorage)},
		"mirrored": newMirrored(t),
	}
}

func TestDecodersSeeTheSameFrames(t *testing.T) {
	for _, most := range []int{128, 4096} {
		stream := makeStream(testFrames, 16, most)
		for name, d := range decoders(t) {
			for _, read := range []int{1, 7, 1460, 16384} {
				if h := decode(d, stream, read); h.frames != testFrames {
					t.Errorf("%s: %d frames of up to %d bytes in reads of %d, want %d", name, h.frames, most, read, testFrames)
				}
			}
		}
	}
}

// BenchmarkDecode is the cost of a stream of 4096 frames.
func BenchmarkDecode(b *testing.B) {
	for _, size := range []struct{ least, most int }{{16, 128}, {64, 4096}} {
		stream := makeStream(benchFrames, size.least, size.most)
		for _, read := range []int{1460, 16384} {
			for name, d := range decoders(b) {
				b.Run(fmt.Sprintf("frames=%d-%d/read=%d/%s", size.least, size.most, read, name), func(b *testing.B) {
					for b.Loop() {
						decode(d, stream, read)
					}
					b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchFrames, "ns/frame")
				})
			}
		}
	}
}
