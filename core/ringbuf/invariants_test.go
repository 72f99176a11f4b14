//go:build invariants

package ringbuf

import (
	"bytes"
	"testing"
)

func TestDiscardedAndReturnedBytesAreScribbled(t *testing.T) {
	gone := func(n int) []byte { return bytes.Repeat([]byte{scribbled}, n) }
	var b Buffer
	b.Attach(make([]byte, 8))
	b.Write([]byte("abcdef"))
	b.Discard(4)
	b.Write([]byte("ghij"))
	if want := append([]byte("ij"), append(gone(2), "efgh"...)...); !bytes.Equal(b.storage, want) {
		t.Errorf("after Discard: %q, want %q", b.storage, want)
	}
	view := b.Peek(4, make([]byte, 8))
	b.Discard(5)
	if !bytes.Equal(view, gone(4)) {
		t.Errorf("a view kept over Discard = %q, want it scribbled", view)
	}
	if old := b.Move(make([]byte, 16)); !bytes.Equal(old, gone(8)) {
		t.Errorf("Move returned %q, want it scribbled", old)
	}
	if got := b.Peek(1, make([]byte, 1)); string(got) != "j" {
		t.Errorf("after Move: %q, want %q", got, "j")
	}
	if old := b.Detach(); !bytes.Equal(old, gone(16)) {
		t.Errorf("Detach returned %q, want it scribbled", old)
	}
}

func TestABrokenFormulaPanics(t *testing.T) {
	for _, b := range []Buffer{
		{storage: make([]byte, 4), read: 4, size: 1},
		{storage: make([]byte, 4), read: 0, size: 5},
		{storage: make([]byte, 4), read: 1, size: 0},
		{storage: nil, read: 1, size: 0},
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("read %d, size %d of %d passed", b.read, b.size, len(b.storage))
				}
			}()
			b.check()
		}()
	}
}
