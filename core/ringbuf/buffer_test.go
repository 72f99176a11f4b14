package ringbuf

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"unsafe"
)

// model is what a Buffer must behave like: a plain slice with a limit.
type model struct {
	content  []byte
	capacity int
}

func (m *model) write(p []byte) int {
	n := min(len(p), m.capacity-len(m.content))
	m.content = append(m.content, p[:n]...)
	return n
}

func (m *model) discard(n int) { m.content = m.content[n:] }

// pair runs each operation on a Buffer and on the model.
type pair struct {
	ring    Buffer
	model   model
	scratch []byte
	next    byte // the stream's next byte, so that order shows
}

func newPair(capacity int) *pair {
	p := &pair{scratch: make([]byte, 1<<10)}
	p.ring.Attach(make([]byte, capacity))
	p.model.capacity = capacity
	return p
}

// step runs one operation chosen by op with the argument arg.
func (p *pair) step(op, arg byte) error {
	switch op % 5 {
	case 0, 1:
		return p.write(int(arg))
	case 2:
		return p.discard(int(arg))
	case 3:
		return p.peek(int(arg))
	default:
		return p.move(int(arg))
	}
}

func (p *pair) write(n int) error {
	data := make([]byte, n)
	for i := range data {
		data[i] = p.next + byte(i)
	}
	got, want := p.ring.Write(data), p.model.write(data)
	p.next += byte(want)
	if got != want {
		return fmt.Errorf("Write(%d bytes) = %d, want %d", n, got, want)
	}
	return p.same()
}

func (p *pair) discard(n int) error {
	n = min(n, p.ring.Len())
	p.ring.Discard(n)
	p.model.discard(n)
	if p.ring.Len() == 0 && p.ring.read != 0 {
		return fmt.Errorf("empty at offset %d, want 0", p.ring.read)
	}
	return p.same()
}

func (p *pair) peek(n int) error {
	got := p.ring.Peek(n, p.scratch)
	if n > len(p.model.content) {
		if got != nil {
			return fmt.Errorf("Peek(%d) of %d bytes = %d bytes, want nil", n, len(p.model.content), len(got))
		}
		return nil
	}
	if !bytes.Equal(got, p.model.content[:n]) || cap(got) != n {
		return fmt.Errorf("Peek(%d) = %x with capacity %d, want %x", n, got, cap(got), p.model.content[:n])
	}
	return p.same()
}

func (p *pair) move(capacity int) error {
	capacity = max(capacity, p.ring.Len())
	old := p.ring.Move(make([]byte, capacity))
	if len(old) != p.model.capacity {
		return fmt.Errorf("Move returned %d bytes, want %d", len(old), p.model.capacity)
	}
	p.model.capacity = capacity
	return p.same()
}

// same compares everything that can be seen of the two.
func (p *pair) same() error {
	first, second := p.ring.Segments()
	if got := append(bytes.Clone(first), second...); !bytes.Equal(got, p.model.content) {
		return fmt.Errorf("content = %x, want %x", got, p.model.content)
	}
	size, capacity := len(p.model.content), p.model.capacity
	if p.ring.Len() != size || p.ring.Cap() != capacity || p.ring.Room() != capacity-size {
		return fmt.Errorf("Len, Cap, Room = %d, %d, %d, want %d, %d, %d", p.ring.Len(), p.ring.Cap(),
			p.ring.Room(), size, capacity, capacity-size)
	}
	if cap(first) > len(p.ring.storage)-p.ring.read || cap(second) != len(second) {
		return fmt.Errorf("segments can be appended to")
	}
	return nil
}

func TestBufferBehavesLikeASlice(t *testing.T) {
	for _, capacity := range []int{0, 1, 2, 3, 7, 16, 100, 255} {
		t.Run(fmt.Sprint(capacity), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, uint64(capacity)))
			p := newPair(capacity)
			for i := range 20000 {
				op, arg := byte(rng.IntN(4)), byte(rng.IntN(capacity+3))
				if rng.IntN(1000) == 0 {
					op = 4
				}
				if err := p.step(op, arg); err != nil {
					t.Fatalf("operation %d (%d, %d): %v", i, op%5, arg, err)
				}
			}
		})
	}
}

func FuzzBuffer(f *testing.F) {
	f.Add(byte(4), []byte{0, 3, 2, 2, 0, 3, 3, 4})
	f.Add(byte(0), []byte{0, 1, 3, 0, 4, 9, 0, 9})
	f.Add(byte(255), []byte{0, 200, 2, 150, 1, 200, 3, 250, 4, 255, 3, 250})
	f.Fuzz(func(t *testing.T, capacity byte, script []byte) {
		p := newPair(int(capacity))
		for i := 0; i+1 < len(script); i += 2 {
			if err := p.step(script[i], script[i+1]); err != nil {
				t.Fatalf("operation %d: %v", i/2, err)
			}
		}
	})
}

func TestPeekIsAViewUnlessTheBytesWrap(t *testing.T) {
	var b Buffer
	storage := make([]byte, 8)
	b.Attach(storage)
	b.Write([]byte("abcdef"))
	b.Discard(4)
	b.Write([]byte("ghij")) // e f g h in front of the end, i j behind it
	scratch := make([]byte, 8)
	for _, c := range []struct {
		n       int
		want    string
		inPlace bool
	}{{1, "e", true}, {4, "efgh", true}, {5, "efghi", false}, {6, "efghij", false}} {
		got := b.Peek(c.n, scratch)
		if string(got) != c.want {
			t.Errorf("Peek(%d) = %q, want %q", c.n, got, c.want)
		}
		if inPlace := unsafe.SliceData(got) == &storage[4]; inPlace != c.inPlace {
			t.Errorf("Peek(%d) in place = %v, want %v", c.n, inPlace, c.inPlace)
		}
	}
}

func TestZeroBufferTakesAndGivesNothing(t *testing.T) {
	var b Buffer
	if n := b.Write([]byte("x")); n != 0 || b.Len() != 0 || b.Cap() != 0 || b.Room() != 0 {
		t.Errorf("Write = %d, Len %d, Cap %d, Room %d, want zeros", n, b.Len(), b.Cap(), b.Room())
	}
	first, second := b.Segments()
	if len(first)+len(second) != 0 || b.Peek(1, make([]byte, 1)) != nil || b.Attached() {
		t.Error("a buffer without storage has content")
	}
	b.Discard(0)
	if b.Detach() != nil {
		t.Error("Detach of a buffer without storage returned some")
	}
	if b.Move(make([]byte, 3)) != nil || b.Write([]byte("abcd")) != 3 {
		t.Error("Move did not give the zero Buffer storage of 3 bytes")
	}
}

func TestDetachReturnsTheLentStorageForTheNext(t *testing.T) {
	var b Buffer
	storage := make([]byte, 8)
	b.Attach(storage)
	b.Write([]byte("abc"))
	b.Discard(1)
	got := b.Detach()
	if len(got) != 8 || &got[0] != &storage[0] {
		t.Fatalf("Detach returned %d bytes elsewhere, want the 8 lent", len(got))
	}
	if b.Attached() || b.Len() != 0 || b.Cap() != 0 {
		t.Fatalf("after Detach: %+v, want the zero Buffer", b)
	}
	b.Attach(got)
	if b.Len() != 0 || b.Room() != 8 {
		t.Errorf("attached again: Len %d, Room %d, want 0, 8", b.Len(), b.Room())
	}
}

func TestMisusePanicsWithThePackageName(t *testing.T) {
	filled := func() *Buffer {
		b := new(Buffer)
		b.Attach(make([]byte, 8))
		b.Write([]byte("abc"))
		return b
	}
	for name, misuse := range map[string]func(){
		"discard too much":      func() { filled().Discard(4) },
		"discard negative":      func() { filled().Discard(-1) },
		"peek negative":         func() { filled().Peek(-1, make([]byte, 8)) },
		"peek without scratch":  func() { filled().Peek(2, make([]byte, 1)) },
		"attach twice":          func() { filled().Attach(make([]byte, 8)) },
		"move to small storage": func() { filled().Move(make([]byte, 2)) },
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if s, _ := recover().(string); len(s) < 8 || s[:8] != "ringbuf:" {
					t.Errorf("panic = %q, want one that starts with ringbuf:", s)
				}
			}()
			misuse()
		})
	}
}

func TestBufferIsSmall(t *testing.T) {
	if got, limit := unsafe.Sizeof(Buffer{})-unsafe.Sizeof([]byte(nil)), uintptr(32); got > limit {
		t.Errorf("Buffer takes %d bytes besides the slice, want at most %d", got, limit)
	}
}

func TestBufferDoesNotAllocate(t *testing.T) {
	var b Buffer
	storage, data, scratch := make([]byte, 64), make([]byte, 40), make([]byte, 64)
	got := testing.AllocsPerRun(1000, func() {
		b.Attach(storage)
		b.Write(data)
		b.Discard(30)
		b.Write(data)
		b.Peek(50, scratch)
		b.Segments()
		b.Discard(50)
		storage = b.Detach()
	})
	if got != 0 {
		t.Errorf("%v allocations per run, want 0", got)
	}
}
